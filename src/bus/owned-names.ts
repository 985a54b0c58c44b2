/**
 * The well-known names of one connection: requested, queued for, lost and given back.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
 */
import type { Inbox } from '../connection/inbox.js';
import { NameHasNoOwnerError, NameTakenError } from '../errors.js';
import { checkWellKnownName } from '../names.js';
import { type BusDriver, isBusSignal, ReleaseNameReply, RequestNameReply } from './driver.js';

/** How a name is requested. Without options: all or nothing, and nobody can take it away. */
export interface RequestNameOptions {
  /** Take the name from its present owner, if that one allows it. */
  readonly replace?: boolean;
  /** Let others take the name away with `replace`. */
  readonly allowReplacement?: boolean;
  /** If the name is taken, wait in its queue instead of rejecting. */
  readonly queue?: boolean;
}

/** A name that this connection owns or waits for. Disposing it gives it back. */
export interface OwnedName extends AsyncDisposable {
  /** The well-known name. */
  readonly name: string;
  /**
   * `queued` until the name is ours; `lost` when it was given back, or taken away. Who asked with `queue` and loses the
   * name to a replacement is `queued` again.
   */
  readonly state: 'owned' | 'queued' | 'lost';
  /** Resolves when the name is ours: at once, unless it is queued for. Ask again after a loss. */
  readonly acquired: Promise<void>;
  /** Resolves when the name is no longer ours. Ask again after it was acquired anew. */
  readonly lost: Promise<void>;
  /** Gives the name back, or leaves its queue. Does nothing for a name that is lost already. */
  release(): Promise<void>;
}

const RequestNameFlag = { AllowReplacement: 1, ReplaceExisting: 2, DoNotQueue: 4 } as const;

class Name implements OwnedName {
  readonly name: string;
  readonly release: () => Promise<void>;
  state: OwnedName['state'] = 'queued';
  /** Whether the bus keeps us in the name's queue when somebody replaces us. */
  queues = false;
  #acquired = new Occasion();
  #lost = new Occasion();

  constructor(name: string, release: () => Promise<void>) {
    this.name = name;
    this.release = release;
  }

  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  get lost(): Promise<void> {
    return this.#lost.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  acquire(): void {
    if (this.state !== 'queued') return;
    this.state = 'owned';
    this.#lost.reset();
    this.#acquired.happen();
  }

  /** Somebody else owns the name now, and we wait for it. */
  wait(): void {
    this.state = 'queued';
    this.#acquired.reset();
    this.#lost.happen();
  }

  lose(): void {
    this.state = 'lost';
    this.#lost.happen();
  }
}

/** Something that happens, and after a reset may happen again. */
class Occasion {
  promise!: Promise<void>;
  #resolve: (() => void) | undefined;

  constructor() {
    this.reset();
  }

  happen(): void {
    this.#resolve?.();
    this.#resolve = undefined;
  }

  reset(): void {
    if (this.#resolve !== undefined) return;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

export class OwnedNames {
  readonly #driver: BusDriver;
  readonly #names = new Map<string, Name>();
  /** Every name that ever was ours: a call that was sent to one may still be on its way. */
  readonly #everOwned = new Set<string>();
  readonly #changed: () => void;

  /** @param changed called when the number of names changes */
  constructor(driver: BusDriver, changed: () => void) {
    this.#driver = driver;
    this.#changed = changed;
  }

  get size(): number {
    return this.#names.size;
  }

  everOwned(name: string): boolean {
    return this.#everOwned.has(name);
  }

  async request(name: string, options: RequestNameOptions): Promise<OwnedName> {
    checkWellKnownName(name, 'name');
    const flags =
      (options.allowReplacement ? RequestNameFlag.AllowReplacement : 0) |
      (options.replace ? RequestNameFlag.ReplaceExisting : 0) |
      (options.queue ? 0 : RequestNameFlag.DoNotQueue);
    const reply = await this.#driver.requestName(name, flags);
    if (reply === RequestNameReply.Exists) {
      // Who does not want to queue, does not: the bus has taken us out of the queue if we were in it.
      this.#remove(name);
      throw await this.#taken(name);
    }
    const owned = this.#names.get(name) ?? this.#add(name);
    owned.queues = options.queue === true;
    if (reply !== RequestNameReply.InQueue) owned.acquire();
    return owned;
  }

  async release(name: string): Promise<void> {
    const reply = await this.#giveBack(name);
    if (reply === ReleaseNameReply.NonExistent) throw new NameHasNoOwnerError(`nobody owns the name ${name}`);
    if (reply === ReleaseNameReply.NotOwner) throw await this.#taken(name);
  }

  async #giveBack(name: string): Promise<number> {
    const owned = this.#names.get(name);
    // The NameLost that comes of it must not count as being replaced.
    if (owned !== undefined) owned.queues = false;
    const reply = await this.#driver.releaseName(name);
    this.#remove(name);
    return reply;
  }

  /** Takes note of the bus's NameAcquired and NameLost. */
  observe(message: Inbox): void {
    if (isBusSignal(message, 'NameAcquired', 's')) {
      const name = message.stringAt(0);
      this.#everOwned.add(name);
      this.#names.get(name)?.acquire();
    } else if (isBusSignal(message, 'NameLost', 's')) {
      const name = message.stringAt(0);
      const owned = this.#names.get(name);
      if (owned?.queues) owned.wait();
      else this.#remove(name);
    }
  }

  /** The connection is over, and the names with it. */
  close(): void {
    for (const name of [...this.#names.keys()]) this.#remove(name);
  }

  #add(name: string): Name {
    const owned = new Name(name, async () => {
      // That it was lost meanwhile is what was wanted.
      if (this.#names.get(name) === owned) await this.#giveBack(name);
    });
    this.#names.set(name, owned);
    this.#changed();
    return owned;
  }

  #remove(name: string): void {
    const owned = this.#names.get(name);
    if (owned === undefined) return;
    this.#names.delete(name);
    owned.lose();
    this.#changed();
  }

  async #taken(name: string): Promise<NameTakenError> {
    const owner = await this.#driver.nameOwner(name).catch((error: unknown) => {
      if (error instanceof NameHasNoOwnerError) return undefined;
      throw error;
    });
    return new NameTakenError(`the name ${name} is taken${owner === undefined ? '' : ` by ${owner}`}`, { owner });
  }
}
