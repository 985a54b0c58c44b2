/**
 * The present owners of well-known names, kept up to date by NameOwnerChanged while they are followed.
 *
 * The match rule for the signal is added before the owner is asked for, and the bus answers in order, so no change is
 * missed. The signals are processed before any message handler or listener of the program, because a handler may keep a
 * message from the rest.
 */

import { ConnectionClosedError, closedError, type DBusError, NameHasNoOwnerError } from '../../base/errors.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { report, runHandler } from '../../diagnostics/problems.js';
import type { MatchRule } from '../rules/match-rule.js';
import type { HeldRule, MatchRules } from '../rules/match-rules.js';
import { BUS_INTERFACE, BUS_NAME, BUS_PATH, type BusDriver } from './driver.js';

/** A name whose owner is followed. */
export interface FollowedName {
  /** The unique name of the present owner; `undefined` if there is none, or it is not known yet. */
  readonly owner: string | undefined;
  /** How far the owner is known: the bus was asked, the bus reports changes, or the bus refused. */
  readonly knowledge: OwnerKnowledge;
  /**
   * Resolves with the reason if the bus refuses to report the owner or its changes, else with nothing. Never rejects.
   */
  readonly refusal: Promise<unknown>;
  release(): void;
}

type OwnerKnowledge = 'asked' | 'known' | 'denied';

/** Gets the owner of a name and its changes. */
export interface OwnerListener {
  /** Called when the owner, or its absence, is first known, and for every change after that. */
  changed(owner: string | undefined, previous: string | undefined): unknown;
  /**
   * The bus refuses to report changes, for this reason; it may be asked again later. Returns whether the listener
   * informed the program.
   */
  refused?(reason: unknown): boolean;
  /** The bus was asked again, and now reports changes. */
  resumed?(): void;
  /**
   * The connection was lost, and the next one will ask again. If left out, `changed` is called as if the name had lost
   * its owner.
   */
  lost?(): void;
}

/** One user of a followed name. */
interface Follower {
  readonly listener: OwnerListener | undefined;
  /** Whether busbar follows the name for its own purposes, and not for the program. */
  readonly isInternal: boolean;
  /** Whether the listener knows the present owner. */
  isTold: boolean;
}

/** One attempt to follow a name at the bus. It goes on at the next connection if it was not answered by the last one. */
class Attempt {
  readonly rule: HeldRule;
  isDenied = false;
  isAnswered = false;
  readonly refusal: Promise<unknown>;
  /** Whether the bus refused an earlier attempt. */
  readonly isAgain: boolean;
  #resolve!: (reason: unknown) => void;

  constructor(rule: HeldRule, isAgain: boolean) {
    this.rule = rule;
    this.isAgain = isAgain;
    this.refusal = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  answer(reason: unknown): void {
    this.isAnswered = true;
    this.#resolve(reason);
  }
}

class Following {
  readonly name: string;
  /** Which signals of the bus its match rule asks for. */
  readonly scope: MatchRule;
  readonly followers = new Set<Follower>();
  owner: string | undefined;
  knowledge: OwnerKnowledge = 'asked';
  attempt!: Attempt;
  readonly #connectionId: () => number | undefined;

  constructor(name: string, scope: MatchRule, connectionId: () => number | undefined) {
    this.name = name;
    this.scope = scope;
    this.#connectionId = connectionId;
  }

  /** Whether no follower was requested by the program. */
  get isInternal(): boolean {
    for (const follower of this.followers) if (!follower.isInternal) return false;
    return true;
  }

  change(owner: string | undefined): void {
    const previous = this.owner;
    if (owner === previous) return;
    this.owner = owner;
    for (const follower of [...this.followers]) this.#tell(follower, owner, previous);
  }

  /** The connection was lost: the owner is not known. */
  lose(): void {
    const previous = this.owner;
    this.owner = undefined;
    this.knowledge = 'asked';
    for (const follower of [...this.followers]) {
      if (follower.listener?.lost !== undefined) {
        follower.isTold = false;
        follower.listener.lost();
      } else if (previous !== undefined) {
        this.#tell(follower, undefined, previous);
      }
    }
  }

  /** Informs the listeners that do not know the owner yet. */
  tellFirst(): void {
    for (const follower of [...this.followers]) {
      if (!follower.isTold) this.#tell(follower, this.owner, undefined);
    }
  }

  /** Returns whether any listener informed the program. */
  tellRefused(reason: unknown): boolean {
    let isTold = false;
    for (const follower of [...this.followers]) {
      if (this.followers.has(follower) && follower.listener?.refused?.(reason) === true) isTold = true;
    }
    return isTold;
  }

  tellResumed(): void {
    for (const follower of [...this.followers]) if (this.followers.has(follower)) follower.listener?.resumed?.();
  }

  /** Informs a listener, unless it was released in the meantime. */
  #tell(follower: Follower, owner: string | undefined, previous: string | undefined): void {
    const { listener } = follower;
    if (listener === undefined || !this.followers.has(follower)) return;
    follower.isTold = true;
    runHandler(`a watcher of ${this.name}`, () => listener.changed(owner, previous), this.#connectionId());
  }
}

export class NameOwners {
  readonly #rules: MatchRules;
  #driver: BusDriver | undefined;
  /** Whether there is no connection, and another one will follow: it asks for the owners. */
  #isAway = false;
  readonly #followed = new Map<string, Following>();

  constructor(rules: MatchRules, driver: BusDriver | undefined) {
    this.#rules = rules;
    this.#driver = driver;
  }

  /**
   * Follows a name until released. If the bus refused before, it is asked again, for all followers of the name.
   *
   * @param isInternal whether busbar follows the name for its own purposes, and not for the program
   * @param scope the arguments of the signals that its match rule asks for, if it may share its rule with other names
   */
  follow(name: string, listener?: OwnerListener, isInternal = false, scope?: MatchRule): FollowedName {
    const following = this.#followed.get(name) ?? this.#make(name, scope ?? { arg0: name });
    const follower: Follower = { listener, isInternal, isTold: false };
    following.followers.add(follower);
    if (following.attempt === undefined || following.attempt.isDenied) this.#attempt(following);
    following.attempt.rule.isInternal = following.isInternal;
    // A listener must not be called before the caller has its handle.
    if (listener !== undefined && (following.owner !== undefined || following.knowledge === 'known')) {
      queueMicrotask(() => following.tellFirst());
    }
    return {
      get owner() {
        return following.owner;
      },
      get knowledge() {
        return following.knowledge;
      },
      get refusal() {
        return following.attempt.refusal;
      },
      release: () => {
        if (following.followers.delete(follower)) this.#release(following);
      },
    };
  }

  /** Processes a signal of the bus. */
  observe(received: Inbox): void {
    if (received.member !== 'NameOwnerChanged' || received.interface !== BUS_INTERFACE) return;
    if (received.signature !== 'sss') return;
    const following = this.#followed.get(received.stringAt(0));
    if (following === undefined) return;
    const owner = received.stringAt(2);
    following.change(owner === '' ? undefined : owner);
  }

  /** The connection was lost, and another one will follow: no owner is known until then. */
  lose(): void {
    this.#isAway = true;
    const all = [...this.#followed.values()];
    for (const following of all) {
      const { attempt } = following;
      if (attempt.isDenied) following.attempt = new Attempt(this.#hold(following), true);
      else if (attempt.isAnswered) following.attempt = new Attempt(attempt.rule, false);
    }
    // The listeners run code of the program, which may follow and release names.
    for (const following of all) if (this.#followed.get(following.name) === following) following.lose();
  }

  /** Asks the bus of the connection that follows for all owners. Its match rules are restored already. */
  restore(driver: BusDriver | undefined): void {
    this.#isAway = false;
    this.#driver = driver;
    for (const following of this.#followed.values()) void this.#request(following, following.attempt);
  }

  /** Ends with the connection: owners are no longer reported. */
  close(reason: DBusError | undefined): void {
    if (this.#isAway) {
      const error = closedError('the connection was closed', reason);
      for (const { attempt } of this.#followed.values()) attempt.answer(error);
    }
    this.#followed.clear();
  }

  #make(name: string, scope: MatchRule): Following {
    const following = new Following(name, scope, () => this.#driver?.connectionId);
    this.#followed.set(name, following);
    return following;
  }

  #attempt(following: Following): void {
    const isAgain = following.attempt !== undefined;
    following.attempt = new Attempt(this.#hold(following), isAgain);
    if (!this.#isAway) void this.#request(following, following.attempt);
  }

  #hold({ scope }: Following): HeldRule {
    const signal = { sender: BUS_NAME, path: BUS_PATH, interface: BUS_INTERFACE, member: 'NameOwnerChanged' };
    return this.#rules.hold({ type: 'signal', ...signal, ...scope });
  }

  async #request(following: Following, attempt: Attempt): Promise<void> {
    const driver = this.#driver;
    const reasons = await Promise.all([this.#heed(following, attempt), this.#ask(following, attempt)]);
    // The connection was lost meanwhile: the next one asks, unless the name is no longer followed.
    if (!this.#isPresent(driver) && this.#followed.get(following.name)?.attempt === attempt) return;
    const reason = reasons.find((each) => each !== undefined);
    attempt.answer(reason);
    if (reason === undefined && attempt.isAgain) following.tellResumed();
    if (reason !== undefined && !(reason instanceof ConnectionClosedError)) this.#tellRefused(following, reason);
  }

  /** Whether an answer that was requested through this driver comes from the present bus. */
  #isPresent(driver: BusDriver | undefined): boolean {
    return !this.#isAway && driver === this.#driver;
  }

  /** Asks for the owner. Resolves with the reason if the bus refuses to answer. */
  async #ask(following: Following, attempt: Attempt): Promise<unknown> {
    const driver = this.#driver;
    const learn = (owner: string | undefined) => {
      if (!attempt.isDenied) following.knowledge = 'known';
      following.change(owner);
      // The absence of an owner is not a change, but must be reported: now, before the bus's later messages.
      following.tellFirst();
    };
    const learnWhyNot = (errorName: string | undefined) => {
      if (errorName === NameHasNoOwnerError.dbusName) learn(undefined);
      else this.#deny(following, attempt);
    };
    try {
      await driver?.tellNameOwner(following.name, learn, learnWhyNot);
    } catch (error) {
      if (!(error instanceof NameHasNoOwnerError)) {
        if (this.#isPresent(driver)) this.#deny(following, attempt);
        return error;
      }
    }
    if (this.#isPresent(driver)) following.tellFirst();
    return undefined;
  }

  /** Adds the match rule, without which the bus reports no changes. Resolves with the reason if the bus refused it. */
  async #heed(following: Following, attempt: Attempt): Promise<unknown> {
    const reason = await attempt.rule.outcome;
    if (reason !== undefined) this.#deny(following, attempt);
    return reason;
  }

  /** Records that the bus refused. The next follower of the name asks again. */
  #deny(following: Following, attempt: Attempt): void {
    attempt.isDenied = true;
    attempt.rule.release();
    if (following.attempt === attempt) following.knowledge = 'denied';
  }

  #tellRefused(following: Following, reason: unknown): void {
    if (following.tellRefused(reason)) return;
    const what = `the bus does not report the owner of ${following.name}`;
    report('name', what, reason, this.#driver?.connectionId);
  }

  #release(following: Following): void {
    following.attempt.rule.isInternal = following.isInternal;
    if (following.followers.size > 0) return;
    following.attempt.rule.release();
    if (this.#followed.get(following.name) === following) this.#followed.delete(following.name);
  }
}
