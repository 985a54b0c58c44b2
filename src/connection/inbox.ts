/**
 * The receiving half of the seam: memory lent to the addon, and the messages of a batch read back from its rows.
 *
 * One row at a time is the *current* message, and the inbox shows its header fields. Most messages are done with by
 * then: a reply is decoded for the call that it answers, a signal that nobody listens to is passed over, and no object
 * is made for either. Who wants more takes `message()`.
 *
 * The memory belongs to the connection for its whole life.
 */
import { type DecodeOptions, decoderFor } from '../codec/decoder.js';
import { Reader } from '../codec/reader.js';
import { skipValues } from '../codec/skip.js';
import type { DBusError } from '../errors.js';
import { Column, Fault, type InboxMemory, ROW_LENGTH } from '../native/binding.js';
import { parseSignature } from '../signature/parse.js';
import { closeAll, LentBody } from './lent-body.js';
import { IncomingMessage, MessageType } from './message.js';

const ARENA_BYTES = 256 * 1024;
const ROWS = 256;
const STRINGS = 2048;
/** sd-bus takes up to 1024 descriptors with a message; the kernel carries at most 253 in one go. */
const FDS = 1024;

const WORDS_PER_STRING = 3;

const noFds: readonly number[] = [];

export class Inbox {
  readonly memory: InboxMemory = {
    arena: new ArrayBuffer(ARENA_BYTES),
    rows: new Int32Array(ROWS * ROW_LENGTH),
    strings: new Int32Array(STRINGS * WORDS_PER_STRING),
    fds: new Int32Array(FDS),
  };
  readonly connectionId: number;
  readonly #rows = this.memory.rows;
  readonly #bytes = Buffer.from(this.memory.arena);
  readonly #reader = new Reader(this.memory.arena);
  readonly #strings: (string | undefined)[] = [undefined];
  readonly #hasSenders: boolean;
  /** The first column of the current row. */
  #at = 0;
  #large: ArrayBuffer | undefined;
  /** Those of large bodies, by their memory: the next one is often in the same. */
  readonly #largeReaders = new WeakMap<ArrayBuffer, Reader>();
  #lent: LentBody | undefined;

  /**
   * @param connectionId the number by which diagnostics call the connection
   * @param hasSenders whether there is a bus that vouches for senders; between peers a message has none
   */
  constructor(connectionId: number, hasSenders: boolean) {
    this.connectionId = connectionId;
    this.#hasSenders = hasSenders;
  }

  /** Learns the header strings that are new in a batch. */
  intern(count: number): void {
    const { strings } = this.memory;
    for (let at = 0; at < count * WORDS_PER_STRING; at += WORDS_PER_STRING) {
      const offset = strings[at + 1] as number;
      this.#strings[strings[at] as number] = this.#bytes.toString('utf8', offset, offset + (strings[at + 2] as number));
    }
  }

  /** Makes a row the current message. Its body is in `large` where that is given. */
  select(row: number, large: ArrayBuffer | undefined): void {
    this.#at = row * ROW_LENGTH;
    this.#large = large;
    this.#lent = undefined;
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

  /** 0 where the message answers nothing. */
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

  /** Whether the body is other than its signature says. */
  get isFaulty(): boolean {
    return this.#rows[this.#at + Column.Fault] !== 0;
  }

  /** Why the body cannot be decoded, if it cannot. */
  get fault(): DBusError | undefined {
    return this.isFaulty ? this.#lend().fault : undefined;
  }

  /**
   * The argument at that index, which the signature says is a string or an object path. Nothing else is decoded, and no
   * object is made.
   *
   * @throws {@link DBusError} where the body is faulty
   */
  stringAt(index: number): string {
    if (this.isFaulty) throw this.fault;
    const reader = this.#bodyReader().open(this.#rows[this.#at + Column.BodyOffset] as number, this.bodyLength);
    if (index > 0) skipValues(reader, parseSignature(this.signature), index);
    // Names, paths and interfaces, most of them: they come again.
    return reader.key();
  }

  /**
   * Decodes the current message's body.
   *
   * @throws {@link DBusError} where the body is faulty
   */
  decode(options?: DecodeOptions): unknown[] {
    const at = this.#at;
    const isPlain =
      this.#large === undefined &&
      this.#rows[at + Column.Fault] === Fault.None &&
      this.#rows[at + Column.FdCount] === 0;
    // Most bodies are decoded once and here: they need no object that knows what else there may be to a body.
    if (!isPlain || this.#lent !== undefined) return this.#lend().decode(options);
    const { signature } = this;
    if (signature === '') return [];
    const offset = this.#rows[at + Column.BodyOffset] as number;
    return decoderFor(signature, options)(this.#reader.open(offset, this.#rows[at + Column.BodyLength] as number));
  }

  /** Closes the descriptors of what was decoded, unless somebody got it already. */
  discard(): void {
    this.#lent?.discard();
  }

  /** The current message has been handled: its body is no longer lent, its unwanted descriptors are closed. */
  release(): void {
    if (this.#lent !== undefined) this.#lent.release();
    else if (this.#rows[this.#at + Column.FdCount] !== 0) closeAll(this.#fds());
    this.#large = undefined;
    this.#lent = undefined;
    // Tells the addon that this row was taken, should the batch end before its time.
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
      this.#fds(),
      this.#rows[this.#at + Column.Fault] as number,
    );
    return this.#lent;
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
    return Array.from(this.memory.fds.subarray(offset, offset + count));
  }

  /** The current message as an object. Each has its own values, so that what one does with them is not the others' business. */
  makeMessage(): IncomingMessage {
    const {
      type,
      flags,
      serial,
      replySerial,
      path,
      interface: interfaceName,
      member,
      errorName,
      destination,
      sender,
      signature,
    } = this;
    return new IncomingMessage(
      {
        type,
        flags,
        serial,
        replySerial: replySerial === 0 ? undefined : replySerial,
        path,
        interface: interfaceName,
        member,
        errorName,
        destination,
        sender,
        signature,
      },
      this.#lend(),
    );
  }
}
