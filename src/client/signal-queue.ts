/** Signals as an async iterator: a bounded queue between the bus and a loop that may be slower. */

import { inspect } from 'node:util';
import { ConnectionClosedError, closedError, type DBusError, InvalidArgumentError } from '../base/errors.js';
import type { Handle } from '../base/handle.js';
import { KnownOptions } from '../base/known-options.js';
import { checkSignal } from '../base/parameters.js';
import { printable } from '../base/printable.js';
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/rules/subscription.js';
import { closeDescriptors } from '../codec/close-descriptors.js';
import { onAbort } from '../connection/sending/abort-reactions.js';
import { report } from '../diagnostics/problems.js';
import { type ContextOption, contextTable } from './signal-context.js';

/** How signals are collected for a loop. */
export interface WatchOptions {
  /** How many signals may wait for the loop; beyond that the oldest are dropped. 1024 if left out. */
  readonly limit?: number | undefined;
  /** Aborting ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_LIMIT = 1024;

export const watchOptions = new KnownOptions<WatchOptions & ContextOption>('watch()', {
  ...contextTable,
  limit(value, name) {
    if (value === undefined || (typeof value === 'number' && value >= 1)) return;
    throw new InvalidArgumentError(`${name}: expected a number, at least 1, got ${String(value)}`);
  },
  signal: checkSignal,
});

/**
 * Subscribes. The listener gets the values of each signal, and what to call when it has them no longer, or the loop has them:
 * until then their descriptors count as the sender's.
 */
export type ListenOn = (listener: (values: unknown[], uncount: Uncount) => void) => Subscription;

type Uncount = (() => void) | undefined;

/** A signal that waits for the loop. */
interface Waiting {
  readonly values: unknown[];
  readonly uncount: Uncount;
}

type Taker = (result: IteratorResult<unknown[], undefined> | Promise<never>) => void;

/**
 * Signals that wait for a loop. Leaving the loop, disposing, an abort, or closing the connection ends it; the loss of the
 * connection makes it throw. What waits then is still handed out before, unless it was the loop that left.
 */
export class SignalQueue implements AsyncIterableIterator<unknown[]>, Handle {
  readonly #waiting: Waiting[] = [];
  readonly #takers: Taker[] = [];
  /** `undefined` where the abort signal had aborted before. */
  readonly #subscription: Subscription | undefined;
  readonly #stopWaiting: () => void = () => {};
  readonly #signal: string;
  readonly #connectionId: number;
  readonly #limit: number;
  #stopListening: () => void = () => {};
  #dropped = 0;
  #ended = false;
  /** Why no further signal comes, until the loop was told: the bus refused the subscription, or the connection was lost. */
  #failure: { readonly reason: unknown } | undefined;

  /**
   * @internal made by `watch`
   * @param which the signal, as it is shown
   */
  constructor(bus: Bus, which: string, listen: ListenOn, options: WatchOptions = {}) {
    const { limit = DEFAULT_LIMIT, signal } = options;
    this.#signal = which;
    this.#connectionId = bus.connectionId;
    this.#limit = limit;
    if (signal?.aborted) {
      this.#ended = true;
      return;
    }
    this.#subscription = listen((values, uncount) => this.#push(values, uncount));
    this.#subscription.ready.catch((reason: unknown) => this.#onRefused(reason));
    this.#stopWaiting = bus.whenClosed((reason) => this.#onClosed(reason));
    if (signal !== undefined) this.#stopListening = onAbort(signal, this.#end);
  }

  /** How many signals were dropped because the loop was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * The next signal's arguments: at once if one waits, else when it comes.
   *
   * @throws (rejects) once, with the reason, if the bus refused the subscription
   * @throws (rejects) once, {@link ConnectionClosedError} with the reason as its `cause`, if the connection was lost
   */
  next(): Promise<IteratorResult<unknown[], undefined>> {
    const first = this.#waiting.shift();
    if (first !== undefined) {
      first.uncount?.();
      return Promise.resolve({ value: first.values, done: false });
    }
    if (this.#failure !== undefined) return this.#tellFailure(this.#failure);
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Ends the subscription and forgets what waits. A loop calls it when it is left. */
  return(): Promise<IteratorResult<unknown[], undefined>> {
    for (const each of this.#waiting.splice(0)) forget(each);
    this.#failure = undefined;
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** The queue itself: for `for await`. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** As {@link return}, for a program that is not in a loop. */
  end(): void {
    void this.return();
  }

  /** As {@link return}: for `using`. */
  [Symbol.dispose](): void {
    void this.return();
  }

  /** @internal */
  [inspect.custom](): string {
    const state = this.#ended ? 'ended' : 'open';
    return printable(
      `SignalQueue { ${this.#signal}, ${state}, ${this.#waiting.length} waiting, ${this.#dropped} dropped }`,
    );
  }

  #push(values: unknown[], uncount: Uncount): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      uncount?.();
      taker({ value: values, done: false });
      return;
    }
    this.#waiting.push({ values, uncount });
    if (this.#waiting.length <= this.#limit) return;
    forget(this.#waiting.shift());
    if (this.#dropped++ > 0) return;
    const what = `a loop over signals is too slow: ${this.#limit} waited, and the oldest are dropped from now on`;
    report('message', what, undefined, this.#connectionId);
  }

  #onRefused(reason: unknown): void {
    if (this.#ended || reason instanceof ConnectionClosedError) return;
    this.#fail(reason);
  }

  #onClosed(reason: DBusError | undefined): void {
    if (reason !== undefined) this.#fail(closedError('the connection was lost while waiting for signals', reason));
    else this.#end();
  }

  /** A loop that merely ended would look as if all were well. */
  #fail(reason: unknown): void {
    this.#failure = { reason };
    const taker = this.#takers.shift();
    if (taker !== undefined) taker(this.#tellFailure(this.#failure));
    this.#end();
  }

  #tellFailure({ reason }: { readonly reason: unknown }): Promise<never> {
    this.#failure = undefined;
    return Promise.reject(reason);
  }

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#subscription?.end();
    this.#stopWaiting();
    this.#stopListening();
    for (const taker of this.#takers.splice(0)) taker({ value: undefined, done: true });
  };
}

/** Nobody gets it. */
function forget(waiting: Waiting | undefined): void {
  closeDescriptors(waiting?.values);
  waiting?.uncount?.();
}
