/**
 * The listeners of a connection, by the match rules that they subscribed with.
 *
 * A listener that asked for signals of a well-known name only gets those of the connection that owns the name now:
 * the bus filters broadcasts so, but any connection may send any other a signal directly.
 */

import { ConnectionClosedError } from '../../base/errors.js';
import { withHandle } from '../../base/handle.js';
import type { Message } from '../../connection/message.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { report, reportFailure, reportRejection, trace } from '../../diagnostics/problems.js';
import { BUS_NAME } from '../names/driver.js';
import type { FollowedName, NameOwners } from '../names/name-owners.js';
import { compileMatchRule, type MatchableMessage, senderToVerify } from './match-filter.js';
import { formatMatchRule, type MatchRule } from './match-rule.js';
import type { HeldRule, MatchRules } from './match-rules.js';
import { RuleIndex } from './rule-index.js';
import type { Subscription } from './subscription.js';

/**
 * Gets each signal that matches. What it throws is reported on the channel `busbar:problem`, and stops nothing else. File
 * descriptors of the signal are on loan until it is done, or the promise that it returned has settled.
 */
export type SignalListener = (message: Message) => void;

/** Takes a signal while it is the inbox's current message; later its bytes are gone. */
export type SignalTaker = (received: Inbox) => unknown;

/** One who listens by a rule. */
class Listener {
  /** Counts up, so that it tells who subscribed first. */
  readonly id: number;
  readonly take: SignalTaker;
  /** Whether its subscription is over: another listener may have ended it while a signal is being handed out. */
  ended = false;
  /** Whether it asked how AddMatch ended. */
  awaits = false;
  readonly #hold: Hold;
  #stopHolding: (() => void) | undefined;

  constructor(id: number, take: SignalTaker, hold: Hold) {
    this.id = id;
    this.take = take;
    this.#hold = hold;
  }

  hold(): void {
    this.#stopHolding ??= this.#hold();
  }

  stopHolding(): void {
    this.#stopHolding?.();
    this.#stopHolding = undefined;
  }
}

/** A rule that is listened by. */
interface ListenedRule {
  readonly text: string;
  readonly rule: MatchRule;
  readonly matches: (message: MatchableMessage) => boolean;
  /** In the order in which they subscribed; replaced and never changed, because signals are handed out along it. */
  listeners: readonly Listener[];
  /** What it takes to have the rule in force; `undefined` when the bus has refused it. */
  force: InForce | undefined;
  /** Why the rule is not in force, or nothing if it is; never rejects. */
  outcome: Promise<unknown>;
}

/** What a rule holds from when it is asked for until it ends, or is refused. */
interface InForce {
  readonly held: HeldRule;
  /** The well-known name that signals are wanted from. */
  readonly owner: FollowedName | undefined;
}

/** What a connection is to its subscriptions. */
export interface Subscriber {
  /** The number by which diagnostics call it. */
  readonly id: number;
  /** Whether there is no bus, but one peer at the other end, which is the sender of everything. */
  readonly isPeer: boolean;
  /** Whether the program has closed the connection: a listener may have. */
  isClosing(): boolean;
  /** Whether this is the unique name of the connection. */
  isUniqueName(name: string): boolean;
  /** Whether a message that carries this destination is for the connection. */
  isAddressedHere(destination: string): boolean;
}

/** Keeps the process alive until the returned function is called. */
export type Hold = () => () => void;

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

  /** Those who listen, by whatever rule. */
  get listeners(): number {
    return this.#listeners;
  }

  /** Signals that somebody listens to, and that nobody got because their bodies were not valid. */
  get droppedSignals(): number {
    return this.#droppedSignals;
  }

  /**
   * Signals without a listener: those of a rule that has just been removed, and those of a sender that does not own the
   * name that they were wanted from. What the bus itself says unasked is not counted.
   */
  get unmatchedSignals(): number {
    return this.#unmatchedSignals;
  }

  /**
   * Adds a listener. If the bus has refused the rule before, it is asked again, for the earlier listeners as well.
   *
   * @param hold keeps the process alive, for as long as the rule is in force for this listener
   * @throws {@link InvalidArgumentError} if the rule is not valid
   */
  add(wanted: MatchRule, take: SignalTaker, hold: Hold): Subscription {
    // Peers have no names: what comes can only come from the one there is.
    const matchRule = this.#subscriber.isPeer ? { ...wanted, sender: undefined } : wanted;
    const text = formatMatchRule(matchRule);
    const rule = this.#rules.get(text) ?? this.#install(text, matchRule);
    const listener = new Listener(++this.#lastListener, take, hold);
    rule.listeners = [...rule.listeners, listener];
    this.#listeners++;
    if (rule.force === undefined) this.#enforce(rule);
    else listener.hold();
    return this.#handle(rule, listener);
  }

  /** The connection is over, and the rules with it. Handles stay valid and do nothing. */
  close(): void {
    for (const rule of this.#rules.values()) {
      for (const listener of rule.listeners) listener.ended = true;
      rule.listeners = [];
      this.#giveUp(rule);
    }
    this.#listeners = 0;
    this.#rules.clear();
    this.#index.clear();
  }

  /** Hands a signal to every listener that it is for, in the order in which they subscribed, until one closes the connection. */
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
    const listeners = found.length === 1 ? rule.listeners : inOrder(found);
    const { length } = listeners;
    for (let index = 0; index < length; index++) {
      if (index === length - 1) received.expectLastTaker();
      hand(received, listeners[index] as Listener);
      if (this.#subscriber.isClosing()) return;
    }
  }

  /** They come with every rule that is removed; whoever looks for a lost signal, or a forged one, wants to know. */
  #onUnmatched({ connectionId, path, interface: interfaceName, member, sender }: Inbox): void {
    this.#unmatchedSignals++;
    if (trace.enabled)
      trace('#%d signal to nobody: %s %s.%s from %s', connectionId, path, interfaceName, member, sender);
  }

  #install(text: string, matchRule: MatchRule): ListenedRule {
    const rule: ListenedRule = {
      text,
      rule: matchRule,
      matches: this.#filterOf(matchRule),
      listeners: [],
      force: undefined,
      outcome: Promise.resolve(undefined),
    };
    this.#rules.set(text, rule);
    return rule;
  }

  /** Who asks for what is sent to this connection wants all of it, whichever of its names the sender used. */
  #filterOf(rule: MatchRule): (message: MatchableMessage) => boolean {
    const subscriber = this.#subscriber;
    if (rule.destination === undefined || !subscriber.isUniqueName(rule.destination)) return compileMatchRule(rule);
    const matches = compileMatchRule({ ...rule, destination: undefined });
    return (message) =>
      message.destination !== undefined && subscriber.isAddressedHere(message.destination) && matches(message);
  }

  #enforce(rule: ListenedRule): void {
    const wellKnown = senderToVerify(rule.rule);
    // Before the rule itself: the owner has to be known when its first signal arrives.
    const owner = wellKnown === undefined ? undefined : this.#owners.follow(wellKnown, refusalIsTold);
    const force: InForce = { held: this.#matchRules.hold(rule.rule), owner };
    for (const listener of rule.listeners) listener.hold();
    rule.force = force;
    this.#index.add(rule);
    rule.outcome = this.#outcomeOf(rule, force);
  }

  /**
   * How the bus takes a rule. One that is for signals of a well-known name is of no use where the bus does not tell who owns
   * that: nothing could be handed out.
   */
  async #outcomeOf(rule: ListenedRule, force: InForce): Promise<unknown> {
    const reason = (await force.held.outcome) ?? (await force.owner?.refusal);
    if (reason === undefined || rule.force !== force) return reason;
    this.#giveUp(rule);
    if (rule.listeners.every(({ awaits }) => awaits) || reason instanceof ConnectionClosedError) return reason;
    report('subscription', `the bus refused the match rule ${rule.text}`, reason, this.#subscriber.id);
    return reason;
  }

  #handle(rule: ListenedRule, listener: Listener): Subscription {
    const end = () => {
      if (listener.ended) return;
      listener.ended = true;
      listener.stopHolding();
      this.#listeners--;
      rule.listeners = rule.listeners.filter((other) => other !== listener);
      if (rule.listeners.length > 0) return;
      this.#rules.delete(rule.text);
      this.#giveUp(rule);
    };
    const outcome = {
      get ready(): Promise<void> {
        listener.awaits = true;
        return rule.outcome.then((error) => {
          if (error !== undefined) throw error;
        });
      },
    };
    return withHandle(outcome, 'subscription', rule.text, end);
  }

  /** Lets go of what a rule holds: it has ended, or the bus does not take it. */
  #giveUp(rule: ListenedRule): void {
    if (rule.force === undefined) return;
    const { held, owner } = rule.force;
    rule.force = undefined;
    this.#index.remove(rule);
    held.release();
    owner?.release();
    for (const listener of rule.listeners) listener.stopHolding();
  }
}

/** That an owner cannot be followed is told to whoever subscribed, by the outcome of the rule. */
const refusalIsTold = { changed: () => {}, refused: () => true };

/** The filter compares unique names itself; a well-known one means its present owner. */
function isMetBy(received: Inbox, { force, matches }: ListenedRule): boolean {
  const owner = force?.owner;
  if (owner !== undefined && (owner.owner === undefined || owner.owner !== received.sender)) return false;
  return matches(received);
}

/** The listeners of some rules, in the order in which they subscribed. */
function inOrder(rules: readonly ListenedRule[]): readonly Listener[] {
  return rules.flatMap(({ listeners }) => listeners).sort((a, b) => a.id - b.id);
}

/** Written out, where a closure for each signal would be garbage. */
function hand(received: Inbox, listener: Listener): void {
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
