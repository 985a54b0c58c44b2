/**
 * Who owns a well-known name now, kept true by NameOwnerChanged for as long as somebody wants to know.
 *
 * The signal is subscribed to before the owner is asked for, and the bus answers in order, so no change is missed.
 */
import { report, runHandler } from '../diagnostics.js';
import { ConnectionClosedError, NameHasNoOwnerError } from '../errors.js';
import { BUS_INTERFACE, BUS_NAME, BUS_PATH, type BusDriver } from './driver.js';
import type { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

/** A name whose owner is followed. */
export interface FollowedName {
  /** The unique name of the present owner; `undefined` while there is none, or it is not known yet. */
  readonly owner: string | undefined;
  /** How far the owner is known: the bus was asked and follows, or it does not tell. */
  readonly knowledge: OwnerKnowledge;
  /** Resolves when the owner is known for the first time, with `false` if it could not be learnt. Never rejects. */
  readonly known: Promise<boolean>;
  release(): void;
}

type OwnerKnowledge = 'asked' | 'known' | 'denied';

export type OwnerListener = (owner: string | undefined, previous: string | undefined) => void;

class Following {
  readonly name: string;
  owner: string | undefined;
  knowledge: OwnerKnowledge = 'asked';
  followers = 0;
  readonly listeners = new Set<OwnerListener>();
  subscription: Subscription | undefined;
  known: Promise<boolean> = Promise.resolve(false);
  readonly #connectionId: number | undefined;

  constructor(name: string, connectionId: number | undefined) {
    this.name = name;
    this.#connectionId = connectionId;
  }

  change(owner: string | undefined): void {
    const previous = this.owner;
    if (owner === previous) return;
    this.owner = owner;
    for (const listener of [...this.listeners]) this.tell(listener, owner, previous);
  }

  /** Tells a listener, unless it has been released meanwhile. */
  tell(listener: OwnerListener, owner: string | undefined, previous: string | undefined): void {
    if (!this.listeners.has(listener)) return;
    runHandler(`a watcher of ${this.name}`, () => listener(owner, previous), this.#connectionId);
  }
}

export class NameOwners {
  readonly #subscriptions: Subscriptions;
  readonly #driver: BusDriver | undefined;
  readonly #followed = new Map<string, Following>();

  constructor(subscriptions: Subscriptions, driver: BusDriver | undefined) {
    this.#subscriptions = subscriptions;
    this.#driver = driver;
  }

  /**
   * Follows a name until released. `listener` hears of the owner when it is known for the first time, of its absence as
   * well, and of every change after that.
   */
  follow(name: string, listener?: OwnerListener): FollowedName {
    const following = this.#followed.get(name) ?? this.#start(name);
    following.followers++;
    if (listener !== undefined) {
      const { owner } = following;
      following.listeners.add(listener);
      if (owner !== undefined) queueMicrotask(() => following.tell(listener, owner, undefined));
      void following.known.then((isKnown) => {
        if (isKnown && following.owner === undefined) following.tell(listener, undefined, undefined);
      });
    }
    let held = true;
    return {
      get owner() {
        return following.owner;
      },
      get knowledge() {
        return following.knowledge;
      },
      known: following.known,
      release: () => {
        if (!held) return;
        held = false;
        if (listener !== undefined) following.listeners.delete(listener);
        if (--following.followers === 0) this.#stop(following);
      },
    };
  }

  #start(name: string): Following {
    const following = new Following(name, this.#driver?.connectionId);
    this.#followed.set(name, following);
    following.subscription = this.#subscriptions.add(
      {
        type: 'signal',
        sender: BUS_NAME,
        path: BUS_PATH,
        interface: BUS_INTERFACE,
        member: 'NameOwnerChanged',
        arg0: name,
      },
      (received) => {
        if (received.signature !== 'sss') return;
        const [, , owner] = received.decode();
        following.change(owner === '' ? undefined : (owner as string));
      },
    );
    following.known = this.#ask(following);
    void this.#heed(following, following.subscription);
    return following;
  }

  async #ask(following: Following): Promise<boolean> {
    const learn = (owner: string | undefined) => {
      if (following.knowledge === 'asked') following.knowledge = 'known';
      following.change(owner);
    };
    const learnWhyNot = (errorName: string | undefined) => {
      if (errorName === NameHasNoOwnerError.dbusName) learn(undefined);
      else following.knowledge = 'denied';
    };
    try {
      await this.#driver?.tellNameOwner(following.name, learn, learnWhyNot);
      return true;
    } catch (error) {
      if (error instanceof NameHasNoOwnerError) return true;
      following.knowledge = 'denied';
      if (error instanceof ConnectionClosedError) return false;
      report('name', `the owner of ${following.name} could not be asked for`, error, this.#driver?.connectionId);
      return false;
    }
  }

  /** Without its rule, the bus tells of no change. */
  async #heed(following: Following, { ready }: Subscription): Promise<void> {
    try {
      await ready;
    } catch (error) {
      following.knowledge = 'denied';
      if (error instanceof ConnectionClosedError) return;
      const what = `the bus refused the match rule that follows the owner of ${following.name}`;
      report('subscription', what, error, this.#driver?.connectionId);
    }
  }

  #stop(following: Following): void {
    this.#followed.delete(following.name);
    following.subscription?.unsubscribe();
  }
}
