/** Descriptors in values that nobody gets. */
import { FileDescriptor } from '../values/file-descriptor.js';
import { Variant } from '../values/variant.js';
import { DEPTH_MAXIMUM } from './limits.js';

/** Closes all descriptors in a value that arrived, and that nobody is given. */
export function closeDescriptors(value: unknown): void {
  for (const descriptor of descriptorsIn(value)) descriptor.close();
}

/**
 * Closes the descriptors in a value that were handed over to a message, where the message is not sent: who did that does
 * not close them.
 *
 * @param signature of the message that the value was for: nothing else in it could have been sent
 */
export function closeHandedOver(signature: string, value: unknown): void {
  if (!/[hv]/.test(signature)) return;
  for (const descriptor of descriptorsIn(value)) if (descriptor.handedOver) descriptor.close();
}

/** All descriptors in a value. It may be anything, also what has no end, or throws when it is looked at. */
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
        // Whatever is in it could not be sent either.
      }
    }
    level = next;
  }
  return descriptors;
}

function valuesIn(value: object): Iterable<unknown> {
  if (value instanceof Variant) return [value.value];
  // A descriptor may be the key of a dictionary, too.
  return value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
}
