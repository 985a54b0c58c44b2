/**
 * The well-known names of one connection: requested, queued for, lost and given back. A name stays requested at the bus
 * until its last handle is released, and the bus gets the combined options of all handles.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
 */

import {
  ConnectionClosedError,
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

/**
 * How a name is requested. Without options the request fails if the name is taken, and no connection can take the name
 * away.
 */
export interface RequestNameOptions {
  /** Take the name from its present owner, if the owner allows it. */
  readonly replace?: boolean;
  /**
   * Let other connections take the name away with `replace`, as soon as all handles of it on this connection allow it.
   */
  readonly allowReplacement?: boolean;
  /** If the name is taken, queue for it instead of rejecting; queue again after a replacement. */
  readonly queue?: boolean;
}

export const requestNameOptions = new KnownOptions<RequestNameOptions>('requestName()', {
  replace: checkBoolean,
  allowReplacement: checkBoolean,
  queue: checkBoolean,
});

export class OwnedNames {
  #driver: BusDriver;
  readonly #names = new Map<string, RequestedName>();
  /** Every name that this connection ever owned: a call to one may still be on its way. */
  readonly #everOwned = new Set<string>();
  #isClosing = false;
  /** Whether there is no connection, and another one will follow: it requests the names. */
  #isAway = false;

  constructor(driver: BusDriver) {
    this.#driver = driver;
  }

  /** The number of names, or of those that a share of the connection has requested. */
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
   * @param onEnd called when the new handle is released or lost
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
        // If another handle is queued, the bus queues this connection, although this request did not ask for it.
        isGranted = isOwner(reply) || (reply === RequestNameReply.InQueue && handle.queues);
        if (isGranted && isWanted) requested.handles.add(handle);
      });
    } finally {
      requested.asking.delete(handle);
      // The other handles want what they wanted before, but the bus has the options of this request. A failure is
      // retried later.
      if (!isGranted) void this.#update(requested).catch(() => {});
    }
    // The connection was closed during the request: the name was given back after it.
    if (this.#isClosing) throw closing(name);
    if (!isGranted) throw await this.#taken(name);
    return handle;
  }

  /** Releases all handles of a name that a share of the connection has, including those whose request is in progress. */
  async release(name: string, owner: object): Promise<void> {
    const requested = this.#names.get(name);
    const own = requested?.all.filter((handle) => handle.owner === owner) ?? [];
    if (own.length > 0) {
      await Promise.all(own.map((handle) => handle.release()));
      return;
    }
    if (requested !== undefined) throw await this.#taken(name);
    const reply = await this.#driver.releaseName(name);
    if (reply === ReleaseNameReply.NonExistent) throw new NameHasNoOwnerError(`the name ${name} has no owner`);
    if (reply === ReleaseNameReply.NotOwner) throw await this.#taken(name);
  }

  /** Releases all handles of a share of the connection that is closing. */
  async releaseAll(owner: object): Promise<void> {
    const handles = [...this.#names.values()].flatMap(({ all }) => all);
    const own = handles.filter((handle) => handle.owner === owner);
    await Promise.all(own.map((handle) => this.#release(handle, 'closed')));
  }

  /** Gives all names back because the connection is closing. No further names are requested. */
  async leave(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#names.values()].map((requested) => this.#giveBack(requested)));
  }

  /** Processes the bus's NameAcquired and NameLost. */
  observe(message: Inbox): void {
    if (isBusSignal(message, 'NameAcquired', 's')) {
      const name = message.stringAt(0);
      this.#everOwned.add(name);
      this.#names.get(name)?.acquired();
    } else if (isBusSignal(message, 'NameLost', 's')) {
      const requested = this.#names.get(message.stringAt(0));
      if (requested === undefined) return;
      requested.replaced();
      // Not awaited: if it fails, the bus is informed with the next change.
      void this.#update(requested).catch(() => {});
    }
  }

  /** The connection was lost, and another one will follow: its bus is asked for the names that have handles. */
  lose(): void {
    this.#isAway = true;
    // Calls to these names came over the lost connection.
    this.#everOwned.clear();
    const names = [...this.#names.values()];
    this.#names.clear();
    for (const { name, handles } of names) {
      // A new object, because requests that are in progress end with the old one.
      if (handles.size > 0) this.#names.set(name, new RequestedName(name, handles));
      for (const handle of handles) handle.disconnect();
    }
  }

  /** Requests all names from the bus of the connection that follows. Resolves when it has answered. Never rejects. */
  async restore(driver: BusDriver): Promise<void> {
    this.#isAway = false;
    this.#driver = driver;
    const all = [...this.#names.values()].filter(({ handles }) => handles.size > 0);
    await Promise.all(all.map((requested) => this.#requestAgain(requested)));
  }

  async #requestAgain(requested: RequestedName): Promise<void> {
    try {
      await this.#send(requested, requested.replaces ? RequestNameFlag.ReplaceExisting : 0, (reply) => {
        if (!isOwner(reply)) requested.taken(reply === RequestNameReply.InQueue);
      });
      await this.#update(requested);
    } catch (error) {
      // If the connection was lost again, the next one requests the name.
      if (this.#names.get(requested.name) !== requested || error instanceof ConnectionClosedError) return;
      requested.refused(error as DBusError);
      await this.#update(requested).catch(() => {});
    }
  }

  /** Ends with the connection: all names are lost, for this reason if the connection was lost. */
  close(reason: DBusError | undefined): void {
    this.#isClosing = true;
    const loss = reason === undefined ? 'closed' : 'disconnected';
    const names = [...this.#names.values()];
    this.#names.clear();
    for (const { handles } of names) for (const handle of handles) handle.lose(loss, reason);
  }

  async #release(handle: NameHandle, loss: NameLoss = 'released'): Promise<void> {
    const requested = this.#names.get(handle.name);
    // The name was lost in the meantime, which is the wanted result.
    if (requested?.drop(handle) !== true) return;
    try {
      await this.#update(requested);
    } finally {
      handle.lose(loss);
    }
  }

  /**
   * Informs the bus of the combined options of a name's handles, if they have changed. Without handles the name is
   * given back.
   */
  async #update(requested: RequestedName): Promise<void> {
    if (this.#names.get(requested.name) !== requested) return;
    if (requested.isUnwanted) {
      this.#names.delete(requested.name);
      if (requested.mayBeInQueue) await this.#driver.releaseName(requested.name);
    } else if (requested.isChanged && !this.#isAway) {
      await this.#send(requested);
    }
  }

  async #giveBack(requested: RequestedName): Promise<void> {
    // Forgotten first, so that the NameLost for this release is not taken for a replacement.
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
   * Sends the combined options of a name's handles.
   *
   * @param flags further flags of the request
   * @param onReply called with the answer before any later message of the bus is handled
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
