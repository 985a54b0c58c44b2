/**
 * Entries of a dictionary `a{sv}` that were marshalled before they were sent. Each was written from an 8-byte boundary, where
 * every entry of a dictionary begins, so that its bytes are the same in any message.
 */
import type { Variant } from '../values/variant.js';

/** The bytes of an entry, within memory that others share. */
interface EntryBytes {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** An entry whose value has file descriptors, and how many: their numbers are the message's own. */
export type EntryWithDescriptors = readonly [key: string, value: Variant, descriptors: number];

/** One entry: its bytes, where they are the same in every message. */
export type EncodedEntry = EntryBytes | EntryWithDescriptors;

/** Whether an entry has file descriptors. */
export function hasDescriptors(entry: EncodedEntry): entry is EntryWithDescriptors {
  return Array.isArray(entry);
}

/** The value of a dictionary `a{sv}`, made of such entries. */
export class EncodedEntries {
  readonly entries: readonly EncodedEntry[];

  constructor(entries: readonly EncodedEntry[]) {
    this.entries = entries;
  }
}
