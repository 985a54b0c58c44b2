/**
 * The listeners of a match rule, and the rule with what keeps it in force. A program may have many thousands of both, so
 * a listener is its own handle, and a rule its own filter.
 */
import { type Endable, EndableHandle } from '../../base/handle.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import type { FollowedName } from '../names/name-owners.js';
import { ListenerList } from './listener-list.js';
import { MatchFilter } from './match-filter.js';
import type { MatchRule } from './match-rule.js';
import type { HeldRule } from './match-rules.js';
import type { Indexed } from './rule-index.js';
import type { Subscription } from './subscription.js';

/** Takes signals, each while it is the inbox's current message. Its bytes are gone later. */
export interface SignalTaker {
  take(received: Inbox): unknown;
}

/** The user of a connection that subscribes. */
export interface Subscriber {
  /** Ends a subscription with the user, until it is disowned. */
  own(item: Endable, hears: boolean): void;
  disown(item: Endable): void;
  /**
   * Keeps the process alive until `endHold` is called.
   *
   * @param reportsLoss whether the code that uses the subscription rejects, or throws, when the connection is lost
   */
  beginHold(reportsLoss: boolean): void;
  endHold(reportsLoss: boolean): void;
}

/** Is informed when a listener has ended. */
interface Owner {
  remove(rule: ListenedRule): void;
}

/** One listener of a rule, which is also its handle. */
export class Listener extends EndableHandle implements Subscription {
  /** @internal a counter, which gives the order of subscriptions */
  readonly id: number;
  /** @internal */
  taker: SignalTaker;
  /** @internal Whether its subscription was ended. Another listener may end it while a signal is being dispatched. */
  ended = false;
  /** @internal whether the program has read `ready` */
  awaits = false;
  /** Whether it keeps the process alive, because its rule is in force. */
  #holds = false;
  readonly #reportsLoss: boolean;
  readonly #rule: ListenedRule;
  readonly #user: Subscriber;
  readonly #owner: Owner;

  constructor(
    owner: Owner,
    id: number,
    rule: ListenedRule,
    taker: SignalTaker,
    user: Subscriber,
    reportsLoss: boolean,
  ) {
    super();
    this.id = id;
    this.taker = taker;
    this.#reportsLoss = reportsLoss;
    this.#rule = rule;
    this.#user = user;
    this.#owner = owner;
    user.own(this, true);
  }

  get ready(): Promise<void> {
    this.awaits = true;
    return this.#rule.outcome.then((error) => {
      if (error !== undefined) throw error;
    });
  }

  protected override get shown(): string {
    return `subscription { ${this.#rule.text} }`;
  }

  /** @internal keeps the process alive while the rule is in force for this listener */
  hold(): void {
    if (this.#holds) return;
    this.#holds = true;
    this.#user.beginHold(this.#reportsLoss);
  }

  /** @internal */
  stopHolding(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#user.endHold(this.#reportsLoss);
  }

  /** @internal Ends it, and lets go of what the program gave: the listener may stay in its list for a while. */
  override endNow(): void {
    if (this.ended) return;
    this.ended = true;
    this.stopHolding();
    this.taker = nothing;
    this.#user.disown(this);
    this.#owner.remove(this.#rule);
  }
}

const nothing: SignalTaker = { take: () => {} };

/** The outcome of a rule in force: one promise for all of them. */
export const IN_FORCE: Promise<unknown> = Promise.resolve(undefined);

/**
 * A rule with its listeners. The filter is of all conditions except the sender if that is a well-known name, and the
 * destination if that is this connection.
 */
export class ListenedRule extends MatchFilter implements Indexed {
  text: string;
  /** Whether it is for all messages that are sent to this connection, under any of its names. */
  readonly isForThisConnection: boolean;
  place = 0;
  readonly listeners = new ListenerList<Listener>();
  /** The rule at the bus, which this keeps in force; `undefined` if the bus has refused it. */
  held: HeldRule | undefined;
  /** The well-known name of the rule's `sender`, while the rule is in force. */
  owner: FollowedName | undefined;
  /** Resolves with the reason if the rule is not in force, else with nothing. Never rejects. */
  outcome = IN_FORCE;

  constructor(text: string, rule: MatchRule, isForThisConnection: boolean) {
    super(isForThisConnection ? { ...rule, destination: undefined } : rule);
    this.text = text;
    this.isForThisConnection = isForThisConnection;
  }

  /** Its conditions, for the index. */
  get rule(): this {
    return this;
  }
}
