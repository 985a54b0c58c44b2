/**
 * What waits for a loop (`for await`) that may be slower than the source: a bounded queue, and the callers of `next` that
 * wait for the next item. It ends once, with or without a failure that the loop throws.
 */
import { Fifo } from './fifo.js';

export interface LoopQueueOptions<Item, Value> {
  /** How many items may wait. Beyond that the oldest are dropped. */
  readonly limit: number;
  /** How much the items that wait may weigh together; a single one may weigh more. */
  readonly weightLimit?: number;
  weigh?(item: Item): number;
  /** Called when an item is passed to the loop: returns what the loop gets. */
  take(item: Item): Value;
  /** Called with an item that no loop will get. */
  forget(item: Item): void;
  /** Called when the first item is dropped. */
  onFirstDrop(): void;
  /** Called once, when no further item is accepted. */
  onEnd(): void;
}

type Result<Value> = IteratorResult<Value, undefined>;

const done = { value: undefined, done: true } as const;

export class LoopQueue<Item, Value> {
  readonly #options: LoopQueueOptions<Item, Value>;
  readonly #waiting = new Fifo<Item>();
  readonly #takers = new Fifo<(result: Result<Value> | Promise<never>) => void>();
  #weight = 0;
  #dropped = 0;
  #isOver = false;
  /** Why no further item comes, until the loop has thrown it. */
  #failure: { readonly reason: unknown } | undefined;

  constructor(options: LoopQueueOptions<Item, Value>) {
    this.#options = options;
  }

  /** How many items were dropped because the loop was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many items wait for the loop. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether no further item is accepted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  push(item: Item): void {
    if (this.#isOver) {
      this.#options.forget(item);
      return;
    }
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker({ value: this.#options.take(item), done: false });
      return;
    }
    this.#waiting.push(item);
    this.#weight += this.#weigh(item);
    const { limit, weightLimit = Number.POSITIVE_INFINITY } = this.#options;
    while (this.#waiting.size > limit || (this.#weight > weightLimit && this.#waiting.size > 1)) this.#dropOldest();
  }

  /** Drops an item that cannot be queued. */
  drop(item: Item): void {
    this.#options.forget(item);
    if (this.#dropped++ === 0) this.#options.onFirstDrop();
  }

  /** Resolves with the next item: at once if one waits, else when it comes. Rejects once with the failure. */
  next(): Promise<Result<Value>> {
    const first = this.#waiting.shift();
    if (first !== undefined) {
      this.#weight -= this.#weigh(first);
      return Promise.resolve({ value: this.#options.take(first), done: false });
    }
    if (this.#failure !== undefined) return this.#throwFailure(this.#failure);
    if (this.#isOver) return Promise.resolve(done);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Called when the loop is left: ends, and forgets what waits. */
  leave(): Promise<Result<Value>> {
    for (const each of this.#waiting.takeAll()) this.#options.forget(each);
    this.#weight = 0;
    this.#failure = undefined;
    this.end();
    return Promise.resolve(done);
  }

  /** Accepts no further items. What waits is still passed on. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd();
    for (const taker of this.#takers.takeAll()) taker(done);
  }

  /** Ends, and makes the loop throw: a loop that ended normally would hide the failure. */
  fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#failure = { reason };
    const taker = this.#takers.shift();
    if (taker !== undefined) taker(this.#throwFailure(this.#failure));
    this.end();
  }

  #weigh(item: Item): number {
    return this.#options.weigh?.(item) ?? 0;
  }

  #dropOldest(): void {
    const oldest = this.#waiting.shift() as Item;
    this.#weight -= this.#weigh(oldest);
    this.drop(oldest);
  }

  #throwFailure({ reason }: { readonly reason: unknown }): Promise<never> {
    this.#failure = undefined;
    return Promise.reject(reason);
  }
}
