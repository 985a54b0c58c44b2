/**
 * Callers whose leaving a connection waits for. The number of their match rules is limited, because a bus for the system
 * allows a connection 512: the first callers have a rule each, which brings one signal when that caller leaves. The
 * others share one rule, which brings a signal for every connection and name that leaves the bus.
 */
import type { NameOwners } from '../names/name-owners.js';
import type { MatchRule } from '../rules/match-rule.js';

/** How many callers have a match rule of their own. */
const OWN_RULES_MAXIMUM = 64;

/** NameOwnerChanged without a new owner. `arg0namespace` takes no unique names. */
const LEAVING: MatchRule = { arg2: '' };

export class FollowedCallers {
  readonly #owners: NameOwners;
  #withOwnRule = 0;
  #size = 0;

  constructor(owners: NameOwners) {
    this.#owners = owners;
  }

  /** How many callers are followed. One that several users of the connection follow counts for each. */
  get size(): number {
    return this.#size;
  }

  /**
   * Follows a caller until the returned function is called, which must be called once.
   *
   * @param name its unique name; `undefined` between peers, where the end of the connection is that of the caller
   * @param left called when the caller has left; soon, if it has left already
   */
  follow(name: string | undefined, left: () => void): () => void {
    this.#size++;
    const release = name === undefined ? undefined : this.#ask(name, left);
    return () => {
      this.#size--;
      release?.();
    };
  }

  #ask(name: string, left: () => void): () => void {
    const hasOwnRule = this.#withOwnRule < OWN_RULES_MAXIMUM;
    if (hasOwnRule) this.#withOwnRule++;
    const listener = {
      changed: (owner: string | undefined) => {
        if (owner === undefined) left();
      },
      // The end of the connection tells this.
      lost: () => {},
    };
    const followed = this.#owners.follow(name, listener, true, hasOwnRule ? undefined : LEAVING);
    return () => {
      if (hasOwnRule) this.#withOwnRule--;
      followed.release();
    };
  }
}
