/**
 * Where live state comes from: the present owner of a name, which is asked for everything once and reports changes from
 * then on.
 *
 * This owns everything that is declared at the bus for one view: its match rules, the owner that is followed, and the
 * call that reads everything. The rules are in force before that call is sent, and a connection's messages arrive in
 * the order in which they were sent. So the reply and the changes that arrive after it are complete. Changes that
 * arrive before the reply are applied to it as well: a service may take the values of its reply before a change, and
 * send it after that, because a getter is slow.
 */

import { closedError, type DBusError } from '../base/errors.js';
import type { Bus, SubscriptionRule } from '../bus/bus.js';
import type { Lasting } from '../bus/link/link.js';
import type { FollowedName } from '../bus/names/name-owners.js';
import type { Subscription } from '../bus/rules/subscription.js';
import { MessageType } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import { type Attempt, newAttempt } from './attempt.js';

/** A call of the owner, without its destination. */
export interface Question {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** A match rule of a view, and how its signals are read. */
export interface Declaration<Change> {
  readonly rule: SubscriptionRule;
  /** Reads a signal while it is the inbox's current message. Returns `undefined` for one that says nothing. */
  read(received: Inbox): Change | undefined;
}

/** The state that a source fills and changes. */
export interface Mirror<Change> {
  /** The name of what is mirrored, for errors and reports. */
  readonly title: string;
  /** Its match rules. They are read again at every start. */
  declarations(): readonly Declaration<Change>[];
  /** The call whose reply has everything. */
  readonly question: Question;
  /** The error for the program, if the call failed. */
  explain?(reason: unknown): unknown;
  /** Takes the reply. The state is empty before. Nothing is told yet. */
  fill(reply: ReplyBody): void;
  /** Takes a change. It is told to watchers, unless the state is being filled. */
  apply(change: Change): void;
  /** Whether the rules cover what was filled in. If not, everything is declared and read again. */
  readonly isCovered: boolean;
  /** The state is complete, with the changes that arrived meanwhile: watchers are told now. */
  settle(): void;
  /** Nothing is known any more. Watchers are told that everything is removed, unless the program ended it. */
  clear(isTold: boolean): void;
  /** Nothing will change any more: after `end` or `close`, or with the reason of the connection's loss. */
  close(reason: DBusError | undefined): void;
}

/**
 * - `unknown`: the bus was asked for the owner
 * - `absent`: the name has no owner
 * - `filling`: the owner was asked for everything
 * - `current`: the state is that of the owner
 * - `failed`: the owner, or the bus, refused; the next signal of the owner makes it ask again
 * - `ended`: by the program, or with the connection
 */
export type SourceState = 'unknown' | 'absent' | 'filling' | 'current' | 'failed' | 'ended';

/** More changes than this during one call are not kept: everything is read again instead. */
const KEPT_CHANGES = 65_536;

/** Stands for the owner between peers, where no bus names it. */
const PEER = '';

export class LiveSource<Change> implements Lasting {
  readonly #bus: Bus;
  readonly #destination: string | undefined;
  readonly #mirror: Mirror<Change>;
  readonly #timeout: number | undefined;
  #state: SourceState = 'unknown';
  /** The unique name of the owner, or {@link PEER}. */
  #owner: string | undefined;
  /** Counts owners and restarts: what was asked for an earlier one is out of date. */
  #generation = 0;
  /** Changes that arrived while the owner was asked; `undefined` if they were too many. */
  #early: Change[] | undefined = [];
  #attempt = newAttempt();
  /** Whether the program has read `ready` of the present attempt, so that it learns of a failure. */
  #isAwaited = false;
  /** Whether a failure of this owner was reported: each of its signals makes another attempt. */
  #isReported = false;
  #subscriptions: readonly Subscription[] = [];
  #areRulesInForce = false;
  #followed: FollowedName | undefined;
  #stopWaiting: () => void = () => {};
  #stopLasting: () => void = () => {};
  /** Keeps the process alive while nothing is declared because there is no connection. */
  #stopHolding: () => void = () => {};

  constructor(bus: Bus, destination: string | undefined, mirror: Mirror<Change>, timeout?: number) {
    this.#bus = bus;
    this.#destination = destination;
    this.#mirror = mirror;
    this.#timeout = timeout;
  }

  get state(): SourceState {
    return this.#state;
  }

  /** The unique name of the present owner; `undefined` between peers, where there are no names. */
  get owner(): string | undefined {
    return this.#owner === PEER ? undefined : this.#owner;
  }

  /** See {@link ObjectsView.ready}. */
  get ready(): Promise<string | undefined> {
    this.#isAwaited = true;
    return this.#attempt.outcome.then(({ owner, error }) => {
      if (error !== undefined) throw error;
      return owner;
    });
  }

  /** Declares everything at the bus. */
  start(): void {
    this.#stopWaiting = this.#bus.whenClosed((reason) => this.#onClosed(reason));
    this.#stopLasting = this.#bus.outlast(this);
    this.#declare();
  }

  /** The connection was lost: everything is removed, and declared again at the next one. */
  lost(): void {
    if (this.#state === 'ended') return;
    this.#stopHolding = this.#bus.hold();
    this.#withdraw();
    this.#forget();
  }

  /** Declares everything at the connection that follows, unless that was done while there was none. */
  back(): Promise<unknown> {
    if (this.#state === 'ended') return Promise.resolve();
    if (this.#subscriptions.length === 0) this.#declare();
    this.#stopHolding();
    return this.#attempt.outcome;
  }

  /** Starts again from nothing: everything is removed, declared again, and read again. */
  restart(): void {
    if (this.#state === 'ended') return;
    this.#forget();
    this.#withdraw();
    this.#declare();
  }

  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#generation++;
    this.#withdraw();
    this.#stopWaiting();
    this.#stopLasting();
    this.#stopHolding();
    this.#owner = undefined;
    this.#mirror.clear(false);
    this.#mirror.close(undefined);
    this.#attempt.end({ error: closedError(`${this.#mirror.title} were not read: the view ended first`, undefined) });
  }

  /**
   * Calls the present owner. A reply is not taken if the owner changed meanwhile.
   *
   * @param take gets the reply, in the order of the owner's messages
   * @param fail gets the reason if there is no reply
   */
  ask(question: Question, take: (reply: ReplyBody) => void, fail: (reason: unknown) => void): void {
    const generation = this.#generation;
    const { body = [], ...call } = question;
    const destination = this.owner;
    const head = { type: MessageType.MethodCall, flags: 0, destination, ...call };
    const isCurrent = () => generation === this.#generation;
    const options = this.#timeout === undefined ? {} : { timeout: this.#timeout };
    this.#bus
      .request(head, body, options, (reply) => {
        if (isCurrent()) take(reply);
      })
      .catch((reason: unknown) => {
        if (isCurrent()) fail(reason);
      });
  }

  #declare(): void {
    const sender = this.#destination;
    const subscriptions = this.#mirror.declarations().map(({ rule, read }) => {
      return this.#bus.listen({ ...rule, sender }, { take: (received) => this.#receive(read, received) });
    });
    this.#subscriptions = subscriptions;
    void this.#awaitRules(subscriptions);
    if (this.#bus.isPeer || sender === undefined) {
      this.#onOwner(PEER);
      return;
    }
    this.#followed = this.#bus.owners.follow(sender, {
      changed: (owner) => this.#onOwner(owner),
      refused: (reason) => {
        this.#onRefused(reason);
        return true;
      },
      // Told by the connection, between peers as well.
      lost: () => {},
    });
  }

  /** The owner is asked when all rules are in force: signals that arrive before may not be all that it sent. */
  async #awaitRules(subscriptions: readonly Subscription[]): Promise<void> {
    try {
      await Promise.all(subscriptions.map(({ ready }) => ready));
    } catch (reason) {
      if (subscriptions === this.#subscriptions) this.#onRefused(reason);
      return;
    }
    if (subscriptions !== this.#subscriptions) return;
    this.#areRulesInForce = true;
    if (this.#owner !== undefined) this.#fill();
    else if (this.#state === 'absent') this.#attempt.end({ owner: undefined });
  }

  #withdraw(): void {
    this.#areRulesInForce = false;
    for (const subscription of this.#subscriptions) subscription.end();
    this.#subscriptions = [];
    this.#followed?.release();
    this.#followed = undefined;
  }

  #onOwner(owner: string | undefined): void {
    if (this.#state === 'ended' || (owner === this.#owner && owner !== undefined)) return;
    this.#isReported = false;
    this.#forget();
    this.#owner = owner;
    if (owner !== undefined) {
      if (this.#areRulesInForce) this.#fill();
      return;
    }
    this.#state = 'absent';
    if (this.#areRulesInForce) this.#attempt.end({ owner: undefined });
  }

  /** Removes everything that is known, and what was asked for. */
  #forget(): void {
    this.#generation++;
    this.#owner = undefined;
    this.#early = [];
    if (this.#attempt.isOver) this.#attempt = this.#nextAttempt();
    this.#state = 'unknown';
    this.#mirror.clear(true);
  }

  #nextAttempt(): Attempt {
    this.#isAwaited = false;
    return newAttempt();
  }

  #fill(): void {
    this.#state = 'filling';
    this.#early = [];
    const owner = this.owner;
    this.ask(
      this.#mirror.question,
      (reply) => {
        const early = this.#early;
        if (early === undefined) {
          this.#fill();
          return;
        }
        this.#mirror.fill(reply);
        for (const change of early) this.#mirror.apply(change);
        this.#early = [];
        if (!this.#mirror.isCovered) {
          this.restart();
          return;
        }
        this.#state = 'current';
        this.#isReported = false;
        this.#attempt.end({ owner });
        this.#mirror.settle();
      },
      (reason) => this.#fail(this.#mirror.explain?.(reason) ?? reason),
    );
  }

  #receive(read: (received: Inbox) => Change | undefined, received: Inbox): void {
    if (this.#state === 'failed' && this.#owner !== undefined) {
      // The owner may not have had its objects yet when it was asked.
      this.#attempt = this.#nextAttempt();
      this.#fill();
    }
    if (this.#state !== 'current' && this.#state !== 'filling') return;
    const change = read(received);
    if (change === undefined) return;
    if (this.#state === 'current') this.#mirror.apply(change);
    else if (this.#early !== undefined && this.#early.length < KEPT_CHANGES) this.#early.push(change);
    else this.#early = undefined;
  }

  /** Without its rules the state would be out of date. They are declared again by {@link restart} only. */
  #onRefused(reason: unknown): void {
    this.#withdraw();
    this.#fail(reason);
  }

  /** Nothing is shown that may be out of date. */
  #fail(reason: unknown): void {
    if (this.#state === 'ended') return;
    const owner = this.#owner;
    const isAwaited = this.#isAwaited;
    this.#forget();
    this.#owner = owner;
    this.#state = 'failed';
    this.#attempt.end({ error: reason });
    if (isAwaited || this.#isReported) return;
    this.#isReported = true;
    report('subscription', `${this.#mirror.title} could not be read`, reason, this.#bus.connectionId);
  }

  #onClosed(reason: DBusError | undefined): void {
    if (this.#state === 'ended') return;
    const error = closedError(`the connection was closed, and with it ${this.#mirror.title}`, reason);
    this.#generation++;
    this.#subscriptions = [];
    this.#followed = undefined;
    this.#attempt.end({ error });
    this.#owner = undefined;
    this.#state = 'ended';
    // A program that closes the connection knows about it.
    this.#mirror.clear(reason !== undefined);
    this.#mirror.close(reason);
  }
}
