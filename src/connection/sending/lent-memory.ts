/**
 * Passes marshalled messages to the addon. The writers of all connections mostly marshal in the same memory, so it is
 * lent to the addon, and sending passes two integers: neither a typed array nor a connection has to be looked up.
 */
import type { LentOutbox, NativeConnection } from '../../native/binding.js';
import { loadAddon } from '../../native/load.js';

/** Larger memory is not lent: it would be kept, and its messages cost more than a look-up. */
const LENT_MAXIMUM = 256 * 1024;

let outbox: LentOutbox | undefined;
let lent: Uint8Array | undefined;
/** The memory of the last messages that were not in lent memory. It is lent when it is used twice in a row. */
let candidate: Uint8Array | undefined;

/**
 * Sends the messages in `bytes[0..end)`, which carry no descriptors.
 *
 * @param number the number of the connection; 0 if it has none
 * @returns how many bytes the addon still has to write
 */
export function sendFrom(native: NativeConnection, number: number, bytes: Uint8Array, end: number): number {
  if (number === 0 || bytes.length > LENT_MAXIMUM) return native.send(bytes, end, undefined);
  if (bytes !== lent) {
    if (bytes !== candidate) {
      candidate = bytes;
      return native.send(bytes, end, undefined);
    }
    outbox ??= loadAddon().makeOutbox();
    outbox.lend(bytes);
    lent = bytes;
    candidate = undefined;
  }
  return (outbox as LentOutbox).send(number, end) ?? 0;
}
