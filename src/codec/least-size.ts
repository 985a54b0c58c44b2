/**
 * The least that values take on the wire: what tells of an array that it cannot be sent from its length alone, before any
 * element is looked at. The length may be the claim of a Proxy, which has no elements to be looked at.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import type { BasicCode, DictEntryType, Type } from '../signature/parse.js';
import { checkArrayLength } from './writer.js';

/** An empty string has its length and a NUL; the shortest path is `/`. */
const leastBasicSizes: Readonly<Record<BasicCode, number>> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 5,
  o: 6,
  g: 2,
  h: 4,
};

/** A signature of one letter, and a byte. */
const LEAST_VARIANT = 4;

/** The bytes of the smallest value of a type, without what aligns its beginning. */
export function leastSize(type: Type | DictEntryType): number {
  switch (type.code) {
    case 'v':
      return LEAST_VARIANT;
    case 'a':
      return 4;
    case '(':
      return type.fields.reduce((size, field) => aligned(size, field.alignment) + leastSize(field), 0);
    case '{':
      return aligned(leastSize(type.key), type.value.alignment) + leastSize(type.value);
    default:
      return leastBasicSizes[type.code];
  }
}

function aligned(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}

/**
 * The check of how many elements an array has.
 *
 * @returns a function that throws a {@link Misfit} for more than can be sent, whatever they are
 */
export function countCheck(element: Type | DictEntryType): (count: number) => void {
  const size = leastSize(element);
  // Behind the length of an array stands what aligns its elements, of which it may have none.
  const isPadded = element.code === 'a' && element.element.alignment === 8;
  const stride = isPadded ? 8 : aligned(size, element.alignment);
  return (count) => {
    if (count > 0) checkArrayLength((count - 1) * stride + size);
  };
}
