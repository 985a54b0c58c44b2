/**
 * Who may answer the calls that are made by well-known names. A reply says by which unique name it was sent, and some
 * buses deliver replies that nobody asked for: the session policy of dbus-daemon does. So the owner of a name that is
 * called is followed, from the first call on.
 *
 * Nothing waits for that. The match rule and the question for the owner are sent right before the first call, and the bus
 * does one thing after the other, so their answers are here before the callee's: a reply that comes before them is forged.
 * A name may change hands while a call is on its way. Whoever owned it at any time between the call and its reply may have
 * been the one that got the call.
 */

import { isWellKnownName } from '../base/names.js';
import type { Connection } from '../connection/connection.js';
import type { Callee, CalleesByName } from '../connection/sending/pending-calls.js';
import { BUS_NAME } from './names/driver.js';
import type { FollowedName, NameOwners } from './names/name-owners.js';

/**
 * Names that are followed at a time, with a match rule each: a bus for the system allows a connection 512 rules. If more
 * are called, those that were not called for the longest time, and of which no call waits, are let go. Where a call waits
 * for each, a further name is called all the same, and its reply is taken from whoever sends it.
 */
const FOLLOWED_MAXIMUM = 128;

/** Milliseconds after which the bus is asked again, where it did not tell: limits and time-outs pass, policies stay. */
const RETRY_AFTER = 10_000;

class NamedCallee implements Callee {
  readonly name: string;
  readonly followed: FollowedName;
  /** Counts up over all of them. */
  usedAt = 0;
  /** Whether it takes the place of one that the bus did not tell of. */
  readonly #isRetry: boolean;
  /** When that it does not tell was seen first. */
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

  /** Whether the bus did not tell, and may do so now. */
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
  /** Most calls go where the last one went. */
  #last: NamedCallee | undefined;
  #uses = 0;

  constructor(connection: Connection, owners: NameOwners) {
    this.#connection = connection;
    this.#owners = owners;
  }

  /** Names that are followed, with a match rule each. */
  get size(): number {
    return this.#callees.size;
  }

  /** The one that calls to this destination go to, where it is followed already. */
  find(destination: string | undefined): Callee | undefined {
    if (this.#last?.name === destination && !this.#last?.isStale) return this.#last;
    const known = destination === undefined ? undefined : this.#callees.get(destination);
    if (known === undefined || known.isStale) return undefined;
    return this.#use(known);
  }

  /** Whether a call to this destination, for which {@link find} finds nothing, is to be preceded by {@link follow}. */
  isToFollow(destination: string | undefined): destination is string {
    return destination !== undefined && destination !== BUS_NAME && isWellKnownName(destination);
  }

  /** Begins to follow the owner of a name, which sends messages. Returns `undefined` where too many are followed. */
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

  /** The connection is over, and with it what is known of owners. */
  close(): void {
    this.#callees.clear();
    this.#last = undefined;
  }

  #keepFormerOwner(callee: Callee, previous: string | undefined): void {
    if (previous !== undefined) this.#connection.calls.keepFormerOwner(callee, previous);
  }

  /** Makes room for one more. Returns whether there is any. */
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
