/**
 * Who owns a well-known name now, kept true by NameOwnerChanged for as long as somebody wants to know.
 *
 * The signal is subscribed to before the owner is asked for, and the bus answers in order, so no change is missed.
 */
import { report } from '../diagnostics.js';
import { ConnectionClosedError, NameHasNoOwnerError } from '../errors.js';
import { BUS_INTERFACE, BUS_NAME, BUS_PATH, type BusDriver } from './driver.js';
import type { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

/** A name whose owner is followed. */
export interface FollowedName {
  /** The unique name of the present owner; `undefined` while there is none, or it is not known yet. */
  readonly owner: string | undefined;
  /** Settles when the owner is known for the first time. */
  readonly known: Promise<void>;
  release(): void;
}

export type OwnerListener = (owner: string | undefined, previous: string | undefined) => void;

class Following {
  readonly name: string;
  owner: string | undefined;
  followers = 0;
  readonly listeners = new Set<OwnerListener>();
  subscription: Subscription | undefined;
  known: Promise<void> = Promise.resolve();

  constructor(name: string) {
    this.name = name;
  }

  change(owner: string | undefined): void {
    const previous = this.owner;
    if (owner === previous) return;
    this.owner = owner;
    for (const listener of [...this.listeners]) {
      try {
        listener(owner, previous);
      } catch (error) {
        report('handler', `a watcher of ${this.name} failed`, error);
      }
    }
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

  /** Follows a name until released. `listener` hears of every change, the first owner included. */
  follow(name: string, listener?: OwnerListener): FollowedName {
    const following = this.#followed.get(name) ?? this.#start(name);
    following.followers++;
    if (listener !== undefined) {
      following.listeners.add(listener);
      const { owner } = following;
      if (owner !== undefined) queueMicrotask(() => following.listeners.has(listener) && listener(owner, undefined));
    }
    let held = true;
    return {
      get owner() {
        return following.owner;
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
    const following = new Following(name);
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
      ({ signature, body: [, , owner] }) => {
        if (signature === 'sss') following.change(owner === '' ? undefined : (owner as string));
      },
    );
    following.known = this.#ask(following);
    return following;
  }

  async #ask(following: Following): Promise<void> {
    try {
      const owner = await this.#driver?.nameOwner(following.name);
      following.change(owner);
    } catch (error) {
      if (error instanceof NameHasNoOwnerError || error instanceof ConnectionClosedError) return;
      report('name', `the owner of ${following.name} could not be asked for`, error);
    }
  }

  #stop(following: Following): void {
    this.#followed.delete(following.name);
    following.subscription?.unsubscribe();
  }
}
