/** Infers the type of a variant from a value that is not a `Variant`. */
import { types } from 'node:util';
import { checkCount } from './least-size.js';
import { describe, Misfit } from './misfit.js';
import { isPlainObject } from './plain-object.js';

/**
 * Copies an array of strings, the only arrays that need no `Variant`. Its elements are read here only, since they may be
 * getters.
 *
 * @throws {@link Misfit} for an array of another type, or without elements
 */
export function stringsOf(values: readonly unknown[]): string[] {
  const { length } = values;
  // An array that is too long to be sent is refused before any element is read. A Proxy may only claim the length.
  checkCount('s', 0, length);
  if (length === 0) throw noType(values);
  const strings: string[] = [];
  for (let index = 0; index < length; index++) {
    const element = values[index];
    if (typeof element !== 'string') throw noType(values);
    strings.push(element);
  }
  return strings;
}

/**
 * Returns the type that a value, which is not an array, has without a `Variant`. An empty array could be of any type and a mixed array is of
 * none, so they need a `Variant`, and so does every value that is not in the table of values.
 */
export function inferSignature(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 's';
    case 'boolean':
      return 'b';
    case 'number':
      // An integer has no negative zero.
      return (value | 0) === value && (value !== 0 || 1 / value > 0) ? 'i' : 'd';
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return 'x';
      break;
    case 'object':
      if (types.isUint8Array(value)) return 'ay';
      if (isPlainObject(value)) return 'a{sv}';
  }
  throw noType(value);
}

function noType(value: unknown): Misfit {
  return new Misfit(
    `expected v, got ${describe(value)}: write a Variant, as in variant.as(['a']), to choose the type ` +
      "(values that are read with variants: 'keep' or 'wrap' keep their types)",
  );
}
