/**
 * The receiving half of the seam: memory lent to the addon, and the messages of a batch, read from its rows.
 *
 * One row at a time is the *current* message, and the inbox gives access to its header fields. Most messages need
 * nothing more: a reply is decoded for the call that it answers, a signal without a listener is skipped, and no object
 * is made for either. Code that needs more calls `makeMessage()`.
 *
 * The memory belongs to the connection for one batch.
 */

import { type DBusError, LimitsExceededError } from '../../base/errors.js';
import type { Decoding } from '../../codec/decode-options.js';
import { decoderFor } from '../../codec/decoder.js';
import { Reader } from '../../codec/reader.js';
import { skipValues } from '../../codec/skip.js';
import { Column, Fault, faultOf, ROW_LENGTH } from '../../native/binding.js';
import { closeQuietly } from '../../values/held-fd.js';
import { MessageType } from '../message.js';
import { type BatchMemory, WORDS_PER_STRING } from './batch-memory.js';
import { copyBody } from './body-copies.js';
import { DescriptorLoans } from './descriptor-loans.js';
import { IncomingMessage } from './incoming-message.js';
import { LentBody } from './lent-body.js';
import { Claim, ReceivedDescriptors } from './received-descriptors.js';

/** Longer strings have an id only for their batch: `Interner::kMaxLength`. */
const KEPT_STRING_BYTES = 255;

const noFds: readonly number[] = [];

export class Inbox {
  readonly connectionId: number;
  /** The memory of the batch, and two of its members that are read for every message. */
  #memory!: BatchMemory;
  #rows!: Int32Array;
  #reader!: Reader;
  readonly #strings: (string | undefined)[] = [undefined];
  /** The ids of strings that are only for this batch. */
  #passing: number[] = [];
  readonly #hasSenders: boolean;
  /** The first column of the current row. */
  #at = 0;
  #large: ArrayBuffer | undefined;
  /** The readers of large bodies, by their memory: the next large body is often in the same memory. */
  readonly #largeReaders = new WeakMap<ArrayBuffer, Reader>();
  #lent: LentBody | undefined;
  /** The claim of the current receiver of the message, if it brought descriptors. */
  #claim: Claim | undefined;
  /** The last message object that was made of the current message. */
  #made: IncomingMessage | undefined;
  readonly #descriptorLimit: number;
  readonly #loans: DescriptorLoans;
  /** Why the current message must not be decoded, although it has no fault. */
  #refusal: DBusError | undefined;

  /**
   * @param connectionId the number of the connection in diagnostics
   * @param hasSenders whether there is a bus, which names the senders; between peers a message has none
   * @param descriptorLimit how many received descriptors may be in use at a time
   */
  constructor(connectionId: number, hasSenders: boolean, descriptorLimit: number) {
    this.connectionId = connectionId;
    this.#hasSenders = hasSenders;
    this.#descriptorLimit = descriptorLimit;
    this.#loans = new DescriptorLoans(descriptorLimit);
  }

  /** Sets the memory of the batch whose rows are read next. */
  use(memory: BatchMemory): void {
    if (memory === this.#memory) return;
    this.#memory = memory;
    this.#rows = memory.rows;
    this.#reader = memory.reader;
  }

  /** Adds the header strings that are new in a batch. Some of them may be in `large`. */
  intern(count: number, large: ArrayBuffer | undefined): void {
    if (count === 0) return;
    const { strings } = this.#memory;
    for (let at = 0; at < count * WORDS_PER_STRING; at += WORDS_PER_STRING) {
      const id = strings[at] as number;
      const offset = strings[at + 1] as number;
      const length = strings[at + 2] as number;
      const bytes = offset < 0 && large !== undefined ? Buffer.from(large) : this.#memory.bytes;
      const start = offset < 0 ? ~offset : offset;
      this.#strings[id] = bytes.toString('utf8', start, start + length);
      if (length > KEPT_STRING_BYTES) this.#passing.push(id);
    }
  }

  /** Called when all rows of the batch have been handled. Removes strings that are only for this batch. */
  endBatch(): void {
    if (this.#passing.length === 0) return;
    for (const id of this.#passing) this.#strings[id] = undefined;
    this.#passing = [];
  }

  /** Makes a row the current message. Its body is in `large` if that is given. */
  select(row: number, large: ArrayBuffer | undefined): void {
    this.#at = row * ROW_LENGTH;
    this.#large = large;
    this.#lent = undefined;
    this.#made = undefined;
    this.#refusal = this.hasDescriptors ? this.#refuseDescriptors() : undefined;
  }

  /** Whether the message brought descriptors. */
  get hasDescriptors(): boolean {
    return this.#rows[this.#at + Column.FdCount] !== 0;
  }

  get type(): MessageType {
    return this.#rows[this.#at + Column.Type] as MessageType;
  }

  get isReply(): boolean {
    const { type } = this;
    return type === MessageType.MethodReturn || type === MessageType.Error;
  }

  get flags(): number {
    return this.#rows[this.#at + Column.Flags] as number;
  }

  get serial(): number {
    return (this.#rows[this.#at + Column.Serial] as number) >>> 0;
  }

  /** 0 if the message is not a reply. */
  get replySerial(): number {
    return (this.#rows[this.#at + Column.ReplySerial] as number) >>> 0;
  }

  get path(): string | undefined {
    return this.#string(Column.Path);
  }

  get interface(): string | undefined {
    return this.#string(Column.Interface);
  }

  get member(): string | undefined {
    return this.#string(Column.Member);
  }

  get errorName(): string | undefined {
    return this.#string(Column.ErrorName);
  }

  get destination(): string | undefined {
    return this.#string(Column.Destination);
  }

  get sender(): string | undefined {
    return this.#hasSenders ? this.#string(Column.Sender) : undefined;
  }

  get signature(): string {
    return this.#string(Column.Signature) ?? '';
  }

  /** In bytes. */
  get bodyLength(): number {
    return this.#rows[this.#at + Column.BodyLength] as number;
  }

  /**
   * Whether the message cannot be used: its body does not match its signature, it is too large, or its header is
   * invalid.
   */
  get isFaulty(): boolean {
    return this.#rows[this.#at + Column.Fault] !== 0 || this.#refusal !== undefined;
  }

  /** Whether the header breaks a rule, so that it must not be acted upon. */
  get isBroken(): boolean {
    return faultOf(this.#rows[this.#at + Column.Fault] as number) === Fault.InvalidHeader;
  }

  /**
   * Whether the bus, which names the senders, named none. No code waits for a message of such a sender. A message that
   * has no destination either was not forwarded, but comes from the other end of the socket itself: xdg-dbus-proxy,
   * which acts as the bus, refuses calls that way. If the header is invalid, both fields may not have been read.
   */
  get isFromNobody(): boolean {
    if (!this.#hasSenders || this.#rows[this.#at + Column.Sender] !== 0) return false;
    return this.#rows[this.#at + Column.Destination] !== 0 || this.isBroken;
  }

  /** Why the body cannot be decoded, if so. */
  get fault(): DBusError | undefined {
    return this.isFaulty ? this.#lend().fault : undefined;
  }

  /**
   * The argument at that index, which is a string or an object path according to the signature. Nothing else is
   * decoded, and no object is made.
   *
   * @throws {@link DBusError} if the body is faulty
   */
  stringAt(index: number): string {
    if (this.isFaulty) throw this.fault;
    const reader = this.#bodyReader().open(this.#rows[this.#at + Column.BodyOffset] as number, this.bodyLength);
    if (index > 0) skipValues(reader, this.signature, index);
    // Most of these strings are names, paths and interfaces, which are repeated.
    return reader.key();
  }

  /**
   * Decodes the body of the current message.
   *
   * @throws {@link DBusError} if the body is faulty
   */
  decode(options?: Decoding): unknown[] {
    const at = this.#at;
    const isPlain =
      this.#large === undefined &&
      this.#rows[at + Column.Fault] === Fault.None &&
      this.#rows[at + Column.FdCount] === 0;
    // Most bodies are decoded once and here, so they need no object for the other cases.
    if (!isPlain || this.#lent !== undefined) {
      const lent = this.#lend();
      this.#claim ??= this.#claimOf(lent, !this.isReply, false);
      return lent.decode(options, this.#claim);
    }
    const { signature } = this;
    if (signature === '') return [];
    const offset = this.#rows[at + Column.BodyOffset] as number;
    return decoderFor(signature, options)(this.#reader.open(offset, this.#rows[at + Column.BodyLength] as number));
  }

  /** See {@link ReplyBody.copy}. */
  copy(): Reader {
    if (this.isFaulty) throw this.fault;
    const length = this.bodyLength;
    const { memory, offset } = copyBody(this.#bodyReader(), this.#rows[this.#at + Column.BodyOffset] as number, length);
    return new Reader(memory).open(offset, length);
  }

  /**
   * Announces that the next receiver of the message is the last: the descriptors that it takes need not be duplicated.
   */
  expectLastTaker(): void {
    if (this.hasDescriptors) this.#lend().descriptors?.expectLastClaim();
  }

  /** Lets the current receiver of the message keep its descriptors for any length of time. */
  keepDescriptors(): void {
    this.#claim?.keep();
  }

  /**
   * Like {@link keepDescriptors}, but the descriptors count as those of the sender until the returned function is
   * called, if there is one.
   */
  keepCountedDescriptors(): (() => void) | undefined {
    return this.#claim?.keepCounted();
  }

  /** Closes the descriptors of decoded values that are not delivered. */
  discard(): void {
    this.#claim?.close();
  }

  /**
   * Called when the receiver of the message is done. Closes the descriptors except those that it took. If it returned a
   * promise, it is done when the promise settles. A refused message lends no descriptors.
   */
  endTaking(result: unknown): void {
    if (this.#claim === undefined) return;
    this.#claim.endWith(this.isFaulty ? undefined : result);
    this.#claim = undefined;
  }

  /**
   * Called when the current message has been handled. Ends the loan of its body, and closes descriptors that no
   * receiver claimed.
   */
  release(): void {
    if (this.#lent !== undefined) this.#lent.release();
    else if (this.hasDescriptors) for (const fd of this.#fds()) closeQuietly(fd);
    this.#claim = undefined;
    this.#large = undefined;
    this.#lent = undefined;
    this.#made = undefined;
    // Tells the addon that this row was taken, in case the batch ends early.
    this.#rows[this.#at + Column.Type] = 0;
  }

  #string(column: number): string | undefined {
    return this.#strings[this.#rows[this.#at + column] as number];
  }

  #lend(): LentBody {
    this.#lent ??= new LentBody(
      this.#bodyReader(),
      this.signature,
      this.#rows[this.#at + Column.BodyOffset] as number,
      this.#rows[this.#at + Column.BodyLength] as number,
      this.hasDescriptors ? new ReceivedDescriptors(this.#fds(), this.#loans, this.sender) : undefined,
      this.#rows[this.#at + Column.Fault] as number,
      this.#refusal,
    );
    return this.#lent;
  }

  #claimOf({ descriptors }: LentBody, isLent: boolean, isShown: boolean): Claim | undefined {
    return descriptors && new Claim(descriptors, isLent, isShown);
  }

  /**
   * Returns the error for a message with too many descriptors. Only descriptors of calls and signals are counted,
   * because the receiver of a reply owns the descriptors in it.
   */
  #refuseDescriptors(): DBusError | undefined {
    const count = this.#rows[this.#at + Column.FdCount] as number;
    if (!this.isReply) {
      const refusal = this.#loans.refusal(this.sender, count);
      return refusal === undefined ? undefined : new LimitsExceededError(refusal);
    }
    if (count <= this.#descriptorLimit) return undefined;
    const limit = `limits.descriptors is ${this.#descriptorLimit}`;
    return new LimitsExceededError(`the reply has ${count} file descriptors, and ${limit}`);
  }

  #bodyReader(): Reader {
    if (this.#large === undefined) return this.#reader;
    let reader = this.#largeReaders.get(this.#large);
    if (reader === undefined) {
      reader = new Reader(this.#large);
      this.#largeReaders.set(this.#large, reader);
    }
    return reader;
  }

  #fds(): readonly number[] {
    const count = this.#rows[this.#at + Column.FdCount] as number;
    if (count === 0) return noFds;
    const offset = this.#rows[this.#at + Column.FdOffset] as number;
    return Array.from(this.#memory.fds.subarray(offset, offset + count));
  }

  /**
   * Makes an object of the current message. Each object has its own values, so changes by one receiver do not affect
   * the others.
   *
   * @param isLent whether its descriptors are on loan. By default, the caller of a method owns those of the reply, and
   *   those of other messages are on loan
   */
  makeMessage(isLent = !this.isReply): IncomingMessage {
    const lent = this.#lend();
    this.#claim = lent.descriptors === undefined ? undefined : this.#claimOf(lent, isLent, true);
    // Reads the columns directly: with the getters above, the function would be too large for the compiler to inline.
    const rows = this.#rows;
    const strings = this.#strings;
    const at = this.#at;
    const replySerial = (rows[at + Column.ReplySerial] as number) >>> 0;
    this.#made = new IncomingMessage(
      {
        type: rows[at + Column.Type] as MessageType,
        flags: rows[at + Column.Flags] as number,
        serial: (rows[at + Column.Serial] as number) >>> 0,
        replySerial: replySerial === 0 ? undefined : replySerial,
        path: strings[rows[at + Column.Path] as number],
        interface: strings[rows[at + Column.Interface] as number],
        member: strings[rows[at + Column.Member] as number],
        errorName: strings[rows[at + Column.ErrorName] as number],
        destination: strings[rows[at + Column.Destination] as number],
        sender: this.sender,
        signature: this.signature,
      },
      lent,
      this.#claim,
    );
    return this.#made;
  }

  /**
   * The current message, a reply, for a caller that keeps it. Its body can be decoded at any time, and the caller owns
   * its descriptors.
   */
  toKeep(): IncomingMessage {
    const message = this.makeMessage(false).keepForGood();
    // The descriptors are held from now on: when the body is decoded, the message has already been handled.
    void this.#claim?.descriptors;
    return message;
  }

  /**
   * The current message for the code that answers it, which decodes the body itself. Without descriptors, of which each
   * receiver has its own, it may be the object that a message handler received.
   */
  messageToAnswer(): IncomingMessage {
    return this.#made === undefined || this.hasDescriptors ? this.makeMessage() : this.#made;
  }
}
