/** Signals as an async iterator: a bounded queue between the bus and a loop that may be slower than the sender. */

import { inspect } from 'node:util';
import { ConnectionClosedError, closedError, type DBusError, InvalidArgumentError } from '../base/errors.js';
import { Fifo } from '../base/fifo.js';
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
  /** How many signals may be queued. Beyond that the oldest are dropped. 1024 by default. */
  readonly limit?: number | undefined;
  /** Aborting ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_LIMIT = 1024;

export const watchOptions = new KnownOptions<WatchOptions & ContextOption>('watch()', {
  ...contextTable,
  limit(value, name) {
    if (value === undefined || (typeof value === 'number' && value >= 1)) return;
    throw new InvalidArgumentError(`${name}: expected a number of at least 1, got ${String(value)}`);
  },
  signal: checkSignal,
});

/**
 * Subscribes. The listener gets the values of each signal, and a function that it calls when the values were dropped or
 * passed to the loop. Until then their descriptors count against the sender.
 */
export type ListenOn = (listener: (values: unknown[], uncount: Uncount) => void) => Subscription;

type Uncount = (() => void) | undefined;

/** A queued signal. */
interface Waiting {
  readonly values: unknown[];
  readonly uncount: Uncount;
}

type Taker = (result: IteratorResult<unknown[], undefined> | Promise<never>) => void;

/**
 * A queue of signals for a loop. Leaving the loop, disposing, an abort, or closing the connection ends the iteration.
 * The loss of the connection makes it throw. Queued signals are still delivered first, unless the loop was left.
 */
export class SignalQueue implements AsyncIterableIterator<unknown[]>, Handle {
  readonly #waiting = new Fifo<Waiting>();
  readonly #takers = new Fifo<Taker>();
  /** `undefined` if the abort signal had aborted before. */
  readonly #subscription: Subscription | undefined;
  readonly #stopWaiting: () => void = () => {};
  readonly #signal: string;
  readonly #bus: Bus;
  readonly #limit: number;
  #stopListening: () => void = () => {};
  #dropped = 0;
  #ended = false;
  /**
   * Why no further signal arrives, until the loop has thrown it: the bus refused the subscription, or the connection
   * was lost.
   */
  #failure: { readonly reason: unknown } | undefined;

  /**
   * @internal made by `watch`
   * @param which the signal, as inspection shows it
   */
  constructor(bus: Bus, which: string, listen: ListenOn, options: WatchOptions = {}) {
    const { limit = DEFAULT_LIMIT, signal } = options;
    this.#signal = which;
    this.#bus = bus;
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
   * Resolves with the arguments of the next signal: at once if one is queued, else when it arrives.
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

  /** Ends the subscription and drops queued signals. A loop calls it when it is left. */
  return(): Promise<IteratorResult<unknown[], undefined>> {
    for (const each of this.#waiting.takeAll()) forget(each);
    this.#failure = undefined;
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Returns the queue itself, for `for await`. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Does the same as {@link return}, for a program without a loop. */
  end(): void {
    void this.return();
  }

  /** Does the same as {@link return}, for `using`. */
  [Symbol.dispose](): void {
    void this.return();
  }

  /** @internal */
  [inspect.custom](): string {
    const state = this.#ended ? 'ended' : 'open';
    return printable(
      `SignalQueue { ${this.#signal}, ${state}, ${this.#waiting.size} waiting, ${this.#dropped} dropped }`,
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
    if (this.#waiting.size <= this.#limit) return;
    forget(this.#waiting.shift());
    if (this.#dropped++ > 0) return;
    const what = `a loop over signals is too slow: ${this.#limit} signals wait, and the oldest are dropped from now on`;
    report('message', what, undefined, this.#bus.connectionId);
  }

  #onRefused(reason: unknown): void {
    if (this.#ended || reason instanceof ConnectionClosedError) return;
    this.#fail(reason);
  }

  #onClosed(reason: DBusError | undefined): void {
    if (reason !== undefined) this.#fail(closedError('the connection was lost while waiting for signals', reason));
    else this.#end();
  }

  /** Makes the loop throw: a loop that ended normally would hide the failure. */
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
    for (const taker of this.#takers.takeAll()) taker({ value: undefined, done: true });
  };
}

/** Drops a signal that no loop will read, with its descriptors. */
function forget(waiting: Waiting | undefined): void {
  closeDescriptors(waiting?.values);
  waiting?.uncount?.();
}
