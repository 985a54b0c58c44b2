/**
 * Entries of a dictionary `a{sv}` that are marshalled before they are sent. Each entry is written from an 8-byte
 * boundary, where every entry of a dictionary begins, so its bytes are the same in every message.
 */
import type { FileDescriptor } from '../values/file-descriptor.js';

/** An entry: its bytes, in shared memory. */
export interface EncodedEntry {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Set if the value has file descriptors. */
  readonly descriptors?: EntryDescriptors;
}

/**
 * The file descriptors of an entry. Each message numbers its descriptors, so their indices are written again in every
 * message, and descriptors that were closed in the meantime are refused. The value itself is not read again.
 */
export interface EntryDescriptors {
  readonly key: string;
  /** A descriptor, and where its index is, from the start of the entry. */
  readonly list: readonly { readonly value: FileDescriptor | number; readonly offset: number }[];
}

/** Whether an entry has file descriptors. */
export function hasDescriptors(entry: EncodedEntry): boolean {
  return entry.descriptors !== undefined;
}

/** A value of type `a{sv}` that consists of such entries. */
export class EncodedEntries {
  readonly entries: readonly EncodedEntry[];

  constructor(entries: readonly EncodedEntry[]) {
    this.entries = entries;
  }
}
