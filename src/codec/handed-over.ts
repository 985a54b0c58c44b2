/** Descriptors that were handed over to a message, where the message is not sent. */
import { FileDescriptor } from '../file-descriptor.js';
import { Variant } from '../variant.js';

/**
 * Closes the descriptors in a value that were handed over: who did that does not close them, and no message did it. The
 * value may be anything: without an end, or what throws when it is looked at.
 */
export function closeHandedOver(value: unknown): void {
  const found = new Set([value]);
  // Those that are added meanwhile come up as well.
  for (const each of found) {
    if (FileDescriptor.isFileDescriptor(each)) {
      if (each.handedOver) each.close();
    } else {
      for (const inner of valuesIn(each)) if (typeof inner === 'object') found.add(inner);
    }
  }
}

function valuesIn(value: unknown): Iterable<unknown> {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  try {
    if (value instanceof Variant) return [value.value];
    return value instanceof Map ? [...value.values()] : Object.values(value);
  } catch {
    return [];
  }
}
