/**
 * The well-known names of one connection: requested, queued for, lost and given back. A name is at the bus for as long as one
 * of its handles is not released.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
 */
import type { Inbox } from '../connection/inbox.js';
import {
  type ConnectionClosedError,
  closedError,
  type DBusError,
  NameHasNoOwnerError,
  NameTakenError,
  notAnAnswer,
} from '../errors.js';
import { checkWellKnownName } from '../names.js';
import { checkBoolean, checkObject } from '../parameters.js';
import { type BusDriver, isBusSignal, ReleaseNameReply, RequestNameReply } from './driver.js';
import { NameHandle, type NameLoss, type OwnedName } from './owned-name.js';

/** How a name is requested. Without options: all or nothing, and nobody can take it away. */
export interface RequestNameOptions {
  /** Take the name from its present owner, if that one allows it. */
  readonly replace?: boolean;
  /** Let others take the name away with `replace`. */
  readonly allowReplacement?: boolean;
  /** If the name is taken, wait in its queue instead of rejecting. */
  readonly queue?: boolean;
}

/** @throws {@link InvalidArgumentError} for options that make no sense */
export function checkRequestNameOptions(options: RequestNameOptions): void {
  checkObject(options, 'options');
  checkBoolean(options.replace, 'replace');
  checkBoolean(options.allowReplacement, 'allowReplacement');
  checkBoolean(options.queue, 'queue');
}

const RequestNameFlag = { AllowReplacement: 1, ReplaceExisting: 2, DoNotQueue: 4 } as const;

/** A name that is owned or queued for. */
class Name {
  readonly handles = new Set<NameHandle>();
  state: 'owned' | 'queued' = 'queued';
  /** Whether the bus keeps this connection in the name's queue when another one replaces it. */
  queues = false;
}

export class OwnedNames {
  readonly #driver: BusDriver;
  readonly #names = new Map<string, Name>();
  /** Every name that ever was ours: a call that was sent to one may still be on its way. */
  readonly #everOwned = new Set<string>();
  #isClosing = false;

  constructor(driver: BusDriver) {
    this.#driver = driver;
  }

  /** How many names there are, or how many of those a share of the connection has requested. */
  size(owner?: object): number {
    if (owner === undefined) return this.#names.size;
    let size = 0;
    for (const { handles } of this.#names.values()) if ([...handles].some((handle) => handle.owner === owner)) size++;
    return size;
  }

  everOwned(name: string): boolean {
    return this.#everOwned.has(name);
  }

  /**
   * @param owner the share of the connection that requests it
   * @param onEnd called when the handle that comes of it is released or lost
   */
  async request(name: string, options: RequestNameOptions, owner: object, onEnd: () => void): Promise<OwnedName> {
    checkWellKnownName(name, 'name');
    if (this.#isClosing) throw closing(name);
    const flags =
      (options.allowReplacement ? RequestNameFlag.AllowReplacement : 0) |
      (options.replace ? RequestNameFlag.ReplaceExisting : 0) |
      (options.queue ? 0 : RequestNameFlag.DoNotQueue);
    const reply = await this.#driver.requestName(name, flags);
    if (reply === RequestNameReply.Exists) {
      // Who does not want to queue, does not: the bus has taken us out of the queue if we were in it.
      this.#remove(name, 'released');
      throw await this.#taken(name);
    }
    const handle = new NameHandle(name, owner, { release: (released) => this.#release(released), onEnd });
    const owned = this.#names.get(name) ?? this.#add(name);
    owned.handles.add(handle);
    owned.queues = options.queue === true;
    if (reply !== RequestNameReply.InQueue) {
      owned.state = 'owned';
      this.#everOwned.add(name);
    }
    if (owned.state === 'owned') for (const each of owned.handles) each.acquire();
    if (!this.#isClosing) return handle;
    // Closed while the request was on its way.
    await this.#giveBack(name, 'closed').catch(() => {});
    throw closing(name);
  }

  /** Releases all handles that a share of the connection has of a name. */
  async release(name: string, owner: object): Promise<void> {
    const handles = [...(this.#names.get(name)?.handles ?? [])];
    const own = handles.filter((handle) => handle.owner === owner);
    if (own.length > 0) {
      await Promise.all(own.map((handle) => handle.release()));
      return;
    }
    if (handles.length > 0) throw await this.#taken(name);
    const reply = await this.#driver.releaseName(name);
    if (reply === ReleaseNameReply.NonExistent) throw new NameHasNoOwnerError(`nobody owns the name ${name}`);
    if (reply === ReleaseNameReply.NotOwner) throw await this.#taken(name);
  }

  /** Releases everything that a share of the connection has, because it is closed. */
  async releaseAll(owner: object): Promise<void> {
    const handles = [...this.#names.values()].flatMap((name) => [...name.handles]);
    const own = handles.filter((handle) => handle.owner === owner);
    await Promise.all(own.map((handle) => this.#release(handle, 'closed')));
  }

  /** The connection is being closed: all names are given back, and none is taken any more. */
  async leave(): Promise<void> {
    this.#isClosing = true;
    const names = [...this.#names.keys()];
    await Promise.all(names.map((name) => this.#giveBack(name, 'closed')));
  }

  /** Takes note of the bus's NameAcquired and NameLost. */
  observe(message: Inbox): void {
    if (isBusSignal(message, 'NameAcquired', 's')) {
      const name = message.stringAt(0);
      this.#everOwned.add(name);
      const owned = this.#names.get(name);
      if (owned === undefined) return;
      owned.state = 'owned';
      for (const handle of owned.handles) handle.acquire();
    } else if (isBusSignal(message, 'NameLost', 's')) {
      const name = message.stringAt(0);
      const owned = this.#names.get(name);
      if (owned?.queues) {
        owned.state = 'queued';
        for (const handle of owned.handles) handle.wait();
      } else this.#remove(name, 'replaced');
    }
  }

  /** The connection is over, and the names with it: for this reason if it was lost. */
  close(reason: DBusError | undefined): void {
    this.#isClosing = true;
    const loss = reason === undefined ? 'closed' : 'disconnected';
    for (const name of [...this.#names.keys()]) this.#remove(name, loss, reason);
  }

  async #release(handle: NameHandle, loss: NameLoss = 'released'): Promise<void> {
    const { name } = handle;
    const owned = this.#names.get(name);
    if (owned?.handles.has(handle) !== true) return;
    // That it was lost meanwhile is what was wanted.
    if (owned.handles.size === 1) await this.#giveBack(name, loss);
    owned.handles.delete(handle);
    handle.lose(loss);
  }

  async #giveBack(name: string, loss: NameLoss): Promise<void> {
    const owned = this.#names.get(name);
    if (owned === undefined) return;
    // Forgotten first: the NameLost that comes of it is not that of a replacement, and a request that follows is another one.
    this.#names.delete(name);
    try {
      await this.#driver.releaseName(name);
    } finally {
      for (const handle of owned.handles) handle.lose(loss);
    }
  }

  #add(name: string): Name {
    const owned = new Name();
    this.#names.set(name, owned);
    return owned;
  }

  #remove(name: string, loss: NameLoss, reason?: DBusError): void {
    const owned = this.#names.get(name);
    if (owned === undefined) return;
    this.#names.delete(name);
    for (const handle of owned.handles) handle.lose(loss, reason);
  }

  async #taken(name: string): Promise<NameTakenError> {
    const owner = await this.#driver.nameOwner(name).catch((error: unknown) => {
      if (error instanceof NameHasNoOwnerError) return undefined;
      throw error;
    });
    return notAnAnswer(
      new NameTakenError(`the name ${name} is taken${owner === undefined ? '' : ` by ${owner}`}`, { owner }),
    );
  }
}

function closing(name: string): ConnectionClosedError {
  return closedError(`the connection is closed: ${name} is not requested`, undefined);
}
