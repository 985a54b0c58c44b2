/** A received message. Its header is available immediately; its values are decoded when they are first read. */
import type { DBusError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import type { DecodeOptions } from '../../codec/decode-options.js';
import { decodeTable } from '../../codec/decoder.js';
import type { Reader } from '../../codec/reader.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import { type Message, MessageFlag, MessageType } from '../message.js';
import { messageBytes } from '../sending/header.js';
import type { LentBody } from './lent-body.js';
import type { Claim } from './received-descriptors.js';

const decodeOptions = new KnownOptions<DecodeOptions>('decode()', decodeTable);
const noDescriptors: readonly FileDescriptor[] = Object.freeze([]);

/** A received message that is being handled. It stays valid; its body can be decoded as long as its bytes are lent. */
export class IncomingMessage implements Message {
  readonly type: MessageType;
  readonly flags: number;
  readonly serial: number;
  readonly replySerial: number | undefined;
  readonly path: string | undefined;
  readonly interface: string | undefined;
  readonly member: string | undefined;
  readonly errorName: string | undefined;
  readonly destination: string | undefined;
  readonly sender: string | undefined;
  readonly signature: string;
  readonly #lent: LentBody;
  readonly #claim: Claim | undefined;
  #body: readonly unknown[] | undefined;
  #isKept = false;
  #isKeptForGood = false;

  /** @param claim the claim to the descriptors of the message, if it has any */
  constructor(header: Omit<Message, 'body' | 'fileDescriptors' | 'decode'>, lent: LentBody, claim: Claim | undefined) {
    this.type = header.type;
    this.flags = header.flags;
    this.serial = header.serial;
    this.replySerial = header.replySerial;
    this.path = header.path;
    this.interface = header.interface;
    this.member = header.member;
    this.errorName = header.errorName;
    this.destination = header.destination;
    this.sender = header.sender;
    this.signature = header.signature;
    this.#lent = lent;
    this.#claim = claim;
  }

  get expectsReply(): boolean {
    return this.type === MessageType.MethodCall && (this.flags & MessageFlag.NoReplyExpected) === 0;
  }

  /** Why the body cannot be decoded, if so. */
  get fault(): DBusError | undefined {
    return this.#lent.fault;
  }

  get body(): readonly unknown[] {
    this.#body ??= this.#isKept && !this.#isKeptForGood ? this.#lent.decodeKept(undefined, this.#claim) : this.decode();
    return this.#body;
  }

  get fileDescriptors(): readonly FileDescriptor[] {
    return this.#claim === undefined || this.fault !== undefined ? noDescriptors : this.#claim.descriptors;
  }

  /** Called when the program gets this message. It may keep the message and read the body later. */
  keep(): this {
    this.#isKept = true;
    this.#lent.keep();
    return this;
  }

  /**
   * Like {@link keep}, for a message that has a single receiver: the body can be decoded at any time, and several
   * times.
   */
  keepForGood(): this {
    this.#isKeptForGood = true;
    return this.keep();
  }

  decode(options?: DecodeOptions): unknown[] {
    if (options !== undefined) decodeOptions.check(options);
    if (this.#isKeptForGood) return this.#lent.decodeAnyTime(options, this.#claim);
    return this.#lent.decode(options, this.#claim);
  }

  /** The length of the body in bytes; 0 if the message is faulty. */
  get bodyLength(): number {
    return this.#lent.length;
  }

  /**
   * The whole message in bytes, of a message that is kept permanently, after it was handled.
   *
   * @param descriptors how many it brought
   */
  toBytes(descriptors: number): Uint8Array {
    return messageBytes(this, this.#lent.keptBytes, descriptors);
  }

  /** Returns a function that decodes the body of a kept message, at any time. */
  bodyLater(options: DecodeOptions): () => readonly unknown[] {
    let body: readonly unknown[] | undefined;
    return () => {
      body ??= this.#lent.decodeKept(options, this.#claim);
      return body;
    };
  }

  /**
   * Returns a reader at the beginning of the body. With it, code can decide from the first values whether it needs the
   * rest.
   *
   * @throws {@link DBusError} if the body is faulty
   */
  peek(): Reader {
    return this.#lent.peek();
  }

  /** Called when the message has been handled. Closes its descriptors except those that were taken. */
  endLoan(): void {
    this.#claim?.end();
  }
}
