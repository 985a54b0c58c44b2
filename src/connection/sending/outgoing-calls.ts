/**
 * The calls that a connection makes. Each is sent after the messages that have to be sent before it, and waits for its
 * reply.
 */

import { isOverOrFull } from '../../base/errors.js';
import { withStackAbove } from '../../base/stack.js';
import { report } from '../../diagnostics/problems.js';
import { describeMessage, MessageFlag, type MessageHead } from '../message.js';
import { type MarshalledMessage, Urgency } from './outbox.js';
import {
  type Callee,
  type CalleesByName,
  checkWaitOptions,
  type InnerWaitOptions,
  noReply,
  type PendingCalls,
  type TakeReply,
} from './pending-calls.js';
import type { Sender } from './sender.js';

/** What calls wait in while there is no connection. */
interface WaitingRoom {
  wait<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    user: object | undefined,
  ): Promise<Result>;
}

export class OutgoingCalls {
  /** The possible callees of calls by well-known names; `undefined` on a connection without names. */
  callees: CalleesByName | undefined = undefined;
  /** Set when the connection was lost and another one will follow: gets the calls that are made until then. */
  waitingRoom: WaitingRoom | undefined = undefined;

  readonly #id: number;
  readonly #sender: Sender;
  readonly #pending: PendingCalls;

  /** @param id the number of the connection in diagnostics */
  constructor(id: number, sender: Sender, pending: PendingCalls) {
    this.#id = id;
    this.#sender = sender;
    this.#pending = pending;
  }

  /**
   * Sends a method call, and resolves with the result of `take` for its reply.
   *
   * It is not an async function: with many calls in progress, the objects that it allocates for each would be half the
   * cost.
   *
   * @param user the user of the connection that makes the call; see {@link endCallsOf}
   * @throws (rejects) as `send` throws, or with the reason why there is no reply
   */
  call<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    user?: object,
  ): Promise<Result> {
    if (((head.flags ?? 0) & MessageFlag.NoReplyExpected) !== 0)
      return this.#callWithoutReply(head, body, options, take, user);
    const urgency = options.isUrgent === true ? Urgency.Answer : Urgency.Own;
    let serial = 0;
    let result: Promise<Result>;
    let marshalled: MarshalledMessage | undefined;
    try {
      checkWaitOptions(options);
      this.#sender.requireOpen(head);
      if (options.serial !== undefined) this.#sender.requireReserved(options.serial);
      const { destination } = head;
      let callee = this.callees?.find(destination);
      if (callee === undefined && this.callees?.isToFollow(destination) === true) {
        // The messages to follow the name have to be sent first. Marshalling first shows whether the call itself can be
        // sent.
        marshalled = this.#sender.marshal(head, body, urgency);
        callee = this.callees.follow(destination);
      }
      serial = options.serial ?? this.#sender.nextSerial();
      result = this.#pending.wait(serial, head, options, take, callee, user);
    } catch (error) {
      if (this.waitingRoom !== undefined) return this.waitingRoom.wait(head, body, options, take, user);
      return this.refuse(head, options, error, serial);
    }
    try {
      if (marshalled === undefined) this.#sender.push(head, body, serial, 0, urgency, true);
      else this.#sender.pushMarshalled(marshalled, serial);
    } catch (error) {
      const refusal = withStackAbove(error, this.call);
      this.#pending.fail(serial, 'unsent', () => refusal);
    }
    return result;
  }

  /** As {@link call}, for a call that was marshalled before there was this connection. */
  callMarshalled<Result>(
    message: MarshalledMessage,
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    user?: object,
  ): Promise<Result> {
    const { head } = message;
    let serial = 0;
    let result: Promise<Result>;
    try {
      this.#sender.requireOpen(head);
      this.#sender.requireRoomFor(message);
      serial = this.#sender.nextSerial();
      if (((head.flags ?? 0) & MessageFlag.NoReplyExpected) !== 0) {
        this.#sender.pushMarshalled(message, serial);
        return Promise.resolve(take(noReply, {}));
      }
      const { destination } = head;
      const isToFollow = this.callees?.isToFollow(destination) === true;
      const callee = this.callees?.find(destination) ?? (isToFollow ? this.callees?.follow(destination) : undefined);
      result = this.#pending.wait(serial, head, options, take, callee, user);
    } catch (error) {
      return this.refuse(head, options, error, serial);
    }
    try {
      this.#sender.pushMarshalled(message, serial);
    } catch (error) {
      this.#pending.fail(serial, 'unsent', () => error);
    }
    return result;
  }

  /**
   * Counts a call that is not sent. Returns a promise that rejects with the reason.
   *
   * @param serial its number in diagnostics; the next one by default
   */
  refuse(head: MessageHead, options: InnerWaitOptions, reason: unknown, serial = 0): Promise<never> {
    return this.#pending.refuse(serial === 0 ? this.#sender.nextSerial() : serial, head, options, reason);
  }

  /**
   * Sends a call that requests no reply. Its caller need not await it either. So if the connection has ended or its
   * queue is full, the promise rejects without ending the process as an unhandled rejection, and the error is reported.
   */
  #callWithoutReply<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    user: object | undefined,
  ): Promise<Result> {
    try {
      checkWaitOptions(options);
      this.#sender.send(head, body, 0, options.serial);
      return Promise.resolve(take(noReply, {}));
    } catch (error) {
      if (this.waitingRoom !== undefined) {
        const waiting = this.waitingRoom.wait(head, body, options, take, user);
        waiting.catch((reason: unknown) => this.#reportUnsent(head, reason));
        return waiting;
      }
      const refused = Promise.reject(error);
      if (isOverOrFull(error)) refused.catch((reason: unknown) => this.#reportUnsent(head, reason));
      return refused;
    }
  }

  #reportUnsent(head: MessageHead, reason: unknown): void {
    report('send', `${describeMessage(head)} was not sent`, reason, this.#id);
  }

  /** {@link PendingCalls.endCallsOf} */
  endCallsOf(user: object): void {
    this.#pending.endCallsOf(user);
  }

  /**
   * Keeps the former owner of a name: calls that wait for this callee may have been delivered to it before it lost the
   * name.
   */
  keepFormerOwner(callee: Callee, owner: string): void {
    this.#pending.keepFormerOwner(callee, owner);
  }
}
