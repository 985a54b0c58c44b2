/**
 * Memory for one batch of received messages, shared by the connections of a thread: a connection has some only while
 * rows of a batch are left, so that idle connections need none.
 */
import { Reader } from '../../codec/reader.js';
import { type Addon, type InboxMemory, ROW_LENGTH } from '../../native/binding.js';
import { loadAddon } from '../../native/load.js';

const ARENA_BYTES = 256 * 1024;
const ROWS = 256;
const STRINGS = 2048;
/** sd-bus accepts up to 1024 descriptors with a message; the kernel passes at most 253 at once. */
const FDS = 1024;
export const WORDS_PER_STRING = 3;

export class BatchMemory implements InboxMemory {
  readonly arena = new ArrayBuffer(ARENA_BYTES);
  readonly rows = new Int32Array(ROWS * ROW_LENGTH);
  readonly strings = new Int32Array(STRINGS * WORDS_PER_STRING);
  readonly fds = new Int32Array(FDS);
  readonly bytes = Buffer.from(this.arena);
  readonly reader = new Reader(this.arena);
}

let isSet = false;

/** The addon, which makes the memory that it lends to connections by {@link BatchMemory}. */
export function addonWithMemory(): Addon {
  const addon = loadAddon();
  if (!isSet) addon.useBatchMemory(() => new BatchMemory());
  isSet = true;
  return addon;
}
