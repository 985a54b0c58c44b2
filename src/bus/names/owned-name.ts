/** The handle of one request for a well-known name. Each request for a name has a handle of its own. */
import { inspect } from 'node:util';
import { closedError, type DBusError, NameReleasedError } from '../../base/errors.js';

/**
 * Why a name is no longer owned or queued for:
 *
 * - `replaced`: another connection took it
 * - `released`: this program released it
 * - `closed`: the connection, or the share of it, was closed
 * - `disconnected`: the connection was lost; {@link MessageBus.disconnected} has the reason. With `reconnect`, the name is
 *   requested again over the next connection, and is `queued` until then
 * - `refused`: the bus refused the name when it was requested again over a new connection; `acquired` rejects with its
 *   error
 */
export type NameLoss = 'replaced' | 'released' | 'closed' | 'disconnected' | 'refused';

/**
 * A name that this connection owns or is queued for. Disposing of it releases the name. It has `release`, not `end`,
 * because the bus has to confirm the release: await it.
 */
export interface OwnedName extends AsyncDisposable {
  /** The well-known name. */
  readonly name: string;
  /**
   * `queued` until this connection owns the name, also while a bus that reconnects is `away`; `lost` when the connection
   * neither owns it nor is queued for it. A request with `queue` that loses the name to a replacement is `queued` again.
   */
  readonly state: 'owned' | 'queued' | 'lost';
  /**
   * Resolves when this connection owns the name: at once, unless it is queued. Read it again after a loss. You need not
   * handle its rejection.
   *
   * @throws (rejects) {@link NameReleasedError} when the request leaves the queue
   * @throws (rejects) {@link ConnectionClosedError} when the connection ends before
   */
  readonly acquired: Promise<void>;
  /**
   * Resolves with the reason when this connection no longer owns the name or is no longer queued for it. Read it again
   * after the name was acquired anew.
   */
  readonly lost: Promise<NameLoss>;
  /**
   * Releases the name, or leaves its queue. If a connection requested a name more than once, the name is released with
   * its last handle; until then the bus gets the combined options of the remaining handles. Does nothing for a handle
   * that was released before.
   */
  release(): Promise<void>;
}

/** A promise that settles once, and can be renewed after that. */
class Occasion<Value> {
  promise!: Promise<Value>;
  #settle: { readonly resolve: (value: Value) => void; readonly reject: (reason: unknown) => void } | undefined;

  constructor() {
    this.renew();
  }

  happen(value: Value): void {
    this.#settle?.resolve(value);
    this.#settle = undefined;
  }

  /** Rejects the promise: the event cannot happen any more. */
  fail(reason: unknown): void {
    this.#settle?.reject(reason);
    this.#settle = undefined;
  }

  /** Renews the promise if it has settled. */
  renew(): void {
    if (this.#settle !== undefined) return;
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A later reader gets the rejection as well. A program that never reads it must not get an unhandled rejection.
    this.promise.catch(() => {});
  }
}

interface NameHandleOptions {
  /** Gives the name back, or informs the bus of the options of the other handles. */
  readonly release: (handle: NameHandle) => Promise<void>;
  /** Called once, when the name is lost for good. */
  readonly onEnd: () => void;
}

/** A handle. `OwnedNames` reports the bus's signals and the end of the connection to it. */
export class NameHandle implements OwnedName {
  readonly name: string;
  /** @internal the share of the connection that requested the name */
  readonly owner: object;
  /** @internal whether it queues for the name while another connection owns it */
  readonly queues: boolean;
  /** @internal whether it lets other connections take the name away */
  readonly allowsReplacement: boolean;
  /** @internal whether it takes the name from its owner when it is requested */
  readonly replaces: boolean;
  readonly #options: NameHandleOptions;
  #state: OwnedName['state'] = 'queued';
  #acquired = new Occasion<void>();
  #lost = new Occasion<NameLoss>();
  #releasing: Promise<void> | undefined;

  constructor(
    name: string,
    owner: object,
    wishes: { readonly queue?: boolean; readonly allowReplacement?: boolean; readonly replace?: boolean },
    options: NameHandleOptions,
  ) {
    this.name = name;
    this.owner = owner;
    this.queues = wishes.queue === true;
    this.allowsReplacement = wishes.allowReplacement === true;
    this.replaces = wishes.replace === true;
    this.#options = options;
  }

  get state(): OwnedName['state'] {
    return this.#state;
  }

  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  get lost(): Promise<NameLoss> {
    return this.#lost.promise;
  }

  release(): Promise<void> {
    // Released once: by the second call another handle may have the name.
    this.#releasing ??= this.#state === 'lost' ? Promise.resolve() : this.#options.release(this);
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** @internal */
  [inspect.custom](): string {
    return `OwnedName { ${this.name}, ${this.#state} }`;
  }

  /** @internal the bus has given the name to this connection */
  acquire(): void {
    if (this.#state !== 'queued') return;
    this.#state = 'owned';
    this.#lost.renew();
    this.#acquired.happen();
  }

  /** @internal another connection owns the name now, and this one is queued */
  wait(): void {
    this.#state = 'queued';
    this.#acquired.renew();
    this.#lost.happen('replaced');
  }

  /** @internal the connection was lost, and the next one will request the name */
  disconnect(): void {
    this.#state = 'queued';
    this.#acquired.renew();
    this.#lost.happen('disconnected');
    this.#lost.renew();
  }

  /** @internal the name is lost for good; `reason` is that of the loss of the connection, or of the bus's refusal */
  lose(loss: NameLoss, reason?: DBusError): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#acquired.renew();
    this.#acquired.fail(this.#notAcquired(loss, reason));
    this.#lost.happen(loss);
    this.#options.onEnd();
  }

  #notAcquired(loss: NameLoss, reason: DBusError | undefined): DBusError {
    if (loss === 'refused' && reason !== undefined) return reason;
    if (loss === 'closed') return closedError(`the connection was closed before ${this.name} was acquired`, reason);
    if (loss === 'disconnected') return closedError(`the connection was lost before ${this.name} was acquired`, reason);
    return new NameReleasedError(
      loss === 'replaced'
        ? `${this.name} was taken by another connection: request it with { queue: true } to get it back`
        : `${this.name} was released before it was acquired`,
    );
  }
}
