/**
 * The bytes of one received body, and its descriptors. They are lent while the batch is being handled. The program may
 * keep a message that it got, and read its body later. If it has not read the body when the loan ends, the bytes are
 * copied. They are not decoded then, because the values may take many times the memory.
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
  /** `undefined` after the loan has ended. */
  #reader: Reader | undefined;
  /** The number of messages that may be kept and whose body has not been read yet. */
  #unread = 0;
  /** The copy of the body for kept messages, after the loan has ended. */
  #copy: BodyCopy | undefined;
  /** The descriptors of the message, if it has any. */
  readonly descriptors: ReceivedDescriptors | undefined;
  readonly #refusal: DBusError | undefined;

  /**
   * @param fault the value in the seam's column `Fault`
   * @param refusal why the body must not be decoded, although it has no fault
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

  /** Why the body cannot be decoded, if so. */
  get fault(): DBusError | undefined {
    if (this.#fault === Fault.None) return this.#refusal;
    return faultError(this.#fault, this.#signature);
  }

  /**
   * Decodes the body. It may be decoded several times, with different options: the descriptors of a claim are the same
   * objects each time.
   *
   * @param claim the claim of the receiver to the descriptors
   *
   * @throws {@link DBusError} if the body is faulty
   */
  decode(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    const reader = this.#open();
    this.#requireSound();
    if (this.#signature === '') return [];
    if (claim !== undefined) return this.#decodeWithDescriptors(reader, options, claim);
    return decoderFor(this.#signature, options)(reader.open(this.#offset, this.#length));
  }

  /**
   * Returns a reader at the beginning of the body, to read its first values before it is known whether the rest is
   * needed. The reader has no descriptors, and is valid until another body is read.
   *
   * @throws {@link DBusError} if the body is faulty
   */
  peek(): Reader {
    this.#requireSound();
    if (this.#reader === undefined && this.#copy !== undefined)
      return new Reader(this.#copy.memory).open(this.#copy.offset, this.#length);
    return this.#open().open(this.#offset, this.#length);
  }

  /** The length of the body in bytes; 0 if it is faulty. */
  get length(): number {
    return this.#length;
  }

  /** The bytes of the body, of a message that is kept permanently, after the loan has ended; none if it is faulty. */
  get keptBytes(): Uint8Array {
    const { memory, offset } = this.#copy ?? { memory: new ArrayBuffer(0), offset: 0 };
    return new Uint8Array(memory, offset, this.#copy === undefined ? 0 : this.#length);
  }

  /** Called when the program gets a message with this body, which it may read at any time. */
  keep(): void {
    this.#unread++;
  }

  /** Decodes the body for a message that the program got. The program may keep the values. */
  decodeKept(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    const values = this.decodeAnyTime(options, claim);
    this.#unread--;
    return values;
  }

  /** Decodes the body for a message whose bytes are kept permanently. */
  decodeAnyTime(options: Decoding | undefined, claim: Claim | undefined): unknown[] {
    return this.#reader === undefined ? this.#decodeCopy(options, claim) : this.decode(options, claim);
  }

  /** Ends the loan of the bytes, and closes descriptors that no receiver claimed. */
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
      // Descriptors that no value refers to and that no message lists are closed here: the program does not know about
      // them. A refused body has no values.
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
