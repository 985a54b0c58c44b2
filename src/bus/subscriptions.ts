/**
 * The match rules of a bus connection and who listens by them. Equal rules are one rule at the bus, counted here: it
 * is added with the first listener and removed, exactly once, with the last.
 *
 * A listener that asked for signals of a well-known name only gets those of the connection that owns the name now:
 * the bus filters broadcasts so, but anybody may send anybody a signal directly.
 */
import type { Inbox } from '../connection/inbox.js';
import type { Message } from '../connection/message.js';
import { report, reportFailure, reportRejection, trace } from '../diagnostics.js';
import { ConnectionClosedError } from '../errors.js';
import { BUS_NAME, type BusDriver } from './driver.js';
import { compileMatchRule, type MatchableMessage, senderToVerify } from './match-filter.js';
import { formatMatchRule, type MatchRule } from './match-rule.js';
import { type FollowedName, NameOwners } from './name-owners.js';
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
interface Listener {
  /** Counts up, so that it tells who subscribed first. */
  readonly id: number;
  readonly take: SignalTaker;
  /** Whether its subscription is over: another listener may have ended it while a signal is being handed out. */
  ended: boolean;
  /** Whether it asked how AddMatch ended. */
  awaits: boolean;
}

/** A rule at the bus. */
interface Rule {
  readonly text: string;
  readonly rule: MatchRule;
  readonly matches: (message: MatchableMessage) => boolean;
  /** The well-known name that signals are wanted from. */
  readonly owner: FollowedName | undefined;
  /** In the order in which they subscribed; replaced and never changed, because signals are handed out along it. */
  listeners: readonly Listener[];
  /** Why the rule is not in force, or nothing if it is; never rejects. */
  outcome: Promise<unknown>;
  refused: boolean;
}

export class Subscriptions {
  readonly owners: NameOwners;
  readonly #driver: BusDriver | undefined;
  readonly #rules = new Map<string, Rule>();
  readonly #index = new RuleIndex<Rule, Inbox>(isMetBy);
  #lastListener = 0;
  #listeners = 0;
  #droppedSignals = 0;
  #unmatchedSignals = 0;

  readonly #isClosing: () => boolean;

  /**
   * @param driver the bus, or `undefined` between peers, where no rules need to be added
   * @param isClosing whether the program has closed the connection: a listener may have
   */
  constructor(driver: BusDriver | undefined, isClosing: () => boolean) {
    this.#driver = driver;
    this.#isClosing = isClosing;
    this.owners = new NameOwners(this, driver);
  }

  /** Rules that are in force at the bus. */
  get size(): number {
    return this.#rules.size;
  }

  /** Those who listen, by whatever rule; the follow-up of a well-known name's owner counts too. */
  get listeners(): number {
    return this.#listeners;
  }

  /** Signals that somebody listens to, and that nobody got because their bodies were not valid. */
  get droppedSignals(): number {
    return this.#droppedSignals;
  }

  /**
   * Signals that nobody listens to: those of a rule that has just been removed, and those of somebody who does not own the
   * name that they were wanted from. What the bus itself says unasked is not counted.
   */
  get unmatchedSignals(): number {
    return this.#unmatchedSignals;
  }

  /**
   * Adds a listener.
   *
   * @throws {@link InvalidArgumentError} if the rule is not valid
   */
  add(wanted: MatchRule, take: SignalTaker): Subscription {
    // Peers have no names: what comes can only come from the one there is.
    const matchRule = this.#driver === undefined ? { ...wanted, sender: undefined } : wanted;
    const text = formatMatchRule(matchRule);
    let rule = this.#rules.get(text);
    if (rule === undefined) {
      rule = this.#install(text, matchRule);
    }
    const listener: Listener = { id: ++this.#lastListener, take, ended: false, awaits: false };
    rule.listeners = [...rule.listeners, listener];
    this.#listeners++;
    return this.#handle(rule, listener);
  }

  /** The connection is over, and the rules with it. Handles stay valid and do nothing. */
  close(): void {
    for (const rule of this.#rules.values()) {
      rule.refused = true;
      rule.owner?.release();
    }
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
      if (this.#isClosing()) return;
    }
  }

  /** They come with every rule that is removed; whoever looks for a lost signal, or a forged one, wants to know. */
  #onUnmatched({ connectionId, path, interface: interfaceName, member, sender }: Inbox): void {
    this.#unmatchedSignals++;
    if (trace.enabled)
      trace('#%d signal to nobody: %s %s.%s from %s', connectionId, path, interfaceName, member, sender);
  }

  #install(text: string, matchRule: MatchRule): Rule {
    const wellKnown = senderToVerify(matchRule);
    // Before the rule itself: the owner has to be known when its first signal arrives.
    const followed = wellKnown === undefined ? undefined : this.owners.follow(wellKnown);
    const rule: Rule = {
      text,
      rule: matchRule,
      matches: compileMatchRule(matchRule),
      owner: followed,
      listeners: [],
      outcome: Promise.resolve(undefined),
      refused: false,
    };
    this.#rules.set(text, rule);
    this.#index.add(rule);
    rule.outcome = this.#enforce(rule);
    return rule;
  }

  /**
   * Adds a rule at the bus. One that is for signals of a well-known name is of no use where the bus does not tell who owns
   * that: nothing could be handed out.
   */
  async #enforce(rule: Rule): Promise<unknown> {
    try {
      await this.#driver?.addMatch(rule.text);
    } catch (error) {
      this.#refuse(rule, error);
      return error;
    }
    const reason = await rule.owner?.refusal;
    if (reason === undefined) return undefined;
    if (this.#rules.get(rule.text) === rule) this.#removeMatch(rule);
    this.#refuse(rule, reason);
    return reason;
  }

  #removeMatch({ text }: Rule): void {
    this.#driver?.removeMatch(text).catch((error: unknown) => {
      if (error instanceof ConnectionClosedError) return;
      report('subscription', `the match rule ${text} could not be removed`, error, this.#driver?.connectionId);
    });
  }

  /** The bus does not take the rule: whoever listens by it hears nothing, and the next one to subscribe tries again. */
  #refuse(rule: Rule, error: unknown): void {
    rule.refused = true;
    this.#forget(rule);
    if (rule.listeners.every(({ awaits }) => awaits) || error instanceof ConnectionClosedError) return;
    report('subscription', `the bus refused the match rule ${rule.text}`, error, this.#driver?.connectionId);
  }

  #handle(rule: Rule, listener: Listener): Subscription {
    const unsubscribe = () => {
      if (listener.ended) return;
      listener.ended = true;
      this.#listeners--;
      rule.listeners = rule.listeners.filter((other) => other !== listener);
      if (rule.listeners.length > 0 || rule.refused) return;
      this.#forget(rule);
      this.#removeMatch(rule);
    };
    return {
      unsubscribe,
      [Symbol.dispose]: unsubscribe,
      get ready() {
        listener.awaits = true;
        return rule.outcome.then((error) => {
          if (error !== undefined) throw error;
        });
      },
    };
  }

  #forget(rule: Rule): void {
    if (this.#rules.get(rule.text) !== rule) return;
    this.#rules.delete(rule.text);
    this.#index.remove(rule);
    rule.owner?.release();
  }
}

/** The filter compares unique names itself; a well-known one means its present owner. */
function isMetBy(received: Inbox, { owner, matches }: Rule): boolean {
  if (owner !== undefined && (owner.owner === undefined || owner.owner !== received.sender)) return false;
  return matches(received);
}

/** The listeners of some rules, in the order in which they subscribed. */
function inOrder(rules: readonly Rule[]): readonly Listener[] {
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
