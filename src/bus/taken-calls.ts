/**
 * Calls that message handlers took and have not answered yet. A connection that closes waits for them. A call that is
 * answered before its handler returns is never recorded.
 */

import { MessageFlag } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import type { FollowedCallers } from './callers/followed-callers.js';
import type { CallsAtWork } from './calls-at-work.js';

interface TakenCall {
  readonly caller: string | undefined;
  readonly atWork: CallsAtWork;
}

export class TakenCalls {
  readonly #isPeer: boolean;
  readonly #maximum: number;
  /** By serial and caller, in the order in which they were taken. */
  readonly #calls = new Map<string, TakenCall>();
  /** Calls that came over a connection that was lost: their answers must not be sent over the next one. */
  readonly #orphans = new Set<string>();
  /** The serial of the call that is offered to the message handlers, until it is answered. */
  #serial = 0;
  #caller: string | undefined;
  /** How many closing shares wait for taken calls. */
  #waiting = 0;
  /** Followed callers, because a close waits for their calls. */
  readonly #followed = new Map<string, () => void>();

  /**
   * @param isPeer whether the only caller is a peer, which may claim any name
   * @param maximum how many calls are recorded before the oldest is forgotten: a program may take calls and never
   * answer
   */
  constructor(isPeer: boolean, maximum: number) {
    this.#isPeer = isPeer;
    this.#maximum = maximum;
  }

  /** Records the call that is about to be passed to the message handlers. */
  offer({ serial, sender, flags }: Inbox): void {
    this.#serial = (flags & MessageFlag.NoReplyExpected) === 0 ? serial : 0;
    this.#caller = this.#isPeer ? undefined : sender;
  }

  /** A message handler has taken the call that was offered last. */
  take(atWork: CallsAtWork, callers: FollowedCallers): void {
    if (this.#serial === 0) return;
    const caller = this.#caller;
    const key = keyOf(this.#serial, caller);
    this.#serial = 0;
    this.#orphans.delete(key);
    this.#end(key);
    if (this.#calls.size >= this.#maximum) this.#end(this.#calls.keys().next().value);
    this.#calls.set(key, { caller, atWork });
    atWork.begin();
    if (this.#waiting > 0) this.#follow(caller, callers);
  }

  /** Whether this would answer a call that came over a connection that was lost. */
  isOrphan(replySerial: number, destination: string | undefined): boolean {
    return this.#orphans.size > 0 && this.#orphans.has(keyOf(replySerial, this.#isPeer ? undefined : destination));
  }

  /** The connection was lost: the calls cannot be answered any more. */
  lose(): void {
    this.#serial = 0;
    for (const key of [...this.#calls.keys()]) {
      const [oldest] = this.#orphans;
      if (this.#orphans.size >= this.#maximum && oldest !== undefined) this.#orphans.delete(oldest);
      this.#orphans.add(key);
      this.#end(key);
    }
  }

  /** Records that a message was sent that answers a call. */
  answer(replySerial: number, destination: string | undefined): void {
    const caller = this.#isPeer ? undefined : destination;
    if (replySerial === this.#serial && caller === this.#caller) this.#serial = 0;
    if (this.#calls.size > 0) this.#end(keyOf(replySerial, caller));
  }

  /**
   * Makes a close wait for taken calls only while their callers are connected, until the returned function is called:
   * calls of callers that have disconnected, or that disconnect, are given up. Callers are not followed before, because
   * each costs a match rule.
   *
   * @param present asks for the names on the bus
   */
  giveUpWithCallers(callers: FollowedCallers, present: () => Promise<readonly string[]>): () => void {
    let isOver = false;
    this.#waiting++;
    void this.#giveUpAbsent(callers, present);
    return () => {
      if (isOver) return;
      isOver = true;
      if (--this.#waiting > 0) return;
      for (const release of this.#followed.values()) release();
      this.#followed.clear();
    };
  }

  async #giveUpAbsent(callers: FollowedCallers, present: () => Promise<readonly string[]>): Promise<void> {
    if (this.#calls.size === 0 || this.#isPeer) return;
    // A long-lived program may have had many callers: only those that are still connected are followed.
    const names = new Set(await present().catch(() => [...this.#calls.values()].map(({ caller }) => caller)));
    for (const caller of new Set([...this.#calls.values()].map((call) => call.caller))) {
      if (!names.has(caller)) this.#endAllOf(caller);
      else if (this.#waiting > 0) this.#follow(caller, callers);
    }
  }

  #follow(caller: string | undefined, callers: FollowedCallers): void {
    if (caller === undefined || this.#followed.has(caller)) return;
    this.#followed.set(
      caller,
      callers.follow(caller, () => this.#endAllOf(caller)),
    );
  }

  #endAllOf(caller: string | undefined): void {
    for (const [key, call] of this.#calls) if (call.caller === caller) this.#end(key);
  }

  #end(key: string | undefined): void {
    const call = key === undefined ? undefined : this.#calls.get(key);
    if (call === undefined) return;
    this.#calls.delete(key as string);
    call.atWork.end();
  }
}

function keyOf(serial: number, caller: string | undefined): string {
  return `${serial} ${caller ?? ''}`;
}
