/** The type of what a variant is written from where no `Variant` says it. */
import { types } from 'node:util';
import { isPlainObject } from './encode-container.js';
import { checkCount } from './least-size.js';
import { describe, Misfit } from './misfit.js';

function areStrings(values: readonly unknown[]): boolean {
  const { length } = values;
  // Of more than can be sent, and be it only claimed, none is looked at.
  checkCount('s', 0, length);
  return length > 0 && values.every((element) => typeof element === 'string');
}

/**
 * The type that goes without saying. An empty array might be of any type and a mixed one is of none, so these need a
 * `Variant`, as everything does that is not in the table of values.
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
      if (Array.isArray(value) && areStrings(value)) return 'as';
      if (isPlainObject(value)) return 'a{sv}';
  }
  throw new Misfit(
    `expected v, got ${describe(value)}: use a Variant to say which type is meant ` +
      "(what is read with variants: 'wrap' keeps its types, and can be written as it is)",
  );
}
