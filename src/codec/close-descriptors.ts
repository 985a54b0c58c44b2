/** Closes file descriptors in values that are not delivered or not sent. */
import { FileDescriptor } from '../values/file-descriptor.js';
import { Variant } from '../values/variant.js';
import { DEPTH_MAXIMUM } from './limits.js';

/** Closes all descriptors in a received value that is not delivered. */
export function closeDescriptors(value: unknown): void {
  for (const descriptor of descriptorsIn(value)) descriptor.close();
}

/**
 * Closes the descriptors in a value that the program handed over to a message, if the message is not sent. The program
 * that handed them over does not close them.
 *
 * @param signature the signature of the message; without `h` or `v` in it, no descriptor could have been sent
 */
export function closeHandedOver(signature: string, value: unknown): void {
  if (!/[hv]/.test(signature)) return;
  for (const descriptor of descriptorsIn(value)) if (descriptor.handedOver) descriptor.close();
}

/** All descriptors in a value. The value may be anything: it may contain itself, or throw when it is read. */
export function descriptorsIn(value: unknown): ReadonlySet<FileDescriptor> {
  const descriptors = new Set<FileDescriptor>();
  const seen = new Set<unknown>();
  let level = [value];
  for (let depth = 0; depth <= DEPTH_MAXIMUM && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each !== 'object' || each === null || seen.has(each)) continue;
      seen.add(each);
      try {
        if (FileDescriptor.isFileDescriptor(each)) descriptors.add(each);
        else if (!ArrayBuffer.isView(each)) for (const inner of valuesIn(each)) next.push(inner);
      } catch {
        // A value that throws could not be sent either.
      }
    }
    level = next;
  }
  return descriptors;
}

function valuesIn(value: object): Iterable<unknown> {
  if (value instanceof Variant) return [value.value];
  // A descriptor may also be the key of a dictionary.
  return value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
}
