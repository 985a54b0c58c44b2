/**
 * The bytes of one received body, and the descriptors that came with it: lent for as long as the batch that brought
 * them is being handled. A message that user code was given may be kept, and its body be read later: if it was not read
 * by the end of the loan, its bytes are copied then, and not decoded, which may take many times the memory.
 */
import { type DecodeOptions, decoderFor } from '../codec/decoder.js';
import { Reader } from '../codec/reader.js';
import { type DBusError, InvalidArgumentError, NotSupportedError } from '../errors.js';
import { FileDescriptor } from '../file-descriptor.js';
import { Fault } from '../native/binding.js';

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
  #copy: Uint8Array<ArrayBuffer> | undefined;
  /** Descriptors as numbers until somebody decodes the body, as objects after that. */
  #fds: readonly number[];
  #descriptors: readonly FileDescriptor[] | undefined;
  #isHandedOut = false;

  /** @param fault a code of the seam's `Fault` */
  constructor(
    reader: Reader,
    signature: string,
    offset: number,
    length: number,
    fds: readonly number[],
    fault: number,
  ) {
    this.#reader = reader;
    this.#signature = signature;
    this.#offset = offset;
    this.#length = length;
    this.#fds = fds;
    this.#fault = fault;
  }

  /** Why the body cannot be decoded, if it cannot. */
  get fault(): DBusError | undefined {
    if (this.#fault === Fault.None) return undefined;
    const invalid = `the body of the message is not valid for its signature "${this.#signature}"`;
    switch (this.#fault) {
      case Fault.UnsupportedBody:
        return new InvalidArgumentError(
          `${invalid}, or a string in it holds a Unicode noncharacter, which sd-bus refuses`,
        );
      case Fault.OutOfMemory:
        return new NotSupportedError(
          'the message is too large for the memory at hand, or there was no room for its file descriptors',
        );
      default:
        return new InvalidArgumentError(invalid);
    }
  }

  /**
   * Decodes the body. May be done more than once, with other options: the descriptors are the same objects then.
   *
   * @throws {@link DBusError} where the body is faulty
   */
  decode(options?: DecodeOptions): unknown[] {
    const reader = this.#open();
    if (this.#fault !== Fault.None) throw this.fault;
    if (this.#signature === '') return [];
    if (this.#fds.length > 0) return this.#decodeWithDescriptors(reader, options);
    return decoderFor(this.#signature, options)(reader.open(this.#offset, this.#length));
  }

  /**
   * A reader at the beginning of the body, to look at its first values before it is known whether the rest is wanted. It
   * has no descriptors, and is good until another body is read.
   *
   * @throws {@link DBusError} where the body is faulty
   */
  peek(): Reader {
    if (this.#fault !== Fault.None) throw this.fault;
    return this.#open().open(this.#offset, this.#length);
  }

  /** User code gets a message with this body, and may read it whenever it likes. */
  keep(): void {
    this.#unread++;
  }

  /** Decodes the body for a message that was given to user code, which then has what it may keep. */
  decodeKept(options?: DecodeOptions): unknown[] {
    const values = this.#reader === undefined ? this.#decodeCopy(options) : this.decode(options);
    this.#unread--;
    return values;
  }

  /** Somebody gets the values, and may keep them. */
  handOut(): void {
    this.#isHandedOut = true;
  }

  /** Closes the descriptors of a body that was decoded for somebody who does not get it. */
  discard(): void {
    if (this.#isHandedOut) return;
    for (const descriptor of this.#descriptors ?? []) descriptor.close();
  }

  /** Ends the loan. Descriptors of a body that nobody decoded are closed. */
  release(): void {
    if (this.#unread > 0 && this.#fault === Fault.None) this.#copy = this.#reader?.copy(this.#offset, this.#length);
    this.#reader = undefined;
    if (this.#fds.length > 0 && this.#descriptors === undefined) closeAll(this.#fds);
  }

  #decodeCopy(options: DecodeOptions | undefined): unknown[] {
    if (this.#fault !== Fault.None) throw this.fault;
    if (this.#copy === undefined) throw gone();
    if (this.#signature === '') return [];
    return decoderFor(this.#signature, options)(new Reader(this.#copy.buffer).open(0, this.#length, this.#descriptors));
  }

  #open(): Reader {
    if (this.#reader !== undefined) return this.#reader;
    throw gone();
  }

  #decodeWithDescriptors(reader: Reader, options: DecodeOptions | undefined): unknown[] {
    this.#descriptors ??= this.#fds.map((fd) => FileDescriptor.adopt(fd));
    let isDecoded = false;
    try {
      const values = decoderFor(this.#signature, options)(reader.open(this.#offset, this.#length, this.#descriptors));
      isDecoded = true;
      return values;
    } finally {
      // What no value refers to, nobody can close but us; and of a body that is refused there are no values.
      for (const each of this.#descriptors) if (!isDecoded || !reader.referred.has(each)) each.close();
    }
  }
}

function gone(): Error {
  return new Error('the body is gone: decode it before the first await of the handler');
}

/** Closes descriptors that nobody will see. */
export function closeAll(fds: Iterable<number>): void {
  for (const fd of fds) FileDescriptor.adopt(fd).close();
}
