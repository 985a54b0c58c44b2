/**
 * Sends the messages of a connection: it numbers them, and refuses some of them if too many bytes are queued. If the
 * addon refuses a message later, this module informs the call or the caller that waits for it.
 */
import { constants } from 'node:os';
import {
  BackpressureError,
  type DBusError,
  InvalidArgumentError,
  LimitsExceededError,
  NotSupportedError,
} from '../../base/errors.js';
import { report } from '../../diagnostics/problems.js';
import type { TransportKind } from '../../native/binding.js';
import { refusalOf } from '../errno.js';
import type { Lifecycle } from '../lifecycle.js';
import { describeMessage, type MessageHead, MessageType } from '../message.js';
import { publishSent, watchesMessages } from '../message-events.js';
import { ANSWERS_FACTOR } from './back-pressure.js';
import { type Answered, type MarshalledMessage, type Outbox, type RefusedMessage, Urgency } from './outbox.js';
import type { PendingCalls } from './pending-calls.js';

/** The number of answers to refused replies that are remembered. If such an answer is refused, that happens soon. */
const ANSWERS_REFUSED_MAXIMUM = 1024;

export interface SenderOptions {
  /** The number of the connection in diagnostics. */
  readonly id: number;
  /** Whether the other side is a peer, and not a bus. */
  readonly isPeer: boolean;
  readonly transport: TransportKind;
  /** Bytes that may be queued before messages of the program are refused. */
  readonly limit: number;
  readonly life: Lifecycle;
  readonly outbox: Outbox;
  readonly pending: PendingCalls;
  /** Ends the connection for a reason on this side. */
  readonly fail: (reason: DBusError) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #id: number;
  readonly #life: Lifecycle;
  readonly #outbox: Outbox;
  #serial = 0;
  /** Serials that were reserved for messages that have not been sent yet. */
  readonly #reserved = new Set<number>();
  /**
   * The serials of answers to refused replies. If one of them is refused as well, nothing can be sent to its caller.
   */
  readonly #answersRefused = new Set<number>();
  #isBroken = false;
  /** `Connection.sendFirst`: sends what must precede all other messages, as long as there is something. */
  first: (() => void) | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#id = options.id;
    this.#life = options.life;
    this.#outbox = options.outbox;
  }

  /** Whether the addon has found that nothing can be written any more. The loss of the connection follows. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /**
   * Sends what must precede all other messages. Code of the program that runs while a message is being marshalled
   * cannot send.
   */
  letOutFirst(): void {
    if (this.first !== undefined && !this.#outbox.isMarshalling) this.first();
  }

  /**
   * Called before a message is sent. It sends what must precede the message.
   *
   * @throws {@link ConnectionClosedError} with the reason of the loss, if there was one
   */
  requireOpen(head: MessageHead): void {
    if (this.first !== undefined) this.letOutFirst();
    if (this.#life.carriesMessages) return;
    throw this.#life.refusal(`cannot send ${describeMessage(head)}`);
  }

  /** Returns the next serial. Serials are unsigned 32-bit numbers and never 0. */
  nextSerial(): number {
    do {
      this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    } while (this.#reserved.size > 0 && this.#reserved.has(this.#serial));
    return this.#serial;
  }

  /** Continues the serials of the connection that this one replaces, so that reserved ones stay valid. */
  continueSerialsOf(previous: Sender): void {
    this.#serial = previous.#serial;
    for (const serial of previous.#reserved) this.#reserved.add(serial);
  }

  /** Reserves the next serial for a message that is sent later. */
  reserveSerial(): number {
    const serial = this.nextSerial();
    this.#reserved.add(serial);
    return serial;
  }

  /**
   * Refuses a serial that was not reserved: it could be that of a waiting call, and take its reply.
   *
   * @throws {@link InvalidArgumentError} for a serial that was not reserved, or that has been used
   */
  requireReserved(serial: number): void {
    if (this.#reserved.has(serial)) return;
    throw new InvalidArgumentError(`serial: ${String(serial)} was not reserved by reserveSerial(), or has been used`);
  }

  /** See `Outbox.marshal`. */
  marshal(head: MessageHead, body: readonly unknown[], urgency: Urgency): MarshalledMessage {
    return this.#outbox.marshal(head, body, urgency);
  }

  /** @throws {@link NotSupportedError} if this connection cannot carry the descriptors of a message of an earlier one */
  requireRoomFor({ fds }: MarshalledMessage): void {
    if (fds.length === 0 || this.#outbox.canSendFds) return;
    throw new NotSupportedError('this connection cannot send file descriptors, unlike the one that was lost');
  }

  /** See `Outbox.pushMarshalled`. */
  pushMarshalled(message: MarshalledMessage, serial: number): void {
    this.#outbox.pushMarshalled(message, serial);
    this.#onPushed(message.head, serial, 0, message.bodyLength);
  }

  /** @param isAwaited whether it is a call that already waits for its reply */
  push(
    head: MessageHead,
    body: readonly unknown[],
    serial: number,
    replySerial: number,
    urgency: Urgency,
    isAwaited = false,
  ): void {
    const bodyBytes = this.#outbox.push(head, body, serial, replySerial, urgency, isAwaited);
    this.#onPushed(head, serial, replySerial, bodyBytes);
  }

  #onPushed(head: MessageHead, serial: number, replySerial: number, bodyBytes: number): void {
    if (this.#reserved.size > 0) this.#reserved.delete(serial);
    if (watchesMessages()) publishSent(this.#id, head, serial, replySerial, bodyBytes);
  }

  /**
   * Sends a message that awaits no reply, and returns its serial.
   *
   * @param replySerial the serial of the message that it answers, if it does
   * @param serial a serial that was reserved for it
   *
   * @throws {@link InvalidArgumentError} for an invalid header or value; nothing is sent then
   * @throws {@link ConnectionClosedError} if the connection is not open
   * @throws {@link BackpressureError} if too many bytes are queued
   */
  send(head: MessageHead, body: readonly unknown[], replySerial: number, reserved?: number): number {
    this.requireOpen(head);
    if (reserved !== undefined) this.requireReserved(reserved);
    const serial = reserved ?? this.nextSerial();
    this.push(head, body, serial, replySerial, replySerial === 0 ? Urgency.Own : Urgency.Answer);
    return serial;
  }

  /**
   * Sends the answer to a call. Its caller waits for it, so answers may take several times the limit of the queue.
   * Beyond that, the caller gets an error instead, which is reported.
   *
   * @returns whether the answer was sent, and not an error instead
   * @throws as `send` throws, except {@link BackpressureError}
   */
  answer(head: MessageHead, body: readonly unknown[], replySerial: number): boolean {
    this.requireOpen(head);
    try {
      this.push(head, body, this.nextSerial(), replySerial, Urgency.Answer);
      return true;
    } catch (error) {
      if (!(error instanceof BackpressureError)) throw error;
      const text = `the reply was dropped: ${this.#outbox.queuedBytes} bytes wait to be written already`;
      this.refuseCall(head.destination, replySerial, text);
      report('send', `the call ${replySerial} of ${head.destination ?? 'the peer'} gets an error`, error, this.#id);
      return false;
    }
  }

  /** Answers a call with LimitsExceeded, however many bytes are queued. */
  refuseCall(destination: string | undefined, replySerial: number, text: string): void {
    this.letOutFirst();
    const head = { type: MessageType.Error, errorName: LimitsExceededError.dbusName, destination, signature: 's' };
    this.push(head, [text], this.nextSerial(), replySerial, Urgency.Refusal);
  }

  /**
   * Sends a message of an exported object. The object may send it to many peers, so a peer that does not read must not
   * affect the others or the emitter: its connection ends. On a bus, an error is thrown instead, because what the bus
   * does not read reaches no connection.
   *
   * @param isAnnouncement whether peers know the current state from it, so that it must not be left out
   * @returns whether it was sent
   * @throws {@link InvalidArgumentError} for an invalid value; nothing is sent then
   * @throws {@link BackpressureError} on a bus, for a signal, if too many bytes are queued
   */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): boolean {
    this.requireOpen(head);
    if (this.#options.isPeer) return this.#tellPeer(head, body);
    try {
      this.push(head, body, this.nextSerial(), 0, isAnnouncement ? Urgency.Answer : Urgency.Own);
      return true;
    } catch (error) {
      if (!isAnnouncement || !(error instanceof BackpressureError)) throw error;
      this.#failUnread();
      return false;
    }
  }

  #tellPeer(head: MessageHead, body: readonly unknown[]): boolean {
    const { limit } = this.#options;
    const { ownBytes, queuedBytes } = this.#outbox;
    if (ownBytes > limit || queuedBytes > limit * ANSWERS_FACTOR) {
      this.#failUnread();
      return false;
    }
    try {
      this.push(head, body, this.nextSerial(), 0, Urgency.Told);
      return true;
    } catch (error) {
      if (!(error instanceof NotSupportedError)) throw error;
      report('send', `${describeMessage(head)} was not sent to this peer`, error, this.#id);
      return false;
    }
  }

  #failUnread(): void {
    const { queuedBytes } = this.#outbox;
    const text = `the other side does not read: ${queuedBytes} bytes wait for it`;
    this.#options.fail(new LimitsExceededError(text));
  }

  /**
   * Called when the addon refused a message. A call that cannot be sent because the connection broke rejects when the
   * connection ends, with that reason.
   */
  onRefused({ serial, errno, replySerial, destination }: RefusedMessage): void {
    const { transport, pending } = this.#options;
    if (errno === constants.errno.ENOTCONN) {
      this.#isBroken = true;
      if (pending.has(serial)) return;
    }
    const error = () => refusalOf(errno, transport);
    if (pending.fail(serial, 'unsent', error)) return;
    report('send', `message ${serial} was not sent`, error(), this.#id);
    const answered =
      replySerial > 0 ? { replySerial, destination: destination || undefined } : this.#outbox.answeredBy(serial);
    const isAnswer = this.#answersRefused.delete(serial);
    if (answered === undefined || isAnswer || this.#isBroken) return;
    this.#answerRefused(answered, error());
  }

  /**
   * Sends an error to the caller that waits for a reply that could not be sent. If the error is refused as well,
   * nothing can be sent to it.
   */
  #answerRefused({ replySerial, destination }: Answered, { dbusName, message }: DBusError): void {
    if (!this.#life.carriesMessages) return;
    const head = { type: MessageType.Error, errorName: dbusName, destination, signature: 's' };
    try {
      this.letOutFirst();
      const serial = this.nextSerial();
      if (this.#answersRefused.size === ANSWERS_REFUSED_MAXIMUM) this.#answersRefused.clear();
      this.#answersRefused.add(serial);
      this.push(head, [`the reply could not be sent: ${message}`], serial, replySerial, Urgency.Refusal);
    } catch (error) {
      report('send', `the call ${replySerial} of ${destination} gets no reply`, error, this.#id);
    }
  }
}
