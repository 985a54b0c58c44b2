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

export class OutgoingCalls {
  /** The possible callees of calls by well-known names; `undefined` on a connection without names. */
  callees: CalleesByName | undefined = undefined;

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
      return this.#callWithoutReply(head, body, options, take);
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
      // Diagnostics report every call with a number.
      return this.#pending.refuse(serial === 0 ? this.#sender.nextSerial() : serial, head, options, error);
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

  /**
   * Sends a call that requests no reply. Its caller need not await it either. So if the connection has ended or its
   * queue is full, the promise rejects without ending the process as an unhandled rejection, and the error is reported.
   */
  #callWithoutReply<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<Result>,
  ): Promise<Result> {
    try {
      checkWaitOptions(options);
      this.#sender.send(head, body, 0, options.serial);
      return Promise.resolve(take(noReply, {}));
    } catch (error) {
      const refused = Promise.reject(error);
      if (isOverOrFull(error)) {
        report('send', `${describeMessage(head)} was not sent`, error, this.#id);
        refused.catch(() => {});
      }
      return refused;
    }
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
