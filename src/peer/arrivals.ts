/**
 * The connections of a server on their way to the program, which takes them by iteration. It owns the connections that
 * the program has not taken, which are not read, and the iterators that await a connection.
 */
import type { Connection } from '../connection/connection.js';
import type { MessageBus } from '../message-bus.js';

/**
 * A connection that the program has not taken yet. It is not read, so that no call is answered before objects are
 * exported.
 */
interface Waiting {
  readonly bus: MessageBus;
  readonly connection: Connection;
  readonly resume: () => void;
}

type Next = (result: IteratorResult<MessageBus, undefined>) => void;

const end = { done: true, value: undefined } as const;

export class Arrivals {
  readonly #handOver: (bus: MessageBus) => MessageBus;
  readonly #onLeft: () => void;
  /** In the order in which they authenticated. */
  readonly #waiting = new Set<Waiting>();
  /** In the order in which they were requested. */
  readonly #wanted = new Set<Next>();
  #ended = false;

  /**
   * @param handOver called with each connection when the program takes it
   * @param onLeft called when a connection has ended that was waiting, or waited before
   */
  constructor(handOver: (bus: MessageBus) => MessageBus, onLeft: () => void) {
    this.#handOver = handOver;
    this.#onLeft = onLeft;
  }

  /** The number of connections that the program has not taken. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Passes a connection to the iterator that has waited longest, or keeps it, unread, until the program takes it. */
  add(bus: MessageBus, connection: Connection): void {
    const [next] = this.#wanted;
    if (next === undefined) {
      this.#keep(bus, connection);
      return;
    }
    this.#wanted.delete(next);
    next({ done: false, value: this.#handOver(bus) });
  }

  /** A new iterator, which gets connections that no other iterator gets. */
  iterate(): AsyncIterableIterator<MessageBus> {
    const awaiting = new Set<Next>();
    let ended = false;
    const iterator: AsyncIterableIterator<MessageBus> = {
      next: () => (ended ? Promise.resolve(end) : this.#next(awaiting)),
      return: () => {
        ended = true;
        // Later connections are not for this iterator.
        for (const next of awaiting) {
          this.#wanted.delete(next);
          next(end);
        }
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Makes room for one more connection: drops a waiting one whose peer has disconnected, with its unread messages. */
  dropOneThatLeft(): boolean {
    for (const waiting of this.#waiting) {
      if (!waiting.connection.hasLeft) continue;
      this.#waiting.delete(waiting);
      void waiting.bus.close();
      return true;
    }
    return false;
  }

  /** Ends all iterators. */
  end(): void {
    this.#ended = true;
    for (const next of this.#wanted) next(end);
    this.#wanted.clear();
  }

  /** Removes and returns the connections that wait. */
  removeWaiting(): MessageBus[] {
    const waiting = [...this.#waiting].map(({ bus }) => bus);
    this.#waiting.clear();
    return waiting;
  }

  /** A connection whose peer has disconnected without sending anything is not kept. */
  #keep(bus: MessageBus, connection: Connection): void {
    const waiting = { bus, connection, resume: connection.pause() };
    this.#waiting.add(waiting);
    bus.whenClosed(() => {
      this.#waiting.delete(waiting);
      this.#onLeft();
    });
  }

  /** @param awaiting gets the function that resolves the promise, while it waits */
  #next(awaiting: Set<Next>): Promise<IteratorResult<MessageBus, undefined>> {
    const [first] = this.#waiting;
    if (first !== undefined) {
      this.#waiting.delete(first);
      first.resume();
      return Promise.resolve({ done: false, value: this.#handOver(first.bus) });
    }
    if (this.#ended) return Promise.resolve(end);
    return new Promise((resolve) => {
      const next: Next = (result) => {
        awaiting.delete(next);
        resolve(result);
      };
      awaiting.add(next);
      this.#wanted.add(next);
    });
  }
}
