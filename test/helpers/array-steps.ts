/**
 * Counts the elements that methods of arrays handle, so that a test shows whether an operation costs more with more
 * elements. A count does not depend on the machine, unlike a time.
 */

const methods = [
  ...['concat', 'copyWithin', 'every', 'filter', 'find', 'findIndex', 'findLast', 'flatMap', 'forEach', 'includes'],
  ...['indexOf', 'lastIndexOf', 'map', 'reduce', 'shift', 'slice', 'some', 'sort', 'splice', 'unshift'],
  ...[Symbol.iterator, 'entries', 'keys', 'values'],
] as const;

type Method = (this: unknown[], ...args: unknown[]) => unknown;

/** The number of elements of all arrays whose methods the function calls before it returns. */
export function elementsHandled(run: () => void): number {
  const prototype = Array.prototype as unknown as Record<string | symbol, Method>;
  const originals = methods.map((name) => [name, prototype[name] as Method] as const);
  let count = 0;
  const replace = (name: string | symbol, value: Method) =>
    Object.defineProperty(Array.prototype, name, { value, writable: true, configurable: true });
  for (let index = 0; index < originals.length; index++) {
    const [name, original] = originals[index] as (typeof originals)[number];
    replace(name, function (...args) {
      count += this.length;
      return Reflect.apply(original, this, args);
    });
  }
  try {
    run();
  } finally {
    for (let index = 0; index < originals.length; index++) {
      const [name, original] = originals[index] as (typeof originals)[number];
      replace(name, original);
    }
  }
  return count;
}
