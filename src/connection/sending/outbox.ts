/**
 * The sending half of the seam: messages are marshalled into one arena and sent together.
 *
 * The first message of an idle connection is sent immediately, so that a lone call has the least latency. While a
 * connection is busy, and for the rest of the tick, messages are gathered. They are sent at the end of the tick, or when
 * there are enough bytes. A message with descriptors is sent alone: other implementations attribute descriptors to the
 * bytes with which they arrive.
 *
 * Code of the program runs within this module where values are read, and where it is informed about refused messages.
 * Messages that it sends while a value is read are refused. It is informed only when no operation is unfinished, so
 * that it may send then.
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
import { sendFrom } from './lent-memory.js';
import { marshalMessage } from './marshal.js';
import type { Unwritten } from './unwritten.js';

const GATHER_BYTES = 32 * 1024;
/** A message of this length, or with descriptors, may exceed a limit of a bus. */
const SUSPECT_BYTES = 64 * 1024;
/** By the time a bus hangs up, this many messages may have been sent after the one that caused it. */
const SUSPECT_MESSAGES = 64;

/**
 * The urgency of a message in the queue: how many bytes may be queued before it is refused, and whether reading pauses
 * because of it.
 */
export const Urgency = {
  /** A message of the program, which can wait. */
  Own: 0,
  /** A message of an exported object. The sender has already checked whether too much is queued. */
  Told: 1,
  /** A message that a peer waits for, or one from which peers know the current state. */
  Answer: 2,
  /** A message that replaces an answer. */
  Refusal: 3,
} as const;
export type Urgency = (typeof Urgency)[keyof typeof Urgency];

/** A call that a message answers, and its caller. */
export interface Answered {
  readonly replySerial: number;
  readonly destination: string | undefined;
}

/** A message that was marshalled before others that have to be sent first. */
export interface MarshalledMessage {
  readonly head: MessageHead;
  readonly urgency: Urgency;
  readonly bytes: Uint8Array;
  readonly fds: readonly OutgoingFd[];
  readonly bodyLength: number;
}

/** A message that the addon refused. */
export interface RefusedMessage extends Answered {
  readonly serial: number;
  readonly errno: number;
}

export interface OutboxOptions {
  /** Bytes that may be queued before messages of the program are refused. */
  readonly limit: number;
  /** File descriptors that one message may carry. */
  readonly descriptors: number;
  /** Whether a message may carry descriptors that no value refers to: sd-bus makes messages of values. */
  readonly attaches: boolean;
  /** Containers that may be nested in the values of a message. */
  readonly depth: number;
  readonly pressure: BackPressure;
  /** Told when bytes begin to be queued in the addon, and when none are queued any more. */
  readonly unwritten: Pick<Unwritten, 'begin' | 'end'>;
  /** Whether no other call waits. A call that is being sent and waits for its reply is not counted. */
  readonly isIdle: (isAwaited: boolean) => boolean;
  /** Called with a refused message, when it may send again. */
  readonly onRefused: (refused: RefusedMessage) => void;
  /** Writes everything, because the process exits and there is no later tick. */
  readonly flushNow: () => void;
}

export class Outbox {
  /** Whether the other side agreed to pass file descriptors; known when the connection is open. */
  canSendFds = false;
  /** The number of the connection at the addon; 0 if it has none. */
  number = 0;
  /** The number of messages sent and of the bytes of their bodies, for statistics. */
  messages = 0;
  bodyBytes = 0;

  readonly #native: NativeConnection;
  readonly #options: OutboxOptions;
  readonly #pressure: BackPressure;
  readonly #writer: Writer;
  /** The last message with descriptors, and what it answers. */
  #carrier: ({ readonly serial: number } & Answered) | undefined;
  #gathers = false;
  /** Whether a message is being marshalled: messages that its values send when they are read must not get into it. */
  #marshals = false;
  /** Whether the writer's bytes are being passed to the addon: messages refused meanwhile are reported later. */
  #handsOver = false;
  readonly #refused: RefusedMessage[] = [];
  #flushScheduled = false;
  /** The last message because of which a bus may hang up, and the number of messages before it. */
  #suspect: (Suspect & { readonly before: number }) | undefined;
  /** Bytes of the messages in the writer, and bytes of answers among them. */
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

  /** A recent message that may be the reason why the other side hung up. */
  get suspect(): Suspect | undefined {
    const suspect = this.#suspect;
    return suspect !== undefined && this.messages - suspect.before <= SUSPECT_MESSAGES ? suspect : undefined;
  }

  /** Whether a message is being marshalled. */
  get isMarshalling(): boolean {
    return this.#marshals;
  }

  /** Bytes that are queued here or in the addon. */
  get queuedBytes(): number {
    return this.#queued + this.#writer.position;
  }

  /** The least number of queued bytes that are not answers. */
  get ownBytes(): number {
    return this.queuedBytes - this.#gatheredAnswers - this.#pressure.answers;
  }

  /**
   * Marshals a message and arranges for it to be sent.
   *
   * @param isAwaited whether it is a call that already waits for its reply
   * @returns the length of its body
   * @throws {@link InvalidArgumentError} for an invalid header or value; nothing is sent then
   * @throws {@link BackpressureError} if too many bytes are already queued
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

  /** Arranges for the last message to be sent. */
  #leave(bodyLength: number, isAwaited: boolean): void {
    this.messages++;
    this.bodyBytes += bodyLength;
    if (this.#writer.position >= GATHER_BYTES) this.#write();
    if (this.#gathers) return;
    if (!this.#flushScheduled && this.#options.isIdle(isAwaited)) {
      this.#write();
      // The next message sees that this call waits, and is gathered. So no flush needs to be scheduled now.
      if (isAwaited) return;
    }
    this.#scheduleFlush();
  }

  /**
   * Marshals a message that has to be sent after others. {@link pushMarshalled} sends it.
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

  /** Arranges for a call to be sent that was marshalled before and already waits for its reply. */
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
    throw new NotSupportedError("the transport 'sd-bus' can send file descriptors in values only");
  }

  #requireTurn(): void {
    if (this.#marshals)
      throw new InvalidArgumentError('a getter of a value that is being encoded must not send messages');
  }

  /** Over the limit, the kernel may still accept the gathered bytes, so they are written first. */
  #requireRoom(urgency: Urgency): void {
    if (urgency === Urgency.Told || urgency === Urgency.Refusal) return;
    this.#write();
    const factor = urgency === Urgency.Own ? 1 : ANSWERS_FACTOR;
    if (this.#queued <= this.#options.limit * factor) return;
    throw new BackpressureError(`${this.#queued} bytes wait to be written: await bus.flush() before sending more`);
  }

  /**
   * The call that a message with descriptors answers, if any. Such a message may be refused for lack of descriptors,
   * and not every transport then reports its destination.
   */
  answeredBy(serial: number): Answered | undefined {
    const carrier = this.#carrier;
    return carrier?.serial === serial && carrier.replySerial > 0 ? carrier : undefined;
  }

  /** Called when the addon refuses a message. */
  refuse(refused: RefusedMessage): void {
    this.#refused.push(refused);
    if (!this.#handsOver) this.#tellRefused();
  }

  #tellRefused(): void {
    for (let next = this.#refused.shift(); next !== undefined; next = this.#refused.shift()) {
      this.#options.onRefused(next);
    }
  }

  /** Keeps messages until the next `flush`, so that the answers to a batch of messages are sent together. */
  gather(): void {
    this.#gathers = true;
  }

  /** Called when the process exits: further messages are written immediately, because there is no other tick. */
  writeThrough(): void {
    this.#flushScheduled = false;
    this.flush();
  }

  /** Passes everything that was gathered to the addon. */
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

  /** Passes the gathered messages to the addon, then the message with descriptors, which is the last in the writer. */
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
      // The addon duplicated the descriptors, so those that were handed over have to be closed here.
      closeAll(owned);
    }
    if (this.#refused.length > 0) this.#tellRefused();
  }

  #send(bytes: Uint8Array, end: number, fds: Int32Array | undefined, length: number, answers: number): void {
    const waiting =
      fds === undefined ? sendFrom(this.#native, this.number, bytes, end) : this.#native.send(bytes, end, fds);
    // The number is also 0 when the connection has broken and the queued bytes are lost. Only `onDrain` tells that they
    // were written.
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

  /** Resolves when the kernel has taken everything; rejects with the reason if it never will. */
  drained(): Promise<void> {
    this.flush();
    if (this.#queued === 0) return Promise.resolve();
    this.#drained ??= new Drained();
    return this.#drained.promise;
  }

  /** Bytes that are queued in the addon, according to the addon. */
  waiting(): number {
    return this.#native.send(this.#writer.bytes, 0, undefined);
  }

  /**
   * Called when the addon has written everything, or enough to resume reading. More may have been sent in the meantime.
   */
  onDrain(): void {
    this.#queued = this.waiting();
    this.#pressure.update(this.#queued);
    if (this.#queued > 0) return;
    this.#options.unwritten.end();
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /**
   * Called when the connection has ended, with the reason if it was lost. Returns the number of bytes that will never
   * be written. It is the largest possible number: the addon may have written more.
   */
  end(reason?: DBusError): number {
    const { queuedBytes } = this;
    this.#queued = 0;
    this.#options.unwritten.end();
    if (queuedBytes === 0) this.#drained?.resolve();
    else
      this.#drained?.reject(
        reason ?? new ConnectionClosedError('the connection was closed before everything was written'),
      );
    this.#drained = undefined;
    this.#pressure.end();
    this.#writer.reset();
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

  /** Counts the last message in the writer as sent. A message with descriptors is passed to the addon immediately. */
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

/** A promise that resolves when everything is written. */
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
