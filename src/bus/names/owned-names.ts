/**
 * The well-known names of one connection: requested, queued for, lost and given back. A name is at the bus for as long as one
 * of its handles is not released, and the bus has what they all want together.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
 */

import {
  type ConnectionClosedError,
  closedError,
  type DBusError,
  NameHasNoOwnerError,
  NameTakenError,
} from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkWellKnownName } from '../../base/names.js';
import { checkBoolean } from '../../base/parameters.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { type BusDriver, isBusSignal, ReleaseNameReply, RequestNameReply } from './driver.js';
import { NameHandle, type NameLoss, type OwnedName } from './owned-name.js';
import { RequestedName, RequestNameFlag } from './requested-name.js';

/** How a name is requested. Without options: all or nothing, and nobody can take it away. */
export interface RequestNameOptions {
  /** Take the name from its present owner, if that one allows it. */
  readonly replace?: boolean;
  /** Let others take the name away with `replace`, as soon as all handles of it on the connection allow it. */
  readonly allowReplacement?: boolean;
  /** If the name is taken, wait in its queue instead of rejecting; wait there again after a replacement. */
  readonly queue?: boolean;
}

export const requestNameOptions = new KnownOptions<RequestNameOptions>('requestName()', {
  replace: checkBoolean,
  allowReplacement: checkBoolean,
  queue: checkBoolean,
});

export class OwnedNames {
  readonly #driver: BusDriver;
  readonly #names = new Map<string, RequestedName>();
  /** Every name that ever was ours: a call that was sent to one may still be on its way. */
  readonly #everOwned = new Set<string>();
  #isClosing = false;

  constructor(driver: BusDriver) {
    this.#driver = driver;
  }

  /** How many names there are, or how many of those a share of the connection has requested. */
  size(owner?: object): number {
    let size = 0;
    for (const { handles } of this.#names.values()) {
      if (owner === undefined ? handles.size > 0 : [...handles].some((handle) => handle.owner === owner)) size++;
    }
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
    const handle = new NameHandle(name, owner, options, { release: (released) => this.#release(released), onEnd });
    const requested = this.#names.get(name) ?? this.#add(name);
    requested.asking.add(handle);
    let isGranted = false;
    try {
      await this.#send(requested, options.replace ? RequestNameFlag.ReplaceExisting : 0, (reply) => {
        const isWanted = requested.asking.delete(handle) && !this.#isClosing;
        // Where another handle waits, the bus has this connection wait, which is not what this one asked for.
        isGranted = isOwner(reply) || (reply === RequestNameReply.InQueue && handle.queues);
        if (isGranted && isWanted) requested.handles.add(handle);
      });
    } finally {
      requested.asking.delete(handle);
      // What the others want has not changed by it, but the bus has what this one wanted. A failure is tried again later.
      if (!isGranted) void this.#update(requested).catch(() => {});
    }
    // Closed while the request was on its way: the name was given back behind it.
    if (this.#isClosing) throw closing(name);
    if (!isGranted) throw await this.#taken(name);
    return handle;
  }

  /** Releases all handles that a share of the connection has of a name, those whose request is on its way included. */
  async release(name: string, owner: object): Promise<void> {
    const requested = this.#names.get(name);
    const own = requested?.all.filter((handle) => handle.owner === owner) ?? [];
    if (own.length > 0) {
      await Promise.all(own.map((handle) => handle.release()));
      return;
    }
    if (requested !== undefined) throw await this.#taken(name);
    const reply = await this.#driver.releaseName(name);
    if (reply === ReleaseNameReply.NonExistent) throw new NameHasNoOwnerError(`nobody owns the name ${name}`);
    if (reply === ReleaseNameReply.NotOwner) throw await this.#taken(name);
  }

  /** Releases everything that a share of the connection has, because it is closed. */
  async releaseAll(owner: object): Promise<void> {
    const handles = [...this.#names.values()].flatMap(({ all }) => all);
    const own = handles.filter((handle) => handle.owner === owner);
    await Promise.all(own.map((handle) => this.#release(handle, 'closed')));
  }

  /** The connection is being closed: all names are given back, and none is taken any more. */
  async leave(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#names.values()].map((requested) => this.#giveBack(requested)));
  }

  /** Takes note of the bus's NameAcquired and NameLost. */
  observe(message: Inbox): void {
    if (isBusSignal(message, 'NameAcquired', 's')) {
      const name = message.stringAt(0);
      this.#everOwned.add(name);
      this.#names.get(name)?.acquired();
    } else if (isBusSignal(message, 'NameLost', 's')) {
      const requested = this.#names.get(message.stringAt(0));
      if (requested === undefined) return;
      requested.replaced();
      // Nothing waits for this: what the bus was not told now, it is told with the next change.
      void this.#update(requested).catch(() => {});
    }
  }

  /** The connection is over, and the names with it: for this reason if it was lost. */
  close(reason: DBusError | undefined): void {
    this.#isClosing = true;
    const loss = reason === undefined ? 'closed' : 'disconnected';
    const names = [...this.#names.values()];
    this.#names.clear();
    for (const { handles } of names) for (const handle of handles) handle.lose(loss, reason);
  }

  async #release(handle: NameHandle, loss: NameLoss = 'released'): Promise<void> {
    const requested = this.#names.get(handle.name);
    // That it was lost meanwhile is what was wanted.
    if (requested?.drop(handle) !== true) return;
    try {
      await this.#update(requested);
    } finally {
      handle.lose(loss);
    }
  }

  /** Tells the bus what the handles of a name want, where that has changed. Without any, the name is given back. */
  async #update(requested: RequestedName): Promise<void> {
    if (this.#names.get(requested.name) !== requested) return;
    if (requested.isUnwanted) {
      this.#names.delete(requested.name);
      if (requested.mayBeInQueue) await this.#driver.releaseName(requested.name);
    } else if (requested.isChanged) {
      await this.#send(requested);
    }
  }

  async #giveBack(requested: RequestedName): Promise<void> {
    // Forgotten first: the NameLost that comes of it is not that of a replacement.
    this.#names.delete(requested.name);
    try {
      await this.#driver.releaseName(requested.name);
    } finally {
      for (const handle of requested.handles) handle.lose('closed');
    }
  }

  #add(name: string): RequestedName {
    const requested = new RequestedName(name);
    this.#names.set(name, requested);
    return requested;
  }

  /**
   * Sends what the handles of a name want.
   *
   * @param flags what is asked for besides
   * @param onReply called with the answer before anything that the bus sent behind it is handled
   */
  async #send(requested: RequestedName, flags = 0, onReply?: (reply: number) => void): Promise<void> {
    const wanted = requested.flags;
    requested.sending(wanted);
    try {
      await this.#driver.requestName(requested.name, wanted | flags, (reply) => {
        requested.answered(reply !== RequestNameReply.Exists);
        onReply?.(reply);
        if (!isOwner(reply)) return;
        this.#everOwned.add(requested.name);
        requested.acquired();
      });
    } catch (error) {
      requested.failed();
      throw error;
    }
  }

  async #taken(name: string): Promise<NameTakenError> {
    const owner = await this.#driver.nameOwner(name).catch((error: unknown) => {
      if (error instanceof NameHasNoOwnerError) return undefined;
      throw error;
    });
    return new NameTakenError(`the name ${name} is taken${owner === undefined ? '' : ` by ${owner}`}`, { owner });
  }
}

function isOwner(reply: number): boolean {
  return reply === RequestNameReply.PrimaryOwner || reply === RequestNameReply.AlreadyOwner;
}

function closing(name: string): ConnectionClosedError {
  return closedError(`the connection is closed: ${name} is not requested`, undefined);
}
