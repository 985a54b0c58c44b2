/**
 * The listeners of a connection, by the match rules that they subscribed with.
 *
 * A listener for signals of a well-known name only gets those that the name's present owner sent. The bus filters
 * broadcasts that way, but any connection can send a signal directly to another.
 */

import { ConnectionClosedError } from '../../base/errors.js';
import type { Message } from '../../connection/message.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { report, reportFailure, reportRejection, trace } from '../../diagnostics/problems.js';
import { BUS_NAME } from '../names/driver.js';
import type { FollowedName, NameOwners } from '../names/name-owners.js';
import { ListenerList } from './listener-list.js';
import { compileMatchRule, type MatchableMessage, senderToVerify } from './match-filter.js';
import { formatMatchRule, type MatchRule } from './match-rule.js';
import type { HeldRule, MatchRules } from './match-rules.js';
import { type Indexed, RuleIndex } from './rule-index.js';
import { type Subscription, SubscriptionHandle } from './subscription.js';

/**
 * Gets each signal that matches. An error that it throws is reported on the channel `busbar:problem` and stops nothing
 * else. File descriptors of the signal are lent until the listener returns, or until the promise that it returned has
 * settled.
 */
export type SignalListener = (message: Message) => void;

/** Takes a signal while it is the inbox's current message. Its bytes are gone later. */
export type SignalTaker = (received: Inbox) => unknown;

/** Keeps the process alive until the returned function is called. */
export interface Holder {
  /** @param reportsLoss whether the user of the subscription rejects, or throws, when the connection is lost */
  hold(reportsLoss: boolean): () => void;
}

/** One listener of a rule. */
class Listener {
  /** A counter, which gives the order of subscriptions. */
  readonly id: number;
  take: SignalTaker;
  /** Whether its subscription was ended. Another listener may end it while a signal is being dispatched. */
  ended = false;
  /** Whether the program has read `ready`. */
  awaits = false;
  readonly #rule: ListenedRule;
  readonly #reportsLoss: boolean;
  #holder: Holder | undefined;
  #stopHolding: (() => void) | undefined;

  constructor(id: number, rule: ListenedRule, take: SignalTaker, holder: Holder, reportsLoss: boolean) {
    this.id = id;
    this.#rule = rule;
    this.take = take;
    this.#holder = holder;
    this.#reportsLoss = reportsLoss;
  }

  get ready(): Promise<void> {
    this.awaits = true;
    return this.#rule.outcome.then((error) => {
      if (error !== undefined) throw error;
    });
  }

  /** Keeps the process alive while the rule is in force for this listener. */
  hold(): void {
    this.#stopHolding ??= this.#holder?.hold(this.#reportsLoss);
  }

  stopHolding(): void {
    this.#stopHolding?.();
    this.#stopHolding = undefined;
  }

  /** Ends it, and lets go of what the program gave: the listener may stay in its list for a while. */
  end(): void {
    this.ended = true;
    this.stopHolding();
    this.take = nothing;
    this.#holder = undefined;
  }
}

const nothing = () => {};

/** A rule with its listeners. */
interface ListenedRule extends Indexed {
  readonly text: string;
  readonly matches: (message: MatchableMessage) => boolean;
  readonly listeners: ListenerList<Listener>;
  /** What keeps the rule in force; `undefined` if the bus has refused it. */
  force: InForce | undefined;
  /** Resolves with the reason if the rule is not in force, else with nothing. Never rejects. */
  outcome: Promise<unknown>;
}

/** What a rule holds from its request until it ends or is refused. */
interface InForce {
  readonly held: HeldRule;
  /** The well-known name of the rule's `sender`. */
  readonly owner: FollowedName | undefined;
}

/** What subscriptions need of a connection. */
export interface Subscriber {
  /** The number of the connection in diagnostics. */
  readonly id: number;
  /** Whether the connection is to a peer, which sends every message, without a bus. */
  readonly isPeer: boolean;
  /** Whether the program has closed the connection: a listener may have done so. */
  isClosing(): boolean;
  /** Whether this is the unique name of the connection. */
  isUniqueName(name: string): boolean;
  /** Whether a message with this destination is for the connection. */
  isAddressedHere(destination: string): boolean;
}

export class Subscriptions {
  readonly #subscriber: Subscriber;
  readonly #matchRules: MatchRules;
  readonly #owners: NameOwners;
  readonly #rules = new Map<string, ListenedRule>();
  readonly #index = new RuleIndex<ListenedRule, Inbox>(isMetBy);
  #lastListener = 0;
  #listeners = 0;
  #droppedSignals = 0;
  #unmatchedSignals = 0;

  constructor(subscriber: Subscriber, matchRules: MatchRules, owners: NameOwners) {
    this.#subscriber = subscriber;
    this.#matchRules = matchRules;
    this.#owners = owners;
  }

  /** The number of listeners of all rules. */
  get listeners(): number {
    return this.#listeners;
  }

  /** Signals with a listener that were dropped because their bodies were not valid. */
  get droppedSignals(): number {
    return this.#droppedSignals;
  }

  /**
   * Signals without a listener: those of a rule that has just been removed, and those whose sender does not own the
   * name that was subscribed to. The bus's own unrequested signals are not counted.
   */
  get unmatchedSignals(): number {
    return this.#unmatchedSignals;
  }

  /**
   * Adds a listener. If the bus has refused the rule before, it is asked again, for the earlier listeners as well.
   *
   * @param reportsLoss as {@link Holder.hold} takes it
   * @throws {@link InvalidArgumentError} if the rule is not valid
   */
  add(wanted: MatchRule, take: SignalTaker, holder: Holder, reportsLoss: boolean): Subscription {
    // Peers have no names: everything is sent by the one peer.
    const matchRule = this.#subscriber.isPeer ? { ...wanted, sender: undefined } : wanted;
    const text = formatMatchRule(matchRule);
    const rule = this.#rules.get(text) ?? this.#install(text, matchRule);
    const listener = new Listener(++this.#lastListener, rule, take, holder, reportsLoss);
    rule.listeners.add(listener);
    this.#listeners++;
    if (rule.force === undefined) this.#enforce(rule);
    else listener.hold();
    return this.#handle(rule, listener);
  }

  /** Ends with the connection: all rules are gone. Handles stay valid and do nothing. */
  close(): void {
    for (const rule of this.#rules.values()) {
      for (const listener of rule.listeners.all) listener.ended = true;
      rule.listeners.clear();
      this.#giveUp(rule);
    }
    this.#listeners = 0;
    this.#rules.clear();
    this.#index.clear();
  }

  /** Dispatches a signal to all its listeners, in the order of subscription, until one closes the connection. */
  dispatch(received: Inbox): void {
    const found = this.#index.find(received);
    const [rule] = found;
    if (rule === undefined) {
      if (received.sender !== BUS_NAME) this.#onUnmatched(received);
      return;
    }
    if (received.isFaulty) {
      this.#droppedSignals++;
      report(
        'message',
        `a signal from ${received.sender ?? 'the peer'} was dropped`,
        received.fault,
        received.connectionId,
      );
      return;
    }
    const listeners = found.length === 1 ? rule.listeners.all : inOrder(found);
    let { length } = listeners;
    while (length > 0 && listeners[length - 1]?.ended === true) length--;
    for (let index = 0; index < length; index++) {
      if (index === length - 1) received.expectLastTaker();
      callListener(received, listeners[index] as Listener);
      if (this.#subscriber.isClosing()) return;
    }
  }

  /**
   * Reports a signal without a listener. Such signals follow every removal of a rule; the report helps to find lost or
   * forged signals.
   */
  #onUnmatched({ connectionId, path, interface: interfaceName, member, sender }: Inbox): void {
    this.#unmatchedSignals++;
    if (trace.enabled)
      trace('#%d signal without a listener: %s %s.%s from %s', connectionId, path, interfaceName, member, sender);
  }

  #install(text: string, matchRule: MatchRule): ListenedRule {
    const rule: ListenedRule = {
      text,
      rule: matchRule,
      place: 0,
      matches: this.#filterOf(matchRule),
      listeners: new ListenerList(),
      force: undefined,
      outcome: Promise.resolve(undefined),
    };
    this.#rules.set(text, rule);
    return rule;
  }

  /**
   * A listener for the connection's own unique name gets everything that is sent to the connection, under any of its
   * names.
   */
  #filterOf(rule: MatchRule): (message: MatchableMessage) => boolean {
    const subscriber = this.#subscriber;
    if (rule.destination === undefined || !subscriber.isUniqueName(rule.destination)) return compileMatchRule(rule);
    const matches = compileMatchRule({ ...rule, destination: undefined });
    return (message) =>
      message.destination !== undefined && subscriber.isAddressedHere(message.destination) && matches(message);
  }

  #enforce(rule: ListenedRule): void {
    const wellKnown = senderToVerify(rule.rule);
    // Followed before the rule is added: the owner must be known when the rule's first signal arrives.
    const owner = wellKnown === undefined ? undefined : this.#owners.follow(wellKnown, refusalIsTold);
    const force: InForce = { held: this.#matchRules.hold(rule.rule), owner };
    for (const listener of rule.listeners.all) if (!listener.ended) listener.hold();
    rule.force = force;
    this.#index.add(rule);
    rule.outcome = this.#outcomeOf(rule, force);
  }

  /**
   * The bus's answer to a rule. A rule for signals of a well-known name also fails if the bus refuses to report the
   * name's owner, because no signal could be delivered then.
   */
  async #outcomeOf(rule: ListenedRule, force: InForce): Promise<unknown> {
    const reason = (await force.held.outcome) ?? (await force.owner?.refusal);
    if (reason === undefined || rule.force !== force) return reason;
    this.#giveUp(rule);
    if (rule.listeners.all.every(({ ended, awaits }) => ended || awaits) || reason instanceof ConnectionClosedError)
      return reason;
    report('subscription', `the bus refused the match rule ${rule.text}`, reason, this.#subscriber.id);
    return reason;
  }

  #handle(rule: ListenedRule, listener: Listener): Subscription {
    const end = () => {
      if (listener.ended) return;
      listener.end();
      this.#listeners--;
      rule.listeners.forgetEnded();
      if (rule.listeners.size > 0) return;
      this.#rules.delete(rule.text);
      this.#giveUp(rule);
    };
    return new SubscriptionHandle(rule.text, listener, end);
  }

  /** Releases what a rule holds, because it has ended or the bus refused it. */
  #giveUp(rule: ListenedRule): void {
    if (rule.force === undefined) return;
    const { held, owner } = rule.force;
    rule.force = undefined;
    this.#index.remove(rule);
    held.release();
    owner?.release();
    for (const listener of rule.listeners.all) listener.stopHolding();
  }
}

/** The outcome of the rule informs the subscribers if an owner cannot be followed. */
const refusalIsTold = { changed: () => {}, refused: () => true };

/** The filter compares unique names itself. A well-known name stands for its present owner, which is compared here. */
function isMetBy(received: Inbox, { force, matches }: ListenedRule): boolean {
  const owner = force?.owner;
  if (owner !== undefined && (owner.owner === undefined || owner.owner !== received.sender)) return false;
  return matches(received);
}

/** The listeners of several rules, in the order of subscription. */
function inOrder(rules: readonly ListenedRule[]): readonly Listener[] {
  return rules.flatMap(({ listeners }) => listeners.all).sort((a, b) => a.id - b.id);
}

/** A function of its own, because a closure for each signal would be garbage. */
function callListener(received: Inbox, listener: Listener): void {
  if (listener.ended) return;
  let result: unknown;
  try {
    result = listener.take(received);
    if (result instanceof Promise) reportRejection(listenerOf(received), result, received.connectionId);
  } catch (error) {
    reportFailure(listenerOf(received), error, received.connectionId);
  }
  received.endTaking(result);
}

function listenerOf(received: Inbox): string {
  return `a listener of ${received.interface}.${received.member}`;
}
