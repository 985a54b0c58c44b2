/** One request for a well-known name, as the program holds it. Several requests for a name each have a handle of their own. */
import { inspect } from 'node:util';
import { closedError, type DBusError, NameReleasedError } from '../../base/errors.js';

/**
 * Why a name is not owned or waited for any more:
 *
 * - `replaced`: another connection took it
 * - `released`: it was given back here
 * - `closed`: the connection, or the share of it, was closed
 * - `disconnected`: the connection was lost; {@link MessageBus.disconnected} has the reason
 */
export type NameLoss = 'replaced' | 'released' | 'closed' | 'disconnected';

/** A name that this connection owns or waits for. Disposing it gives it back. */
export interface OwnedName extends AsyncDisposable {
  /** The well-known name. */
  readonly name: string;
  /**
   * `queued` until the name is ours; `lost` when it was given back, or taken away. Who asked with `queue` and loses the
   * name to a replacement is `queued` again.
   */
  readonly state: 'owned' | 'queued' | 'lost';
  /**
   * Resolves when the name is ours: at once, unless it is queued for. Ask again after a loss. It is safe to leave alone.
   *
   * @throws (rejects) {@link NameReleasedError} when the name is not waited for any more
   * @throws (rejects) {@link ConnectionClosedError} when the connection ends before
   */
  readonly acquired: Promise<void>;
  /**
   * Resolves with the reason when the name is no longer ours, or no longer waited for. Ask again after it was acquired
   * anew.
   */
  readonly lost: Promise<NameLoss>;
  /**
   * Gives the name back, or leaves its queue. What was requested more than once on a connection is given back with its last
   * handle; until then the bus is told what the others were requested with. Does nothing for a handle that was released before.
   */
  release(): Promise<void>;
}

/** A promise that settles once, and can be made anew after that. */
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

  /** It will not happen. */
  fail(reason: unknown): void {
    this.#settle?.reject(reason);
    this.#settle = undefined;
  }

  /** Waits for it once more, where it has settled. */
  renew(): void {
    if (this.#settle !== undefined) return;
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Who asks later gets the rejection as well; who never asks is not to blame for it.
    this.promise.catch(() => {});
  }
}

interface NameHandleOptions {
  /** Gives the name back, or tells the bus what the other handles want. */
  readonly release: (handle: NameHandle) => Promise<void>;
  /** Called once, when the name is lost for good. */
  readonly onEnd: () => void;
}

/** A handle; what the bus says of the name, and the end of the connection, come from `OwnedNames`. */
export class NameHandle implements OwnedName {
  readonly name: string;
  /** @internal what the program that made the handle is to `OwnedNames`: a share of the connection */
  readonly owner: object;
  /** @internal whether it waits for the name while another connection owns it */
  readonly queues: boolean;
  /** @internal whether it lets others take the name away */
  readonly allowsReplacement: boolean;
  readonly #options: NameHandleOptions;
  #state: OwnedName['state'] = 'queued';
  #acquired = new Occasion<void>();
  #lost = new Occasion<NameLoss>();
  #releasing: Promise<void> | undefined;

  constructor(
    name: string,
    owner: object,
    wishes: { readonly queue?: boolean; readonly allowReplacement?: boolean },
    options: NameHandleOptions,
  ) {
    this.name = name;
    this.owner = owner;
    this.queues = wishes.queue === true;
    this.allowsReplacement = wishes.allowReplacement === true;
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
    // Once: by the second time the name may be another handle's.
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

  /** @internal the bus has given it */
  acquire(): void {
    if (this.#state !== 'queued') return;
    this.#state = 'owned';
    this.#lost.renew();
    this.#acquired.happen();
  }

  /** @internal another connection owns the name now, and this one waits for it */
  wait(): void {
    this.#state = 'queued';
    this.#acquired.renew();
    this.#lost.happen('replaced');
  }

  /** @internal it is lost for good; `reason` is that of the loss of the connection, if it was that */
  lose(loss: NameLoss, reason?: DBusError): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#acquired.renew();
    this.#acquired.fail(this.#notAcquired(loss, reason));
    this.#lost.happen(loss);
    this.#options.onEnd();
  }

  #notAcquired(loss: NameLoss, reason: DBusError | undefined): DBusError {
    if (loss === 'closed') return closedError(`the connection was closed: ${this.name} is not waited for`, reason);
    if (loss === 'disconnected') return closedError(`${this.name} is not waited for any more`, reason);
    return new NameReleasedError(
      loss === 'replaced'
        ? `${this.name} was taken by another connection, and was not requested with queue`
        : `${this.name} was released: it is not waited for any more`,
    );
  }
}
