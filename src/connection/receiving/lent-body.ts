/**
 * The bytes of one received body, and the descriptors that came with it: lent for as long as the batch that brought
 * them is being handled. A message that user code was given may be kept, and its body be read later: if it was not read
 * by the end of the loan, its bytes are copied then, and not decoded, which may take many times the memory.
 */

import { DBusError } from '../../base/errors.js';
import type { Decoding } from '../../codec/decode-options.js';
import { decoderFor } from '../../codec/decoder.js';
import { Reader } from '../../codec/reader.js';
import { Fault } from '../../native/binding.js';
import { type BodyCopy, copyBody } from './body-copies.js';
import { faultError } from './faults.js';
import type { Claim, ReceivedDescriptors } from './received-descriptors.js';

export class LentBody {
  readonly #signature: string;
  readonly #offset: number;
  readonly #length: number;
  readonly #fault: number;
  /** `undefined` when the loan is over. */
  #reader: Reader | undefined;
  /** How many messages, which may be kept, have not read the body yet. */
  #unread = 0;
  /** What those who keep a message have of the body when the loan is over. */
  #copy: BodyCopy | undefined;
  /** Those that came with the message, if any did. */
  readonly descriptors: ReceivedDescriptors | undefined;
  readonly #refusal: DBusError | undefined;

  /**
   * @param fault what the seam's column `Fault` has
   * @param refusal why the body is not to be decoded, though nothing is wrong with it
   */
  constructor(
    reader: Reader,
    signature: string,
    offset: number,
    length: number,
    descriptors: ReceivedDescriptors | undefined,
    fault: number,
    refusal: DBusError | undefined,
  ) {
    this.#reader = reader;
    this.#signature = signature;
    this.#offset = offset;
    this.#length = length;
    this.descriptors = descriptors;
    this.#fault = fault;
    this.#refusal = refusal;
  }

  /** Why the body cannot be decoded, if it cannot. */
  get fault(): DBusError | undefined {
    if (this.#fault === Fault.None) return this.#refusal;
    return faultError(this.#fault, this.#signature);
  }

  /**
   * Decodes the body. May be done more than once, with other options: the descriptors of a claim are the same objects then.
   *
   * @param claim whose the descriptors are
   *
   * @throws {@link DBusError} where the body is faulty
   */
  decode(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    const reader = this.#open();
    this.#requireSound();
    if (this.#signature === '') return [];
    if (claim !== undefined) return this.#decodeWithDescriptors(reader, options, claim);
    return decoderFor(this.#signature, options)(reader.open(this.#offset, this.#length));
  }

  /**
   * A reader at the beginning of the body, to look at its first values before it is known whether the rest is wanted. It
   * has no descriptors, and is good until another body is read.
   *
   * @throws {@link DBusError} where the body is faulty
   */
  peek(): Reader {
    this.#requireSound();
    return this.#open().open(this.#offset, this.#length);
  }

  /** User code gets a message with this body, and may read it whenever it likes. */
  keep(): void {
    this.#unread++;
  }

  /** Decodes the body for a message that was given to user code, which then has what it may keep. */
  decodeKept(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    const values = this.decodeAnyTime(options, claim);
    this.#unread--;
    return values;
  }

  /** Decodes the body for a message whose bytes are kept for good. */
  decodeAnyTime(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    return this.#reader === undefined ? this.#decodeCopy(options, claim) : this.decode(options, claim);
  }

  /** Ends the loan of the bytes. Descriptors that nobody claimed are closed. */
  release(): void {
    if (this.#unread > 0 && this.#reader !== undefined && this.fault === undefined) {
      this.#copy = copyBody(this.#reader, this.#offset, this.#length);
    }
    this.#reader = undefined;
    this.descriptors?.release();
  }

  #requireSound(): void {
    const { fault } = this;
    if (fault !== undefined) throw fault;
  }

  #decodeCopy(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    this.#requireSound();
    if (this.#copy === undefined) throw gone();
    if (this.#signature === '') return [];
    const { memory, offset } = this.#copy;
    const reader = new Reader(memory).open(offset, this.#length, claim?.descriptors);
    return decoderFor(this.#signature, options)(reader);
  }

  #open(): Reader {
    if (this.#reader !== undefined) return this.#reader;
    throw gone();
  }

  #decodeWithDescriptors(reader: Reader, options: Decoding | undefined, claim: Claim): unknown[] {
    const { descriptors } = claim;
    let isDecoded = false;
    try {
      const values = decoderFor(this.#signature, options)(reader.open(this.#offset, this.#length, descriptors));
      isDecoded = true;
      return values;
    } finally {
      // A descriptor that no value refers to, and no message shows, is closed here: the program does not know of it. Of a body
      // that is refused there are no values.
      const isShown = isDecoded && claim.isShown;
      for (const each of descriptors) if (!isShown && !(isDecoded && reader.referred.has(each))) each.close();
    }
  }
}

function gone(): DBusError {
  return new DBusError(
    'org.freedesktop.DBus.Error.Failed',
    'the body is gone: decode it before the first await of the handler',
  );
}
