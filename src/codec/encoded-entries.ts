/**
 * Entries of a dictionary `a{sv}` that were marshalled before they were sent. Each was written from an 8-byte boundary, where
 * every entry of a dictionary begins, so that its bytes are the same in any message.
 */
import type { Variant } from '../variant.js';

/**
 * The bytes of one entry; or its key and value, and how many file descriptors the value has, where there are any: their
 * numbers are the message's own.
 */
export type EncodedEntry = Uint8Array | readonly [key: string, value: Variant, descriptors: number];

/** The value of a dictionary `a{sv}`, made of such entries. */
export class EncodedEntries {
  readonly entries: readonly EncodedEntry[];

  constructor(entries: readonly EncodedEntry[]) {
    this.entries = entries;
  }
}
