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
import { IN_FORCE, ListenedRule, Listener, type SignalTaker, type Subscriber } from './listener.js';
import { senderToVerify } from './match-filter.js';
import { formatMatchRule, type MatchRule } from './match-rule.js';
import type { HeldRule, MatchRules } from './match-rules.js';
import { parseMatchRule } from './parse-match-rule.js';
import { RuleIndex } from './rule-index.js';
import type { Subscription } from './subscription.js';

/**
 * Gets each signal that matches. An error that it throws is reported on the channel `busbar:problem` and stops nothing
 * else. File descriptors of the signal are lent until the listener returns, or until the promise that it returned has
 * settled.
 */
export type SignalListener = (message: Message) => void;

/** What subscriptions need of a connection. */
export interface Receiver {
  /** The number of the present connection in diagnostics. */
  id(): number;
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
  readonly #receiver: Receiver;
  readonly #matchRules: MatchRules;
  readonly #owners: NameOwners;
  readonly #rules = new Map<string, ListenedRule>();
  readonly #index: RuleIndex<ListenedRule, Inbox>;
  /** Counts the connections: what the bus of an earlier one answers does not matter. */
  #generation = 0;
  #lastListener = 0;
  #listeners = 0;
  #droppedSignals = 0;
  #unmatchedSignals = 0;

  constructor(receiver: Receiver, matchRules: MatchRules, owners: NameOwners) {
    this.#receiver = receiver;
    this.#index = new RuleIndex((received, rule) => isMetBy(received, rule, receiver));
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
   * @param reportsLoss as {@link Subscriber.beginHold} takes it
   * @throws {@link InvalidArgumentError} if the rule is not valid
   */
  add(wanted: MatchRule, taker: SignalTaker, user: Subscriber, reportsLoss: boolean): Subscription {
    // Peers have no names: everything is sent by the one peer.
    const matchRule = this.#receiver.isPeer ? { ...wanted, sender: undefined } : wanted;
    const text = formatMatchRule(matchRule);
    const rule = this.#rules.get(text) ?? this.#install(text, matchRule);
    const listener = new Listener(this, ++this.#lastListener, rule, taker, user, reportsLoss);
    rule.listeners.add(listener);
    this.#listeners++;
    if (rule.held === undefined) this.#enforce(rule, matchRule);
    else listener.hold();
    return listener;
  }

  /** Called when a listener of a rule has ended. The rule ends with the last one. */
  remove(rule: ListenedRule): void {
    this.#listeners--;
    rule.listeners.forgetEnded();
    if (rule.listeners.size > 0) return;
    this.#rules.delete(rule.text);
    this.#giveUp(rule);
  }

  /** The connection was lost, and another one will follow: each rule waits for the answer of its bus. */
  lose(): void {
    this.#generation++;
    for (const rule of this.#rules.values()) {
      const { held, owner } = rule;
      if (held !== undefined) rule.outcome = this.#outcomeOf(rule, held, owner);
    }
  }

  /**
   * Declares the rules again that the last bus refused, and those that have the unique name of the last connection. It
   * is called before the match rules are restored.
   *
   * @param uniqueName the name of the connection that follows
   */
  renew(uniqueName: string | undefined): void {
    for (const rule of [...this.#rules.values()]) {
      if (rule.isForThisConnection && uniqueName !== undefined) this.#rename(rule, uniqueName);
      else if (rule.held === undefined) this.#enforce(rule, parseMatchRule(rule.text));
    }
  }

  #rename(rule: ListenedRule, destination: string): void {
    const matchRule = { ...parseMatchRule(rule.text), destination };
    this.#giveUp(rule);
    let text: string;
    try {
      text = formatMatchRule(matchRule);
    } catch (error) {
      // The new name is longer, and the rule is then longer than a bus accepts.
      report(
        'subscription',
        `the match rule ${rule.text} cannot have the name ${destination}`,
        error,
        this.#receiver.id(),
      );
      return;
    }
    if (!this.#rules.has(text)) {
      this.#rules.delete(rule.text);
      rule.text = text;
      this.#rules.set(text, rule);
    }
    this.#enforce(rule, matchRule);
  }

  /** Resolves when the bus has answered all rules. */
  async settled(): Promise<void> {
    await Promise.all([...this.#rules.values()].map(({ outcome }) => outcome));
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
      if (this.#receiver.isClosing()) return;
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

  /**
   * A listener for the connection's own unique name gets everything that is sent to the connection, under any of its
   * names.
   */
  #install(text: string, matchRule: MatchRule): ListenedRule {
    const { destination } = matchRule;
    const isForThisConnection = destination !== undefined && this.#receiver.isUniqueName(destination);
    const rule = new ListenedRule(text, matchRule, isForThisConnection);
    this.#rules.set(text, rule);
    return rule;
  }

  #enforce(rule: ListenedRule, matchRule: MatchRule): void {
    const wellKnown = senderToVerify(matchRule);
    // Followed before the rule is added: the owner must be known when the rule's first signal arrives.
    const owner = wellKnown === undefined ? undefined : this.#owners.follow(wellKnown, refusalIsTold);
    const held = this.#matchRules.hold(matchRule);
    for (const listener of rule.listeners.all) if (!listener.ended) listener.hold();
    rule.held = held;
    rule.owner = owner;
    this.#index.add(rule);
    rule.outcome = this.#outcomeOf(rule, held, owner);
  }

  /**
   * The bus's answer to a rule. A rule for signals of a well-known name also fails if the bus refuses to report the
   * name's owner, because no signal could be delivered then.
   */
  async #outcomeOf(rule: ListenedRule, held: HeldRule, owner: FollowedName | undefined): Promise<unknown> {
    const generation = this.#generation;
    const reason = (await held.outcome) ?? (await owner?.refusal);
    // The connection was lost meanwhile: the next bus answers, unless the rule has ended.
    if (generation !== this.#generation) return rule.held === held ? rule.outcome : reason;
    if (rule.held !== held) return reason;
    if (reason === undefined) {
      rule.outcome = IN_FORCE;
      return undefined;
    }
    this.#giveUp(rule);
    if (rule.listeners.all.every(({ ended, awaits }) => ended || awaits) || reason instanceof ConnectionClosedError)
      return reason;
    report('subscription', `the bus refused the match rule ${rule.text}`, reason, this.#receiver.id());
    return reason;
  }

  /** Releases what a rule holds, because it has ended or the bus refused it. */
  #giveUp(rule: ListenedRule): void {
    const { held, owner } = rule;
    if (held === undefined) return;
    rule.held = undefined;
    rule.owner = undefined;
    this.#index.remove(rule);
    held.release();
    owner?.release();
    for (const listener of rule.listeners.all) listener.stopHolding();
  }
}

/** The outcome of the rule informs the subscribers if an owner cannot be followed. */
const refusalIsTold = { changed: () => {}, refused: () => true };

/** The filter compares unique names itself. A well-known name stands for its present owner, which is compared here. */
function isMetBy(received: Inbox, rule: ListenedRule, receiver: Receiver): boolean {
  const { owner, isForThisConnection } = rule;
  if (owner !== undefined && (owner.owner === undefined || owner.owner !== received.sender)) return false;
  if (isForThisConnection) {
    const { destination } = received;
    if (destination === undefined || !receiver.isAddressedHere(destination)) return false;
  }
  return rule.isMetBy(received);
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
    result = listener.taker.take(received);
    if (result instanceof Promise) reportRejection(listenerOf(received), result, received.connectionId);
  } catch (error) {
    reportFailure(listenerOf(received), error, received.connectionId);
  }
  received.endTaking(result);
}

function listenerOf(received: Inbox): string {
  return `a listener of ${received.interface}.${received.member}`;
}
