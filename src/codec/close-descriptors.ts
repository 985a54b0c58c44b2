/** Closes file descriptors in values that are not delivered or not sent. */
import { FileDescriptor } from '../values/file-descriptor.js';
import { Variant } from '../values/variant.js';
import { DEPTH_MAXIMUM } from './limits.js';
import { ShapedValue } from './shaped-value.js';
import type { OutgoingFd } from './writer.js';

/** Closes all descriptors in a received value that is not delivered. */
export function closeDescriptors(value: unknown): void {
  for (const descriptor of descriptorsIn(value)) descriptor.close();
}

/**
 * Closes the descriptors in a value that the program handed over to a message, if the message is not sent and the
 * program is not told. Getters in the value are not called: what they would return has not been opened, or
 * {@link closeMadeByGetters} has closed it.
 *
 * @param signature the signature of the message; without `h` or `v` in it, no descriptor could have been sent
 */
export function closeHandedOver(signature: string, value: unknown): void {
  if (!/[hv]/.test(signature)) return;
  for (const descriptor of descriptorsHeldIn(value)) if (descriptor.handedOver) descriptor.close();
}

/**
 * Closes the descriptors that getters made and handed over while a message was encoded, if the message is refused: the
 * program does not have them. Those that the values hold stay with the program, which can send them again.
 *
 * @param fds the descriptors of the message
 * @param value its values
 */
export function closeMadeByGetters(fds: readonly OutgoingFd[], value: unknown): void {
  const made = new Set<FileDescriptor>();
  for (const { owned } of fds) if (owned !== undefined) made.add(owned);
  if (made.size === 0) return;
  for (const held of descriptorsHeldIn(value)) made.delete(held);
  for (const descriptor of made) descriptor.close();
}

/** The descriptors in a value, without those that its getters would return. */
export function descriptorsHeldIn(value: unknown): ReadonlySet<FileDescriptor> {
  return descriptorsIn(value, heldIn);
}

/**
 * All descriptors in a value. The value may be anything: it may contain itself, or throw when it is read.
 *
 * @param inner the values in a value
 */
export function descriptorsIn(value: unknown, inner = valuesIn): ReadonlySet<FileDescriptor> {
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
        else if (!ArrayBuffer.isView(each)) for (const one of inner(each)) next.push(one);
      } catch {
        // A value that throws could not be sent either.
      }
    }
    level = next;
  }
  return descriptors;
}

function valuesIn(value: object): Iterable<unknown> {
  if (value instanceof Variant || value instanceof ShapedValue) return [value.value];
  // A descriptor may also be the key of a dictionary.
  return value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
}

/** The values that an object has without its getters. */
function heldIn(value: object): Iterable<unknown> {
  if (value instanceof Variant || value instanceof ShapedValue || value instanceof Map) return valuesIn(value);
  return Object.values(Object.getOwnPropertyDescriptors(value)).map((property) => property.value);
}
