/**
 * Match rules that differ in their path namespace alone. dbus-daemon takes them as equal and removes the newest,
 * whichever it is asked to remove. So a rule of a group stays at the bus until the last one ends; the signals that only
 * it brings are filtered here.
 *
 * A program may keep one namespace and come and go with many others. When more rules are left over than are needed, all
 * are removed and the needed ones are added again, under the cover of a rule without a namespace, which the daemon does
 * tell apart. The bus handles these messages in order, so there is no gap.
 */

/** Left-over rules are tolerated up to this number, or up to the number of needed ones if that is larger. */
const LEFT_OVER_MAXIMUM = 8;

/** A rule that the bus was asked to add. */
export interface AddedRule {
  readonly text: string;
  state: 'asked' | 'in force' | 'refused';
  /** Resolves with why the bus refused it, or with nothing if it is in force. Never rejects. */
  outcome: Promise<unknown>;
}

/** How rules are added at the bus, and removed. */
interface AtBus {
  /** Resolves with why the bus refused the rule, or with nothing. */
  add(rule: AddedRule): Promise<unknown>;
  /** Adds a rule that was removed for a moment; that the bus refuses it now is reported. */
  addAgain(rule: AddedRule): void;
  remove(rule: AddedRule): void;
}

export class RuleGroup {
  /** The rule without a namespace, as text. */
  readonly common: string;
  readonly #bus: AtBus;
  readonly #needed = new Map<string, AddedRule>();
  /** Rules that are at the bus, but not needed any more. */
  readonly #leftOver = new Map<string, AddedRule>();
  #isTidying = false;

  constructor(common: string, bus: AtBus) {
    this.common = common;
    this.#bus = bus;
  }

  get isEmpty(): boolean {
    return this.#needed.size === 0 && this.#leftOver.size === 0;
  }

  /** A rule that is not in the group is needed: it is being added at the bus. */
  add(rule: AddedRule): void {
    this.#needed.set(rule.text, rule);
  }

  /** A rule is needed again. Returns `undefined` if it is not at the bus. */
  revive(text: string): AddedRule | undefined {
    const rule = this.#leftOver.get(text);
    if (rule === undefined) return undefined;
    this.#leftOver.delete(text);
    this.#needed.set(text, rule);
    return rule;
  }

  /** The bus has answered to the adding of a rule. */
  settle(rule: AddedRule): void {
    if (rule.state === 'refused') {
      for (const rules of [this.#needed, this.#leftOver]) if (rules.get(rule.text) === rule) rules.delete(rule.text);
    }
    this.#update();
  }

  /** A rule is not needed any more. */
  end(text: string): void {
    const rule = this.#needed.get(text);
    if (rule === undefined) return;
    this.#needed.delete(text);
    this.#leftOver.set(text, rule);
    this.#update();
  }

  #update(): void {
    if (this.#needed.size === 0) this.#removeAll();
    else if (this.#isUntidy) void this.#tidy();
  }

  #removeAll(): void {
    for (const rule of this.#needed.values()) this.#bus.remove(rule);
    for (const rule of this.#leftOver.values()) this.#bus.remove(rule);
    this.#leftOver.clear();
  }

  /** Where the bus has not answered yet, a rule that it refuses could not be told from the one that is added again. */
  get #isUntidy(): boolean {
    if (this.#leftOver.size <= Math.max(LEFT_OVER_MAXIMUM, this.#needed.size)) return false;
    return [...this.#needed.values(), ...this.#leftOver.values()].every(({ state }) => state !== 'asked');
  }

  async #tidy(): Promise<void> {
    if (this.#isTidying) return;
    this.#isTidying = true;
    const cover: AddedRule = { text: this.common, state: 'asked', outcome: Promise.resolve(undefined) };
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
