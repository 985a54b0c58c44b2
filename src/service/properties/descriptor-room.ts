/**
 * Limits the file descriptors of a message with the properties of one or more objects: the program did not choose their
 * number, and a bus disconnects a sender of too many.
 */
import type { EncodedEntry } from '../../codec/encoded-entries.js';
import { tooManyText } from '../../connection/sending/marshal.js';
import { report } from '../../diagnostics/problems.js';

export class DescriptorRoom {
  readonly #maximum: number;
  #taken = 0;
  #refused = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Whether there is room for the descriptors of an entry. If so, they are counted. */
  takes(entry: EncodedEntry): boolean {
    if (entry.descriptors === undefined) return true;
    const descriptors = entry.descriptors.list.length;
    if (this.#taken + descriptors > this.#maximum) {
      this.#refused++;
      return false;
    }
    this.#taken += descriptors;
    return true;
  }

  /** Reports the entries that had no room, if there were any. */
  tellRefused(message: string, connection?: number): void {
    if (this.#refused === 0) return;
    const what = this.#refused === 1 ? '1 property was' : `${this.#refused} properties were`;
    report('send', `${what} left out of ${message}: ${tooManyText(this.#maximum)}`, undefined, connection);
  }
}
