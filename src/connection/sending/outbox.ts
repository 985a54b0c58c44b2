/**
 * The sending half of the seam: messages are marshalled into one arena and leave together.
 *
 * The first message of an idle connection leaves at once, so that a lone call has the least latency. While a connection
 * is busy, and for the rest of the turn, messages are gathered; they leave on the next tick, or when enough has come
 * together. A message with descriptors
 * leaves alone: other implementations attribute descriptors to the bytes that they arrive with.
 *
 * Code of the user's runs in here where values are looked at, and where it hears of what was refused. What the former sends is
 * refused; the latter is told when nothing is half done any more, and may send.
 */

import {
  BackpressureError,
  ConnectionClosedError,
  type DBusError,
  InvalidArgumentError,
  NotSupportedError,
} from '../../base/errors.js';
import { type OutgoingFd, Writer } from '../../codec/writer.js';
import type { NativeConnection } from '../../native/binding.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import { isExiting } from '../ending/exit.js';
import type { Suspect } from '../errno.js';
import type { MessageHead } from '../message.js';
import { ANSWERS_FACTOR, type BackPressure } from './back-pressure.js';
import { patchSerial } from './header.js';
import { marshalMessage } from './marshal.js';
import type { Unwritten } from './unwritten.js';

const GATHER_BYTES = 32 * 1024;
/** A message of this length, or with descriptors, may exceed a limit of a bus. */
const SUSPECT_BYTES = 64 * 1024;
/** As many messages may have been sent behind it by the time a bus hangs up. */
const SUSPECT_MESSAGES = 64;

/** What a message is to the queue: how much may wait before it is refused, and whether reading pauses because of it. */
export const Urgency = {
  /** What the program sends, which can wait. */
  Own: 0,
  /** What an exported object tells. Whether that is too much, the caller has asked already. */
  Told: 1,
  /** What somebody waits for, or what others believe to be the state of things. */
  Answer: 2,
  /** That an answer is not given. */
  Refusal: 3,
} as const;
export type Urgency = (typeof Urgency)[keyof typeof Urgency];

/** A call that a message answers, and who made it. */
export interface Answered {
  readonly replySerial: number;
  readonly destination: string | undefined;
}

/** A message that was marshalled before others that have to go first. */
export interface MarshalledMessage {
  readonly head: MessageHead;
  readonly urgency: Urgency;
  readonly bytes: Uint8Array;
  readonly fds: readonly OutgoingFd[];
  readonly bodyLength: number;
}

/** A message that the addon did not take. */
export interface RefusedMessage extends Answered {
  readonly serial: number;
  readonly errno: number;
}

export interface OutboxOptions {
  /** Bytes that may wait before what the program sends is refused. */
  readonly limit: number;
  /** File descriptors that one message may carry. */
  readonly descriptors: number;
  /** Whether they may be carried besides those that values refer to: sd-bus makes messages of values. */
  readonly attaches: boolean;
  /** Containers that may be within one another in its values. */
  readonly depth: number;
  readonly pressure: BackPressure;
  /** Is told when something begins to wait in the addon, and when nothing does any more. */
  readonly unwritten: Pick<Unwritten, 'begin' | 'end'>;
  /** Whether no call waits but the one that is being sent, if it is one that waits. */
  readonly isIdle: (isAwaited: boolean) => boolean;
  /** Hears of what was not taken, when it may send again. */
  readonly onRefused: (refused: RefusedMessage) => void;
  /** Writes everything, because the process exits and no later turn comes. */
  readonly flushNow: () => void;
}

export class Outbox {
  /** Whether the other side agreed to pass file descriptors; known when the connection is open. */
  canSendFds = false;
  /** Messages that were taken, and the bytes of their bodies: counted, and looked at by who wants statistics. */
  messages = 0;
  bodyBytes = 0;

  readonly #native: NativeConnection;
  readonly #options: OutboxOptions;
  readonly #pressure: BackPressure;
  readonly #writer: Writer;
  /** The last message with descriptors, and what it answers. */
  #carrier: ({ readonly serial: number } & Answered) | undefined;
  #gathers = false;
  /** Whether a message is being written: what its values do when they are looked at must not get into it. */
  #marshals = false;
  /** Whether the writer's bytes are being handed over: what is refused meanwhile is told of later. */
  #handsOver = false;
  readonly #refused: RefusedMessage[] = [];
  #flushScheduled = false;
  /** The last message that a bus may hang up for, and the number of messages before it. */
  #suspect: (Suspect & { readonly before: number }) | undefined;
  /** Bytes of the messages in the writer, and those of answers among them. */
  #gathered = 0;
  #gatheredAnswers = 0;
  #queued = 0;
  #drained: Drained | undefined;

  constructor(native: NativeConnection, options: OutboxOptions) {
    this.#native = native;
    this.#options = options;
    this.#writer = new Writer(options.depth);
    this.#pressure = options.pressure;
  }

  get #fdsMaximum(): number {
    return this.canSendFds ? this.#options.descriptors : 0;
  }

  /** What was sent lately that may be why the other side hung up. */
  get suspect(): Suspect | undefined {
    const suspect = this.#suspect;
    return suspect !== undefined && this.messages - suspect.before <= SUSPECT_MESSAGES ? suspect : undefined;
  }

  /** Whether a message is being written. */
  get isMarshalling(): boolean {
    return this.#marshals;
  }

  /** Bytes that wait here or in the addon. */
  get queuedBytes(): number {
    return this.#queued + this.#writer.position;
  }

  /** Those of them that are no answers, at least. */
  get ownBytes(): number {
    return this.queuedBytes - this.#gatheredAnswers - this.#pressure.answers;
  }

  /**
   * Marshals a message and sees to it that it leaves.
   *
   * @param isAwaited whether it is a call that waits for its reply already
   * @returns the length of its body
   * @throws {@link InvalidArgumentError} for a header or a value that is not valid; nothing is sent then
   * @throws {@link BackpressureError} if too much waits to be written already
   */
  push(
    head: MessageHead,
    body: readonly unknown[],
    serial: number,
    replySerial: number,
    urgency: Urgency,
    isAwaited = false,
  ): number {
    this.#requireTurn();
    if (this.#queued + this.#writer.position > this.#options.limit) this.#requireRoom(urgency);
    const bodyLength = this.#marshal(head, body, serial, replySerial, urgency >= Urgency.Answer);
    this.#leave(bodyLength, isAwaited);
    return bodyLength;
  }

  /** Sees to it that the message that was taken last leaves. */
  #leave(bodyLength: number, isAwaited: boolean): void {
    this.messages++;
    this.bodyBytes += bodyLength;
    if (this.#writer.position >= GATHER_BYTES) this.#write();
    if (this.#gathers) return;
    if (!this.#flushScheduled && this.#options.isIdle(isAwaited)) {
      this.#write();
      // What is sent next sees that this call waits, and is gathered without a tick that nothing else needs.
      if (isAwaited) return;
    }
    this.#scheduleFlush();
  }

  /**
   * Marshals a message that others have to go before. It is on its way when it is pushed by {@link pushMarshalled}.
   *
   * @throws as {@link push} does
   */
  marshal(head: MessageHead, body: readonly unknown[], urgency: Urgency): MarshalledMessage {
    this.#requireTurn();
    if (this.queuedBytes > this.#options.limit) this.#requireRoom(urgency);
    const writer = new Writer(this.#options.depth);
    this.#requireAttachable(head);
    this.#marshals = true;
    try {
      const bodyLength = marshalMessage(writer, head, body, 0, 0, this.#fdsMaximum);
      const bytes = writer.bytes.subarray(0, writer.position);
      return { head, urgency, bytes, fds: writer.fds, bodyLength };
    } finally {
      this.#marshals = false;
    }
  }

  /** Sees to it that a call leaves that was marshalled before, and waits for its reply already. */
  pushMarshalled({ head, urgency, bytes, fds, bodyLength }: MarshalledMessage, serial: number): void {
    this.#requireTurn();
    const writer = this.#writer;
    const start = writer.beginMessage();
    writer.copy(bytes);
    patchSerial(writer, start, serial);
    writer.fds.push(...fds);
    this.#take(start, head, serial, 0, urgency >= Urgency.Answer);
    this.#leave(bodyLength, true);
  }

  #requireAttachable({ fileDescriptors }: MessageHead): void {
    if (fileDescriptors === undefined || this.#options.attaches) return;
    throw new NotSupportedError('the transport sd-bus sends no file descriptors but those in values');
  }

  #requireTurn(): void {
    if (this.#marshals) throw new InvalidArgumentError('a value that is being sent must not send when it is looked at');
  }

  /** Over the limit, what is gathered here may be what the kernel takes at once. */
  #requireRoom(urgency: Urgency): void {
    if (urgency === Urgency.Told || urgency === Urgency.Refusal) return;
    this.#write();
    const factor = urgency === Urgency.Own ? 1 : ANSWERS_FACTOR;
    if (this.#queued <= this.#options.limit * factor) return;
    throw new BackpressureError(`${this.#queued} bytes wait to be written: await bus.flush() before sending more`);
  }

  /**
   * What a message with descriptors answers, if it answers anything. For want of descriptors it may be refused, and not
   * every transport tells then whom it was for.
   */
  answeredBy(serial: number): Answered | undefined {
    const carrier = this.#carrier;
    return carrier?.serial === serial && carrier.replySerial > 0 ? carrier : undefined;
  }

  /** The addon does not take a message. */
  refuse(refused: RefusedMessage): void {
    this.#refused.push(refused);
    if (!this.#handsOver) this.#tellRefused();
  }

  #tellRefused(): void {
    for (let next = this.#refused.shift(); next !== undefined; next = this.#refused.shift()) {
      this.#options.onRefused(next);
    }
  }

  /** Keeps what is pushed until the next `flush`, which spares what answers a batch of messages a tick of its own. */
  gather(): void {
    this.#gathers = true;
  }

  /** The process exits: what is pushed from now on is written at once, because no tick comes any more. */
  writeThrough(): void {
    this.#flushScheduled = false;
    this.flush();
  }

  /** Hands everything that was gathered to the addon. */
  flush(): void {
    if (this.#marshals) return;
    this.#gathers = false;
    this.#write();
  }

  #write(): void {
    const writer = this.#writer;
    if (writer.position === 0 || this.#handsOver) return;
    const [gathered, answers] = [this.#gathered, this.#gatheredAnswers];
    this.#handsOver = true;
    try {
      this.#send(writer.bytes, writer.position, undefined, gathered, answers);
    } finally {
      this.#empty();
    }
    if (this.#refused.length > 0) this.#tellRefused();
  }

  /** Hands over what was gathered, and then the message with descriptors that is the last in the writer. */
  #writeCarrier(start: number, isAnswer: boolean): void {
    const writer = this.#writer;
    const length = writer.position - start;
    const numbers = Int32Array.from(writer.fds, ({ fd }) => fd);
    const owned = writer.fds.map((fd) => fd.owned).filter((each) => each !== undefined);
    this.#handsOver = true;
    try {
      if (start > 0) this.#send(writer.bytes, start, undefined, this.#gathered, this.#gatheredAnswers);
      this.#send(writer.bytes.subarray(start), length, numbers, length, isAnswer ? length : 0);
    } finally {
      this.#empty();
      // The addon duplicated the descriptors: those that were handed over are ours to close.
      closeAll(owned);
    }
    if (this.#refused.length > 0) this.#tellRefused();
  }

  #send(bytes: Uint8Array, end: number, fds: Int32Array | undefined, length: number, answers: number): void {
    const waiting = this.#native.send(bytes, end, fds);
    // Nothing waits any more also when the connection has broken, and then what waited is lost: only `onDrain` tells.
    if (waiting > 0 || this.#queued > 0) this.#pressure.handedOver(length, answers, waiting);
    if (waiting > 0 && this.#queued === 0) this.#options.unwritten.begin();
    this.#queued = waiting || this.#queued;
  }

  #empty(): void {
    this.#writer.reset();
    this.#gathered = 0;
    this.#gatheredAnswers = 0;
    this.#handsOver = false;
  }

  /** Settles when the kernel has taken everything; rejects with the reason for which it never will. */
  drained(): Promise<void> {
    this.flush();
    if (this.#queued === 0) return Promise.resolve();
    this.#drained ??= new Drained();
    return this.#drained.promise;
  }

  /** Bytes that wait in the addon, as it says. */
  waiting(): number {
    return this.#native.send(this.#writer.bytes, 0, undefined);
  }

  /** The addon has written everything, unless more was sent while it was about to say so; or as much as was asked for. */
  onDrain(): void {
    this.#queued = this.waiting();
    this.#pressure.update(this.#queued);
    if (this.#queued > 0) return;
    this.#options.unwritten.end();
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /**
   * The connection is over, for this reason if it was lost. Returns how many bytes were taken and never will be written: at
   * most, the addon may have come further.
   */
  end(reason?: DBusError): number {
    const { queuedBytes } = this;
    this.#queued = 0;
    this.#options.unwritten.end();
    if (queuedBytes === 0) this.#drained?.resolve();
    else this.#drained?.reject(reason ?? new ConnectionClosedError('it was closed before everything was written'));
    this.#drained = undefined;
    this.#pressure.end();
    this.#writer.release();
    return queuedBytes;
  }

  /** Returns the length of the body. */
  #marshal(
    head: MessageHead,
    body: readonly unknown[],
    serial: number,
    replySerial: number,
    isAnswer: boolean,
  ): number {
    const writer = this.#writer;
    const mark = writer.position;
    let bodyLength: number;
    this.#requireAttachable(head);
    this.#marshals = true;
    try {
      bodyLength = marshalMessage(writer, head, body, serial, replySerial, this.#fdsMaximum);
    } catch (error) {
      writer.rewind(mark, 0);
      throw error;
    } finally {
      this.#marshals = false;
    }
    this.#take(aligned(mark), head, serial, replySerial, isAnswer);
    return bodyLength;
  }

  /** The last message in the writer is to be sent. One with descriptors is handed over at once. */
  #take(start: number, head: MessageHead, serial: number, replySerial: number, isAnswer: boolean): void {
    const writer = this.#writer;
    const length = writer.position - start;
    const descriptors = writer.fds.length;
    if (length >= SUSPECT_BYTES || descriptors > 0) {
      this.#suspect = { length, descriptors, before: this.messages };
    }
    if (descriptors > 0) {
      this.#carrier = { serial, replySerial, destination: head.destination };
      this.#writeCarrier(start, isAnswer);
      return;
    }
    this.#gathered += length;
    if (isAnswer) this.#gatheredAnswers += length;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    if (isExiting()) {
      this.#options.flushNow();
      return;
    }
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }
}

/** That everything is written, for those who wait for it. */
class Drained {
  resolve!: () => void;
  reject!: (reason: unknown) => void;
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

function closeAll(descriptors: readonly FileDescriptor[]): void {
  for (const descriptor of descriptors) descriptor.close();
}

/** Where the message begins that was written at this position. */
function aligned(position: number): number {
  return (position + 7) & ~7;
}
