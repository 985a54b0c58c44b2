/**
 * An index of match rules by the keys that distinguish most of them: the member, the path and the first argument. A
 * signal is compared only with the rules that share these with it, however many rules there are. Nothing is allocated
 * for a signal that no rule matches.
 */
import { firstArgument, type MatchableMessage } from './match-filter.js';

/** An entry of an index. */
export interface Indexed {
  readonly rule: {
    readonly member?: string | undefined;
    readonly path?: string | undefined;
    readonly arg0?: string | undefined;
  };
  /** The place of the entry in its list, for the index alone: looking for it would take longer with more rules. */
  place: number;
}

/** Stands for a key that a rule leaves out. No member, path or name is empty. */
const ANY = '';

/** The rules for a member and a path: most programs have one rule for each, which needs no bucket. */
type Slot<Rule extends Indexed> = Rule | Bucket<Rule>;

/** Rules with the same member and path. */
class Bucket<Rule extends Indexed> {
  /** Rules that do not compare the first argument with a string. */
  readonly others: Rule[] = [];
  /** Rules that do, by that string. The usual case is a rule for each name whose owner is followed. */
  readonly byArgument = new Map<string, Rule[]>();

  get isEmpty(): boolean {
    return this.others.length === 0 && this.byArgument.size === 0;
  }

  add(rule: Rule): void {
    const { arg0 } = rule.rule;
    const rules = arg0 === undefined ? this.others : this.byArgument.get(arg0);
    rule.place = rules?.length ?? 0;
    if (rules === undefined) this.byArgument.set(arg0 as string, [rule]);
    else rules.push(rule);
  }

  remove(rule: Rule): void {
    const { arg0 } = rule.rule;
    const rules = arg0 === undefined ? this.others : (this.byArgument.get(arg0) as Rule[]);
    const last = rules.pop() as Rule;
    if (last !== rule) {
      rules[rule.place] = last;
      last.place = rule.place;
    }
    if (arg0 !== undefined && rules.length === 0) this.byArgument.delete(arg0);
  }
}

export class RuleIndex<Rule extends Indexed, Received extends MatchableMessage> {
  readonly #isMetBy: (received: Received, rule: Rule) => boolean;
  readonly #byMember = new Map<string, Map<string, Slot<Rule>>>();
  readonly #none: readonly Rule[] = [];

  /** @param isMetBy decides whether a message meets a rule; it may compare member, path and first argument again */
  constructor(isMetBy: (received: Received, rule: Rule) => boolean) {
    this.#isMetBy = isMetBy;
  }

  add(rule: Rule): void {
    const { member = ANY, path = ANY } = rule.rule;
    let byPath = this.#byMember.get(member);
    if (byPath === undefined) {
      byPath = new Map();
      this.#byMember.set(member, byPath);
    }
    const slot = byPath.get(path);
    if (slot instanceof Bucket) {
      slot.add(rule);
    } else if (slot === undefined && rule.rule.arg0 === undefined) {
      byPath.set(path, rule);
    } else {
      const bucket = new Bucket<Rule>();
      if (slot !== undefined) bucket.add(slot);
      bucket.add(rule);
      byPath.set(path, bucket);
    }
  }

  /** Removes a rule that is in the index. */
  remove(rule: Rule): void {
    const { member = ANY, path = ANY } = rule.rule;
    const byPath = this.#byMember.get(member);
    const slot = byPath?.get(path);
    if (slot instanceof Bucket) slot.remove(rule);
    if (slot === rule || (slot instanceof Bucket && slot.isEmpty)) byPath?.delete(path);
    if (byPath?.size === 0) this.#byMember.delete(member);
  }

  clear(): void {
    this.#byMember.clear();
  }

  /** The rules that a signal meets, in no particular order. Every signal has a member and a path. */
  find(received: Received): readonly Rule[] {
    const { member = ANY, path = ANY } = received;
    const byPath = this.#byMember.get(member);
    const ofAnyMember = this.#byMember.get(ANY);
    let found = this.#among(byPath?.get(path), received, this.#none);
    found = this.#among(byPath?.get(ANY), received, found);
    found = this.#among(ofAnyMember?.get(path), received, found);
    return this.#among(ofAnyMember?.get(ANY), received, found);
  }

  #among(slot: Slot<Rule> | undefined, received: Received, found: readonly Rule[]): readonly Rule[] {
    if (slot === undefined) return found;
    if (!(slot instanceof Bucket)) return this.#isMetBy(received, slot) ? this.#with(found, slot) : found;
    const all = this.#met(slot.others, received, found);
    if (slot.byArgument.size === 0) return all;
    const argument = firstArgument(received);
    const rules = argument === undefined ? undefined : slot.byArgument.get(argument);
    return rules === undefined ? all : this.#met(rules, received, all);
  }

  /** The rules found so far, with those of `rules` that the message meets. */
  #met(rules: readonly Rule[], received: Received, found: readonly Rule[]): readonly Rule[] {
    let all = found;
    for (let index = 0; index < rules.length; index++) {
      const rule = rules[index] as Rule;
      if (this.#isMetBy(received, rule)) all = this.#with(all, rule);
    }
    return all;
  }

  #with(found: readonly Rule[], rule: Rule): readonly Rule[] {
    return found === this.#none ? [rule] : [...found, rule];
  }
}
