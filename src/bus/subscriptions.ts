/**
 * The match rules of a bus connection and who listens by them. Equal rules are one rule at the bus, counted here: it
 * is added with the first listener and removed, exactly once, with the last.
 *
 * A listener that asked for signals of a well-known name only gets those of the connection that owns the name now:
 * the bus filters broadcasts so, but anybody may send anybody a signal directly.
 */
import type { Inbox } from '../connection/inbox.js';
import type { Message } from '../connection/message.js';
import { report, runHandler } from '../diagnostics.js';
import { ConnectionClosedError } from '../errors.js';
import type { BusDriver } from './driver.js';
import { compileMatchRule, type MatchableMessage, senderToVerify } from './match-filter.js';
import { formatMatchRule, type MatchRule } from './match-rule.js';
import { type FollowedName, NameOwners } from './name-owners.js';
import type { Subscription } from './subscription.js';

export type SignalListener = (message: Message) => void;

/** A rule at the bus. */
interface Rule {
  readonly text: string;
  readonly rule: MatchRule;
  readonly matches: (message: MatchableMessage) => boolean;
  /** The well-known name that signals are wanted from. */
  readonly owner: FollowedName | undefined;
  readonly listeners: Map<number, SignalListener>;
  /** How AddMatch ended; never rejects. */
  readonly outcome: Promise<unknown>;
  awaited: boolean;
  refused: boolean;
}

const ANY = '';

export class Subscriptions {
  readonly owners: NameOwners;
  readonly #driver: BusDriver | undefined;
  readonly #rules = new Map<string, Rule>();
  /** Rules by member and path, the keys that tell most apart; `ANY` where a rule leaves one open. */
  readonly #index = new Map<string, Map<string, Set<Rule>>>();
  #lastListener = 0;

  /** @param driver the bus, or `undefined` between peers, where no rules need to be added */
  constructor(driver: BusDriver | undefined) {
    this.#driver = driver;
    this.owners = new NameOwners(this, driver);
  }

  /** Rules that are in force at the bus. */
  get size(): number {
    return this.#rules.size;
  }

  /**
   * Adds a listener.
   *
   * @throws {@link InvalidArgumentError} if the rule is not valid
   */
  add(wanted: MatchRule, listener: SignalListener): Subscription {
    // Peers have no names: what comes can only come from the one there is.
    const matchRule = this.#driver === undefined ? { ...wanted, sender: undefined } : wanted;
    const text = formatMatchRule(matchRule);
    let rule = this.#rules.get(text);
    if (rule === undefined) {
      rule = this.#install(text, matchRule);
    }
    const id = ++this.#lastListener;
    rule.listeners.set(id, listener);
    return this.#handle(rule, id);
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

  /** Hands a signal to every listener that it is for, in the order in which they subscribed. */
  dispatch(received: Inbox): void {
    const { member = ANY, path = ANY } = received;
    const matching: Rule[] = [];
    for (const byPath of [this.#index.get(member), this.#index.get(ANY)]) {
      if (byPath === undefined) continue;
      this.#match(byPath.get(path), received, matching);
      this.#match(byPath.get(ANY), received, matching);
    }
    const [rule] = matching;
    if (rule === undefined) return;
    const message = received.message();
    if (message.fault !== undefined) {
      report('message', `a signal from ${message.sender} was dropped`, message.fault);
      return;
    }
    // Decoded now, because listeners may keep the message and its bytes are only lent.
    void message.body;
    for (const [id, listeners] of inOrder(matching)) {
      // A listener may have ended another one's subscription meanwhile.
      const listener = listeners.get(id);
      if (listener === undefined) continue;
      runHandler(`a listener of ${message.interface}.${message.member}`, () => listener(message));
    }
  }

  #match(rules: ReadonlySet<Rule> | undefined, received: Inbox, matching: Rule[]): void {
    if (rules === undefined) return;
    for (const rule of rules) {
      // A body that cannot be decoded can still be reported to be for somebody, but conditions on it cannot be met.
      if (isFromOwner(received, rule) && rule.matches(received)) matching.push(rule);
    }
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
      listeners: new Map(),
      outcome: this.#addMatch(text),
      awaited: false,
      refused: false,
    };
    this.#rules.set(text, rule);
    this.#bucket(rule).add(rule);
    void rule.outcome.then((error) => {
      if (error !== undefined) this.#refuse(rule, error);
    });
    return rule;
  }

  async #addMatch(text: string): Promise<unknown> {
    try {
      await this.#driver?.addMatch(text);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** The bus does not take the rule: whoever listens by it hears nothing, and the next one to subscribe tries again. */
  #refuse(rule: Rule, error: unknown): void {
    rule.refused = true;
    this.#forget(rule);
    if (rule.awaited || error instanceof ConnectionClosedError) return;
    report('subscription', `the bus refused the match rule ${rule.text}`, error);
  }

  #handle(rule: Rule, id: number): Subscription {
    const unsubscribe = () => {
      if (!rule.listeners.delete(id) || rule.listeners.size > 0 || rule.refused) return;
      this.#forget(rule);
      this.#driver?.removeMatch(rule.text).catch((error: unknown) => {
        if (error instanceof ConnectionClosedError) return;
        report('subscription', `the match rule ${rule.text} could not be removed`, error);
      });
    };
    return {
      unsubscribe,
      [Symbol.dispose]: unsubscribe,
      get ready() {
        rule.awaited = true;
        return rule.outcome.then((error) => {
          if (error !== undefined) throw error;
        });
      },
    };
  }

  #forget(rule: Rule): void {
    if (this.#rules.get(rule.text) !== rule) return;
    this.#rules.delete(rule.text);
    const bucket = this.#bucket(rule);
    bucket.delete(rule);
    if (bucket.size === 0) {
      const byPath = this.#index.get(rule.rule.member ?? ANY);
      byPath?.delete(rule.rule.path ?? ANY);
      if (byPath?.size === 0) this.#index.delete(rule.rule.member ?? ANY);
    }
    rule.owner?.release();
  }

  #bucket({ rule: { member = ANY, path = ANY } }: Rule): Set<Rule> {
    let byPath = this.#index.get(member);
    if (byPath === undefined) {
      byPath = new Map();
      this.#index.set(member, byPath);
    }
    let bucket = byPath.get(path);
    if (bucket === undefined) {
      bucket = new Set();
      byPath.set(path, bucket);
    }
    return bucket;
  }
}

/** The filter compares unique names itself; a well-known one means its present owner. */
function isFromOwner(received: Inbox, { owner }: Rule): boolean {
  return owner === undefined || (owner.owner !== undefined && owner.owner === received.sender);
}

/** The listeners of some rules, each by its number and where to find it, in the order in which they subscribed. */
function inOrder(rules: readonly Rule[]): [number, Rule['listeners']][] {
  const entries = rules.flatMap(({ listeners }) =>
    [...listeners.keys()].map((id): [number, Rule['listeners']] => [id, listeners]),
  );
  return rules.length === 1 ? entries : entries.sort(([a], [b]) => a - b);
}
