/**
 * How many file descriptors a message has room for that is made of the properties of one object or of many: nobody chose that
 * number, and a bus hangs up on who sends too many.
 */
import { type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { tooManyText } from '../../connection/sending/marshal.js';
import { report } from '../../diagnostics/problems.js';

export class DescriptorRoom {
  readonly #maximum: number;
  #taken = 0;
  #refused = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Whether there is room for the descriptors of an entry, which it has then. */
  takes(entry: EncodedEntry): boolean {
    if (!hasDescriptors(entry)) return true;
    const [, , descriptors] = entry;
    if (this.#taken + descriptors > this.#maximum) {
      this.#refused++;
      return false;
    }
    this.#taken += descriptors;
    return true;
  }

  /** Says what had no room, if there was anything. */
  tellRefused(message: string, connection?: number): void {
    if (this.#refused === 0) return;
    const what = this.#refused === 1 ? '1 property was' : `${this.#refused} properties were`;
    report('send', `${what} left out of ${message}: ${tooManyText(this.#maximum)}`, undefined, connection);
  }
}
