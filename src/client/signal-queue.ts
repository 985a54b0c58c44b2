/** Signals as an async iterator: a bounded queue between the bus and a loop that may be slower than the sender. */

import { inspect } from 'node:util';
import { ConnectionClosedError, closedError, type DBusError, InvalidArgumentError } from '../base/errors.js';
import type { Handle } from '../base/handle.js';
import { KnownOptions } from '../base/known-options.js';
import { LoopQueue } from '../base/loop-queue.js';
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

/**
 * A queue of signals for a loop. Leaving the loop, disposing, an abort, or closing the connection ends the iteration.
 * The loss of the connection makes it throw. Queued signals are still delivered first, unless the loop was left.
 */
export class SignalQueue implements AsyncIterableIterator<unknown[]>, Handle {
  readonly #queue: LoopQueue<Waiting, unknown[]>;
  /** `undefined` if the abort signal had aborted before. */
  readonly #subscription: Subscription | undefined;
  readonly #stopWaiting: () => void = () => {};
  readonly #signal: string;
  #stopListening: () => void = () => {};

  /**
   * @internal made by `watch`
   * @param which the signal, as inspection shows it
   */
  constructor(bus: Bus, which: string, listen: ListenOn, options: WatchOptions = {}) {
    const { limit = DEFAULT_LIMIT, signal } = options;
    this.#signal = which;
    this.#queue = new LoopQueue({
      limit,
      take({ values, uncount }) {
        uncount?.();
        return values;
      },
      forget,
      onFirstDrop() {
        const what = `a loop over signals is too slow: ${limit} signals wait, and the oldest are dropped from now on`;
        report('message', what, undefined, bus.connectionId);
      },
      onEnd: () => this.#onEnd(),
    });
    if (signal?.aborted) {
      this.#queue.end();
      return;
    }
    this.#subscription = listen((values, uncount) => this.#queue.push({ values, uncount }));
    this.#subscription.ready.catch((reason: unknown) => this.#onRefused(reason));
    this.#stopWaiting = bus.whenClosed((reason) => this.#onClosed(reason));
    if (signal !== undefined) this.#stopListening = onAbort(signal, () => this.#queue.end());
  }

  /** How many signals were dropped because the loop was too slow. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /**
   * Resolves with the arguments of the next signal: at once if one is queued, else when it arrives.
   *
   * @throws (rejects) once, with the reason, if the bus refused the subscription
   * @throws (rejects) once, {@link ConnectionClosedError} with the reason as its `cause`, if the connection was lost
   */
  next(): Promise<IteratorResult<unknown[], undefined>> {
    return this.#queue.next();
  }

  /** Ends the subscription and drops queued signals. A loop calls it when it is left. */
  return(): Promise<IteratorResult<unknown[], undefined>> {
    return this.#queue.leave();
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
    const { isOver, size, dropped } = this.#queue;
    const state = isOver ? 'ended' : 'open';
    return printable(`SignalQueue { ${this.#signal}, ${state}, ${size} waiting, ${dropped} dropped }`);
  }

  #onRefused(reason: unknown): void {
    if (!(reason instanceof ConnectionClosedError)) this.#queue.fail(reason);
  }

  #onClosed(reason: DBusError | undefined): void {
    if (reason === undefined) this.#queue.end();
    else this.#queue.fail(closedError('the connection was lost while waiting for signals', reason));
  }

  #onEnd(): void {
    this.#subscription?.end();
    this.#stopWaiting();
    this.#stopListening();
  }
}

/** Drops a signal that no loop will read, with its descriptors. */
function forget({ values, uncount }: Waiting): void {
  closeDescriptors(values);
  uncount?.();
}
