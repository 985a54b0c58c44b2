/**
 * The connections that may answer calls to well-known names. A reply carries the unique name of its sender, and some
 * buses deliver replies that no call asked for: the session policy of dbus-daemon does. So the owner of a called name
 * is followed from the first call on.
 *
 * The call does not wait for that. The match rule and the question for the owner are sent right before the first call,
 * and the bus handles messages in order. So its answers arrive before the callee's reply, and a reply that arrives
 * before them is forged. A name may change its owner while a call is in progress: every owner between the call and its
 * reply may have received the call.
 */

import { isWellKnownName } from '../base/names.js';
import type { Connection } from '../connection/connection.js';
import type { Callee, CalleesByName } from '../connection/sending/pending-calls.js';
import { BUS_NAME } from './names/driver.js';
import type { FollowedName, NameOwners } from './names/name-owners.js';

/**
 * How many names are followed at a time, with a match rule each: a bus for the system allows a connection 512 rules.
 * Beyond that, the names that were not called for the longest time and have no waiting call are dropped. If calls wait
 * for all of them, a further name is called without being followed, and its reply is accepted from any sender.
 */
const FOLLOWED_MAXIMUM = 128;

/** Milliseconds after which the bus is asked again if it refused. Limits and time-outs pass, policies stay. */
const RETRY_AFTER = 10_000;

class NamedCallee implements Callee {
  readonly name: string;
  readonly followed: FollowedName;
  /** A counter over all calls. */
  usedAt = 0;
  /** Whether it replaces one that the bus refused to follow. */
  readonly #isRetry: boolean;
  /** When the refusal was first seen. */
  #deniedSince: number | undefined;

  constructor(name: string, isRetry: boolean, follow: (callee: Callee) => FollowedName) {
    this.name = name;
    this.#isRetry = isRetry;
    this.followed = follow(this);
  }

  mayBe(uniqueName: string): boolean {
    const { owner, knowledge } = this.followed;
    return owner === uniqueName || knowledge === 'denied' || (this.#isRetry && knowledge === 'asked');
  }

  /** Whether the bus refused, and may accept now. */
  get isStale(): boolean {
    if (this.followed.knowledge !== 'denied') return false;
    const now = performance.now();
    this.#deniedSince ??= now;
    return now - this.#deniedSince > RETRY_AFTER;
  }
}

export class Callees implements CalleesByName {
  readonly #connection: Connection;
  readonly #owners: NameOwners;
  readonly #callees = new Map<string, NamedCallee>();
  /** The name that was called last. Most calls go to the same name. */
  #last: NamedCallee | undefined;
  #uses = 0;

  constructor(connection: Connection, owners: NameOwners) {
    this.#connection = connection;
    this.#owners = owners;
  }

  /** Followed names, each with a match rule. */
  get size(): number {
    return this.#callees.size;
  }

  /** The followed name for calls to this destination, if it is followed already. */
  find(destination: string | undefined): Callee | undefined {
    if (this.#last?.name === destination && !this.#last?.isStale) return this.#last;
    const known = destination === undefined ? undefined : this.#callees.get(destination);
    if (known === undefined || known.isStale) return undefined;
    return this.#use(known);
  }

  /** Whether {@link follow} must precede a call to this destination, for which {@link find} returns nothing. */
  isToFollow(destination: string | undefined): destination is string {
    return destination !== undefined && destination !== BUS_NAME && isWellKnownName(destination);
  }

  /** Starts to follow the owner of a name, which sends messages. Returns `undefined` if too many names are followed. */
  follow(name: string): Callee | undefined {
    const stale = this.#callees.get(name);
    if (stale !== undefined) this.#forget(stale);
    if (this.#callees.size >= FOLLOWED_MAXIMUM && !this.#letGo()) return undefined;
    const callee = new NamedCallee(name, stale !== undefined, (itself) =>
      this.#owners.follow(name, { changed: (_owner, previous) => this.#keepFormerOwner(itself, previous) }, true),
    );
    this.#callees.set(name, callee);
    return this.#use(callee);
  }

  #use(callee: NamedCallee): Callee {
    callee.usedAt = ++this.#uses;
    this.#last = callee;
    return callee;
  }

  /** Ends with the connection: all owners are forgotten. */
  close(): void {
    this.#callees.clear();
    this.#last = undefined;
  }

  #keepFormerOwner(callee: Callee, previous: string | undefined): void {
    if (previous !== undefined) this.#connection.calls.keepFormerOwner(callee, previous);
  }

  /** Makes room for one more name. Returns whether there is room. */
  #letGo(): boolean {
    const oldestFirst = [...this.#callees.values()].sort((a, b) => a.usedAt - b.usedAt);
    const idle = oldestFirst.find((callee) => !this.#connection.calls.isCalled(callee));
    if (idle === undefined) return false;
    this.#forget(idle);
    return true;
  }

  #forget(callee: NamedCallee): void {
    if (this.#last === callee) this.#last = undefined;
    this.#callees.delete(callee.name);
    callee.followed.release();
  }
}
