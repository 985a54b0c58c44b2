/**
 * The match rules of a connection at the bus. Equal rules are one rule at the bus, with its holders counted here: it is
 * added for the first holder and removed, exactly once, after the last.
 *
 * Buses do not agree on which rules are equal: dbus-daemon does not compare path namespaces, and removes the newest of
 * the rules that it takes as equal. Such rules are removed together (`rule-group.ts`).
 */

import { ConnectionClosedError, closedError, type DBusError } from '../../base/errors.js';
import { SmallSet } from '../../base/small-set.js';
import { report } from '../../diagnostics/problems.js';
import type { BusDriver } from '../names/driver.js';
import { formatMatchRule, type MatchRule } from './match-rule.js';
import { type AddedRule, RuleGroup } from './rule-group.js';

/** One holder's part of a rule at the bus. */
export interface HeldRule {
  /** Resolves with the reason if the bus refused the rule, else with nothing. Never rejects. */
  readonly outcome: Promise<unknown>;
  /** Whether busbar holds it for its own purposes, and not for the program. */
  isInternal: boolean;
  /** Releases the rule. Further calls do nothing. */
  release(): void;
}

/** The outcome of a rule that the bus has accepted: one promise for all of them. */
const ACCEPTED: Promise<unknown> = Promise.resolve(undefined);

function nothing(): void {}

/** Makes the outcome of a rule wait for an answer. */
function awaitOutcome(rule: AddedRule): void {
  rule.outcome = new Promise((resolve) => {
    rule.settle = resolve;
  });
}

/** The holders of a rule. */
class SharedRule extends SmallSet<Holding> {
  readonly added: AddedRule;
  readonly group: RuleGroup | undefined;

  constructor(added: AddedRule, group: RuleGroup | undefined) {
    super();
    this.added = added;
    this.group = group;
  }
}

class Holding implements HeldRule {
  isInternal: boolean;
  readonly #rules: MatchRules;
  readonly #shared: SharedRule;

  constructor(rules: MatchRules, shared: SharedRule, isInternal: boolean) {
    this.#rules = rules;
    this.#shared = shared;
    this.isInternal = isInternal;
  }

  get outcome(): Promise<unknown> {
    return this.#shared.added.outcome;
  }

  release(): void {
    if (this.#shared.delete(this) && this.#shared.size === 0) this.#rules.end(this.#shared);
  }
}

export class MatchRules {
  #driver: BusDriver | undefined;
  /** Whether there is no connection, and another one will follow: rules are added to the bus then. */
  #isAway = false;
  readonly #rules = new Map<string, SharedRule>();
  /** Groups, by the text that their rules have in common. */
  readonly #groups = new Map<string, RuleGroup>();

  /** @param driver the bus; `undefined` between peers, where rules need not be added */
  constructor(driver: BusDriver | undefined) {
    this.#driver = driver;
  }

  /** The number of rules that the program needs, for any purpose. */
  get size(): number {
    let size = 0;
    for (const holders of this.#rules.values()) {
      for (const holder of holders) {
        if (holder.isInternal) continue;
        size++;
        break;
      }
    }
    return size;
  }

  /**
   * Keeps a rule in force until it is released. A rule that the bus refused is tried again for the next holder.
   *
   * @throws {@link InvalidArgumentError} if the rule is not valid
   */
  hold(rule: MatchRule, isInternal = false): HeldRule {
    const text = formatMatchRule(rule);
    const shared = this.#rules.get(text) ?? this.#share(text, rule);
    const held = new Holding(this, shared, isInternal);
    shared.add(held);
    return held;
  }

  /** The connection was lost, and with it all rules at the bus. Another connection will follow. */
  lose(): void {
    this.#isAway = true;
    for (const { added } of this.#rules.values()) {
      added.state = 'asked';
      if (added.outcome === ACCEPTED) awaitOutcome(added);
    }
    for (const group of this.#groups.values()) group.forgetLeftOver();
  }

  /** Adds all rules to the bus of the connection that follows. */
  restore(driver: BusDriver | undefined): void {
    this.#isAway = false;
    this.#driver = driver;
    for (const { added, group } of this.#rules.values()) void this.#ask(added, group);
  }

  /** Ends with the connection: all rules are gone. */
  close(reason: DBusError | undefined): void {
    for (const holders of this.#rules.values()) {
      // Rules that waited for a connection.
      if (this.#isAway) holders.added.settle(closedError('the connection was closed', reason));
      holders.clear();
    }
    this.#rules.clear();
    this.#groups.clear();
  }

  #share(text: string, rule: MatchRule): SharedRule {
    const group = this.#groupOf(text, rule);
    const added = group?.revive(text) ?? this.#add(text, group);
    const shared = new SharedRule(added, group);
    this.#rules.set(text, shared);
    return shared;
  }

  /** Ends a rule without holders. */
  end(shared: SharedRule): void {
    const { added, group } = shared;
    if (this.#rules.get(added.text) !== shared) return;
    this.#rules.delete(added.text);
    if (this.#isAway) this.#endUnasked(added, group);
    else if (group === undefined) this.#removeMatch(added);
    else group.end(added.text);
    this.#forgetEmpty(group);
  }

  /** Ends a rule that no bus has. */
  #endUnasked(added: AddedRule, group: RuleGroup | undefined): void {
    group?.forget(added.text);
    added.settle(undefined);
  }

  #add(text: string, group: RuleGroup | undefined): AddedRule {
    const added: AddedRule = { text, state: 'asked', outcome: ACCEPTED, settle: nothing };
    awaitOutcome(added);
    group?.add(added);
    if (!this.#isAway) void this.#ask(added, group);
    return added;
  }

  async #ask(added: AddedRule, group: RuleGroup | undefined): Promise<void> {
    const driver = this.#driver;
    const reason = await this.#addMatch(added);
    if (this.#isAway || this.#driver !== driver) {
      // The connection was lost meanwhile. The next one is asked, unless the rule has ended.
      if (this.#rules.get(added.text)?.added !== added) added.settle(reason);
      return;
    }
    if (reason !== undefined && this.#rules.get(added.text)?.added === added) this.#rules.delete(added.text);
    added.settle(reason);
    if (reason === undefined) added.outcome = ACCEPTED;
    group?.settle(added);
    this.#forgetEmpty(group);
  }

  #groupOf(text: string, rule: MatchRule): RuleGroup | undefined {
    if (rule.pathNamespace === undefined || this.#driver === undefined) return undefined;
    const common = formatMatchRule({ ...rule, pathNamespace: undefined });
    if (common === text) return undefined;
    const known = this.#groups.get(common);
    if (known !== undefined) return known;
    const group = new RuleGroup(common, {
      add: (rule) => this.#addMatch(rule),
      addAgain: (rule) => void this.#addAgain(rule),
      remove: (rule) => this.#removeMatch(rule),
    });
    this.#groups.set(common, group);
    return group;
  }

  #forgetEmpty(group: RuleGroup | undefined): void {
    if (group?.isEmpty === true && this.#groups.get(group.common) === group) this.#groups.delete(group.common);
  }

  /** Resolves with the reason if the bus refused the rule, else with nothing. */
  async #addMatch(rule: AddedRule): Promise<unknown> {
    try {
      await this.#driver?.addMatch(rule.text);
      rule.state = 'in force';
      return undefined;
    } catch (error) {
      rule.state = 'refused';
      return error;
    }
  }

  async #addAgain(rule: AddedRule): Promise<void> {
    const reason = await this.#addMatch(rule);
    if (reason === undefined || reason instanceof ConnectionClosedError) return;
    report('subscription', `the bus refused the match rule ${rule.text}`, reason, this.#driver?.connectionId);
  }

  /** Removes a rule. If the bus refuses to add it after that, it cannot be removed, and that is not an error. */
  #removeMatch(rule: AddedRule): void {
    if (this.#isAway) return;
    this.#driver?.removeMatch(rule.text).catch((error: unknown) => {
      if (error instanceof ConnectionClosedError || rule.state === 'refused') return;
      report('subscription', `the match rule ${rule.text} could not be removed`, error, this.#driver?.connectionId);
    });
  }
}
