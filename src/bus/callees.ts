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
import { CalleePool } from './callee-pool.js';
import { BUS_NAME } from './names/driver.js';
import type { FollowedName, NameOwners } from './names/name-owners.js';

/**
 * How many names are followed with a match rule each. A bus for the system allows a connection 512 rules. Further names
 * share rules.
 */
const OWN_RULES_MAXIMUM = 128;

/**
 * How many names share rules: one rule for all names that begin with the same element, for instance `org`. Such a rule
 * also brings the changes of names that are not called. They are few: it matches no unique names.
 */
const SHARING_MAXIMUM = 1024;

/** How many rules are shared. A name that begins with yet another element gets a rule of its own. */
const SHARED_RULES_MAXIMUM = 16;

/** Milliseconds after which the bus is asked again if it refused. Limits and time-outs pass, policies stay. */
const RETRY_AFTER = 10_000;

class NamedCallee implements Callee {
  readonly name: string;
  /** `undefined` when it is no longer followed. */
  pool: CalleePool<NamedCallee> | undefined;
  readonly followed: FollowedName;
  wasCalled = true;
  /** The number of calls that wait for its answer. */
  waiting = 0;
  /** Whether it replaces one that the bus refused to follow. */
  readonly #isRetry: boolean;
  /** When the refusal was first seen. */
  #deniedSince: number | undefined;

  constructor(
    name: string,
    pool: CalleePool<NamedCallee>,
    isRetry: boolean,
    follow: (callee: NamedCallee) => FollowedName,
  ) {
    this.name = name;
    this.pool = pool;
    this.#isRetry = isRetry;
    this.followed = follow(this);
  }

  mayBe(uniqueName: string): boolean {
    const { owner, knowledge } = this.followed;
    return owner === uniqueName || knowledge === 'denied' || (this.#isRetry && knowledge === 'asked');
  }

  beginCall(): void {
    if (this.waiting++ === 0 && this.pool !== undefined) this.pool.busy++;
  }

  endCall(): void {
    if (--this.waiting === 0 && this.pool !== undefined) this.pool.busy--;
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
  #connection: Connection;
  readonly #owners: NameOwners;
  /** Names with a match rule of their own. */
  readonly #alone = new CalleePool<NamedCallee>(OWN_RULES_MAXIMUM);
  /** Names that share match rules. */
  readonly #sharing = new CalleePool<NamedCallee>(SHARING_MAXIMUM);
  /** The number of names that share a rule, by their first element. */
  readonly #namespaces = new Map<string, number>();
  /** The name that was called last. Most calls go to the same name. */
  #last: NamedCallee | undefined;

  constructor(connection: Connection, owners: NameOwners) {
    this.#connection = connection;
    this.#owners = owners;
  }

  /** The number of followed names. */
  get size(): number {
    return this.#alone.size + this.#sharing.size;
  }

  /** The followed name for calls to this destination, if it is followed already. */
  find(destination: string | undefined): Callee | undefined {
    if (this.#last?.name === destination && !this.#last?.isStale) return this.#last;
    const known = destination === undefined ? undefined : this.#get(destination);
    if (known === undefined || known.isStale) return undefined;
    return this.#use(known);
  }

  /** Whether {@link follow} must precede a call to this destination, for which {@link find} returns nothing. */
  isToFollow(destination: string | undefined): destination is string {
    return destination !== undefined && destination !== BUS_NAME && isWellKnownName(destination);
  }

  /**
   * Starts to follow the owner of a name, which sends messages. If there are too many names, one that was not called
   * lately is dropped. Returns `undefined` if calls wait for all of them: then the name is called without being
   * followed, and its reply is accepted from any sender.
   */
  follow(name: string): Callee | undefined {
    const stale = this.#get(name);
    if (stale !== undefined) this.#forget(stale);
    const firstElement = name.slice(0, name.indexOf('.'));
    const namespace = this.#isToShare(firstElement) ? firstElement : undefined;
    const pool = namespace === undefined ? this.#alone : this.#sharing;
    if (pool.isFull && !this.#letGo(pool)) return undefined;
    const callee = new NamedCallee(name, pool, stale !== undefined, (itself) => {
      const changed = (_owner: string | undefined, previous: string | undefined) =>
        this.#keepFormerOwner(itself, previous);
      const scope = namespace === undefined ? undefined : { arg0namespace: namespace };
      return this.#owners.follow(name, { changed }, true, scope);
    });
    pool.add(callee);
    if (namespace !== undefined) this.#namespaces.set(namespace, (this.#namespaces.get(namespace) ?? 0) + 1);
    return this.#use(callee);
  }

  #get(name: string): NamedCallee | undefined {
    return this.#alone.get(name) ?? this.#sharing.get(name);
  }

  /** Whether the next name that begins with this element shares its rule. */
  #isToShare(firstElement: string): boolean {
    if (!this.#alone.isFull) return false;
    return this.#namespaces.has(firstElement) || this.#namespaces.size < SHARED_RULES_MAXIMUM;
  }

  #use(callee: NamedCallee): Callee {
    callee.wasCalled = true;
    this.#last = callee;
    return callee;
  }

  /** The connection was lost: names are followed again when they are called over the next one. */
  lose(): void {
    const all = [...this.#alone.all, ...this.#sharing.all];
    this.close();
    for (const callee of all) {
      callee.pool = undefined;
      callee.followed.release();
    }
  }

  /** Follows the names that are called over the connection that follows. */
  restore(connection: Connection): void {
    this.#connection = connection;
  }

  /** Ends with the connection: all owners are forgotten. */
  close(): void {
    this.#alone.clear();
    this.#sharing.clear();
    this.#namespaces.clear();
    this.#last = undefined;
  }

  #keepFormerOwner(callee: NamedCallee, previous: string | undefined): void {
    if (previous !== undefined && callee.waiting > 0) this.#connection.calls.keepFormerOwner(callee, previous);
  }

  /** Makes room for one more name. Returns whether there is room. */
  #letGo(pool: CalleePool<NamedCallee>): boolean {
    const idle = pool.leastUsed();
    if (idle === undefined) return false;
    this.#forget(idle);
    return true;
  }

  #forget(callee: NamedCallee): void {
    if (this.#last === callee) this.#last = undefined;
    const { name, pool } = callee;
    // Calls may still wait for a name that is asked for again. They do not count any more.
    callee.pool = undefined;
    pool?.remove(callee);
    if (pool === this.#sharing) this.#leaveNamespace(name.slice(0, name.indexOf('.')));
    callee.followed.release();
  }

  #leaveNamespace(namespace: string): void {
    const left = (this.#namespaces.get(namespace) ?? 0) - 1;
    if (left > 0) this.#namespaces.set(namespace, left);
    else this.#namespaces.delete(namespace);
  }
}
