/**
 * Match rules that differ only in their path namespace. dbus-daemon treats them as equal and removes the newest,
 * whichever it is asked to remove. So a rule of a group stays at the bus until the last one ends; signals that only an
 * unneeded rule matches are filtered out here.
 *
 * A program may keep one namespace and add and remove many others. When there are more unneeded than needed rules, all
 * are removed and the needed ones are added again. During that time a rule without a namespace, which the daemon does
 * tell apart, covers them. The bus handles these messages in order, so no signal is missed.
 */

/** Unneeded rules are tolerated up to this number, or up to the number of needed ones if that is larger. */
const LEFT_OVER_MAXIMUM = 8;

/** A rule that the bus was asked to add. */
export interface AddedRule {
  readonly text: string;
  state: 'asked' | 'in force' | 'refused';
  /** Resolves with the reason if the bus refused it, else with nothing. Never rejects. */
  outcome: Promise<unknown>;
  /** Settles the outcome. */
  settle(reason: unknown): void;
}

/** How rules are added to and removed from the bus. */
interface AtBus {
  /** Resolves with the reason if the bus refused the rule, else with nothing. */
  add(rule: AddedRule): Promise<unknown>;
  /** Adds a rule again that was removed for a moment. A refusal is reported. */
  addAgain(rule: AddedRule): void;
  remove(rule: AddedRule): void;
}

export class RuleGroup {
  /** The rule without a namespace, as text. */
  readonly common: string;
  readonly #bus: AtBus;
  readonly #needed = new Map<string, AddedRule>();
  /** Rules that are at the bus, but no longer needed. */
  readonly #leftOver = new Map<string, AddedRule>();
  #isTidying = false;

  constructor(common: string, bus: AtBus) {
    this.common = common;
    this.#bus = bus;
  }

  get isEmpty(): boolean {
    return this.#needed.size === 0 && this.#leftOver.size === 0;
  }

  /** Adds a rule that the group does not have. It is being added at the bus. */
  add(rule: AddedRule): void {
    this.#needed.set(rule.text, rule);
  }

  /** Marks a rule as needed again. Returns `undefined` if it is not at the bus. */
  revive(text: string): AddedRule | undefined {
    const rule = this.#leftOver.get(text);
    if (rule === undefined) return undefined;
    this.#leftOver.delete(text);
    this.#needed.set(text, rule);
    return rule;
  }

  /** Records that the bus has answered the addition of a rule. */
  settle(rule: AddedRule): void {
    if (rule.state === 'refused') {
      for (const rules of [this.#needed, this.#leftOver]) if (rules.get(rule.text) === rule) rules.delete(rule.text);
    }
    this.#update();
  }

  /** Drops a rule that is not at the bus. */
  forget(text: string): void {
    this.#needed.delete(text);
  }

  /** The connection was lost: only the needed rules will be added at the next one. */
  forgetLeftOver(): void {
    this.#leftOver.clear();
  }

  /** Marks a rule as no longer needed. */
  end(text: string): void {
    const rule = this.#needed.get(text);
    if (rule === undefined) return;
    this.#needed.delete(text);
    this.#leftOver.set(text, rule);
    this.#update();
  }

  #update(): void {
    if (this.#needed.size === 0) this.#removeAll();
    else if (!this.#isTidying && this.#isUntidy) void this.#tidy();
  }

  #removeAll(): void {
    for (const rule of this.#needed.values()) this.#bus.remove(rule);
    for (const rule of this.#leftOver.values()) this.#bus.remove(rule);
    this.#leftOver.clear();
  }

  /** Before the bus has answered, a refused rule cannot be told from the rule that is added again. */
  get #isUntidy(): boolean {
    if (this.#leftOver.size <= Math.max(LEFT_OVER_MAXIMUM, this.#needed.size)) return false;
    return [...this.#needed.values(), ...this.#leftOver.values()].every(({ state }) => state !== 'asked');
  }

  async #tidy(): Promise<void> {
    this.#isTidying = true;
    const cover = { text: this.common, state: 'asked', outcome: Promise.resolve(undefined), settle() {} } as const;
    const refusal = await this.#bus.add(cover);
    this.#isTidying = false;
    if (refusal !== undefined) return;
    if (this.#needed.size > 0 && this.#isUntidy) {
      this.#removeAll();
      for (const rule of this.#needed.values()) this.#bus.addAgain(rule);
    }
    this.#bus.remove(cover);
  }
}
