/** Which values are plain objects, from which dictionaries with string keys are written. */

/**
 * Whether a value is an object literal, of this realm or another, or an object without a prototype. Instances of
 * classes are not.
 */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}
