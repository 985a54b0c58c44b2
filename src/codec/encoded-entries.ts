/**
 * Entries of a dictionary `a{sv}` that are marshalled before they are sent. Each entry is written from an 8-byte
 * boundary, where every entry of a dictionary begins, so its bytes are the same in every message.
 */
import type { Variant } from '../values/variant.js';

/** The bytes of an entry, in shared memory. */
interface EntryBytes {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * An entry whose value has file descriptors, and their number. Its bytes differ, because each message numbers its
 * descriptors.
 */
export type EntryWithDescriptors = readonly [key: string, value: Variant, descriptors: number];

/** An entry: its bytes if they are the same in every message, else its key and value. */
export type EncodedEntry = EntryBytes | EntryWithDescriptors;

/** Whether an entry has file descriptors. */
export function hasDescriptors(entry: EncodedEntry): entry is EntryWithDescriptors {
  return Array.isArray(entry);
}

/** A value of type `a{sv}` that consists of such entries. */
export class EncodedEntries {
  readonly entries: readonly EncodedEntry[];

  constructor(entries: readonly EncodedEntry[]) {
    this.entries = entries;
  }
}
