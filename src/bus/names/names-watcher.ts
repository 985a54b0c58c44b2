/** Watchers of all names in a namespace, which inform the program of the names that have an owner. */
import type { DBusError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkObject, checkOptionalFunction } from '../../base/parameters.js';
import { isPlainObject } from '../../codec/plain-object.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { report, runHandler } from '../../diagnostics/problems.js';
import type { Lasting } from '../link/link.js';
import type { SignalTaker } from '../rules/listener.js';
import type { Subscription } from '../rules/subscription.js';
import { BUS_INTERFACE, BUS_NAME, BUS_PATH } from './driver.js';

/** The functions that {@link MessageBus.watchNames} calls for names. Each may be left out. */
export interface NamesWatcher {
  /** The name has an owner: already at the start, or from now on. */
  readonly appeared?: ((name: string, owner: string) => void) | undefined;
  /** The name has no owner any more. Also called for each name when the connection is lost. */
  readonly vanished?: ((name: string) => void) | undefined;
  /** The name has another owner, without an interruption. */
  readonly changed?: ((name: string, owner: string, previous: string) => void) | undefined;
  /**
   * The bus refuses to report names. If left out, the refusal is reported on the channel `busbar:problem`.
   */
  readonly refused?: ((reason: unknown) => void) | undefined;
}

const watcherFunctions = new KnownOptions<NamesWatcher>(
  'watchNames()',
  {
    appeared: checkOptionalFunction,
    vanished: checkOptionalFunction,
    changed: checkOptionalFunction,
    refused: checkOptionalFunction,
  },
  { kind: 'function' },
);

/**
 * Checks a watcher. An instance of a class may have other members as well.
 *
 * @throws {@link InvalidArgumentError} if it is not a watcher
 */
export function checkNamesWatcher(watcher: NamesWatcher): void {
  checkObject(watcher, 'watcher');
  const { appeared, vanished, changed, refused } = watcher;
  watcherFunctions.check(isPlainObject(watcher) ? watcher : { appeared, vanished, changed, refused }, 'watcher');
}

/** What a watcher needs of a connection. */
interface Watched {
  readonly connectionId: number;
  listen(rule: object, taker: SignalTaker): Subscription;
  whenClosed(listener: (reason: DBusError | undefined) => void): () => void;
  outlast(lasting: Lasting): () => void;
  listNames(): Promise<readonly string[]>;
  nameOwner(name: string): Promise<string>;
}

/** A watcher in force. The bus answers in order, so the last thing that it said of a name is true. */
export class NamesWatch implements Lasting {
  readonly #namespace: string;
  readonly #watcher: NamesWatcher;
  readonly #bus: Watched;
  readonly #owners = new Map<string, string>();
  readonly #subscription: Subscription;
  readonly #stopWaiting: () => void;
  readonly #stopLasting: () => void;
  #isOver = false;
  /** Counts the lists of names that were asked for: the answer to an earlier question is out of date. */
  #generation = 0;

  constructor(namespace: string, watcher: NamesWatcher, bus: Watched) {
    this.#namespace = namespace;
    this.#watcher = watcher;
    this.#bus = bus;
    const signal = { sender: BUS_NAME, path: BUS_PATH, interface: BUS_INTERFACE, member: 'NameOwnerChanged' };
    this.#subscription = bus.listen({ ...signal, arg0namespace: namespace }, this);
    this.#stopWaiting = bus.whenClosed((reason) => this.#onClosed(reason));
    this.#stopLasting = bus.outlast(this);
    void this.#begin();
  }

  /** The connection was lost: no name has a known owner. */
  lost(): void {
    this.#generation++;
    this.#vanishAll();
  }

  /** The match rule is declared at the connection that follows. */
  back(): Promise<void> {
    return this.#begin();
  }

  end(): void {
    this.#isOver = true;
    this.#subscription.end();
    this.#stopWaiting();
    this.#stopLasting();
    this.#owners.clear();
  }

  /** Takes NameOwnerChanged. */
  take(received: Inbox): void {
    if (received.signature !== 'sss') return;
    const owner = received.stringAt(2);
    this.#set(received.stringAt(0), owner === '' ? undefined : owner);
  }

  async #begin(): Promise<void> {
    const generation = ++this.#generation;
    const isCurrent = () => generation === this.#generation;
    try {
      await this.#subscription.ready;
      if (!isCurrent()) return;
      const names = await this.#bus.listNames();
      const set = (name: string, owner: string) => isCurrent() && this.#set(name, owner);
      // A name that has lost its owner meanwhile has been reported.
      const ask = (name: string) => this.#bus.nameOwner(name).then((owner) => set(name, owner), nothing);
      if (isCurrent()) await Promise.all(names.filter((name) => this.#isMember(name)).map(ask));
    } catch (reason) {
      if (isCurrent()) this.#refuse(reason);
    }
  }

  #isMember(name: string): boolean {
    return name === this.#namespace || name.startsWith(`${this.#namespace}.`);
  }

  #set(name: string, owner: string | undefined): void {
    if (this.#isOver) return;
    const previous = this.#owners.get(name);
    if (owner === previous) return;
    const { appeared, vanished, changed } = this.#watcher;
    if (owner === undefined) {
      this.#owners.delete(name);
      this.#run(() => vanished?.call(this.#watcher, name));
      return;
    }
    this.#owners.set(name, owner);
    if (previous === undefined) this.#run(() => appeared?.call(this.#watcher, name, owner));
    else this.#run(() => changed?.call(this.#watcher, name, owner, previous));
  }

  #refuse(reason: unknown): void {
    if (this.#isOver) return;
    this.end();
    const { refused } = this.#watcher;
    if (refused !== undefined) this.#run(() => refused.call(this.#watcher, reason));
    else report('name', `the bus does not report the names in ${this.#namespace}`, reason, this.#bus.connectionId);
  }

  /** A program that closes the connection knows about it. */
  #onClosed(reason: DBusError | undefined): void {
    if (reason !== undefined) this.#vanishAll();
    this.#isOver = true;
  }

  #vanishAll(): void {
    for (const name of [...this.#owners.keys()]) this.#set(name, undefined);
  }

  #run(call: () => unknown): void {
    runHandler(`a watcher of the names in ${this.#namespace}`, call, this.#bus.connectionId);
  }
}

function nothing(): void {}
