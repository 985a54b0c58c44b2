/**
 * Clients that were accepted and have not authenticated yet. They are limited in number and time, so that ten thousand
 * of them cost what a few cost: where one too many comes, the oldest has to go. An honest client needs a moment for
 * this, so it is those that only hold a place who lose it, and nobody waits because of them.
 */
import { trace } from '../diagnostics.js';
import type { CompleteLimits } from '../limits.js';
import type { PollerKind, ServedSocket, TransportKind } from '../native/binding.js';
import { Connection } from './connection.js';
import { errnoText } from './errno.js';

export interface HalfOpenOptions {
  /** How many there may be at a time. */
  readonly limit: number;
  /** Milliseconds that each of them has. */
  readonly timeout: number;
  readonly anonymous: boolean;
  readonly poller: PollerKind;
  readonly transport: TransportKind;
  readonly limits: CompleteLimits;
}

export class HalfOpen {
  readonly #options: HalfOpenOptions;
  /** In the order in which they came. */
  readonly #attempts = new Set<AbortController>();

  constructor(options: HalfOpenOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /**
   * Lets a client authenticate. Resolves with its connection before anything that it says is dispatched, or with
   * `undefined` if it failed, was too slow, or had to make room.
   */
  async open(serve: ServedSocket): Promise<Connection | undefined> {
    for (const oldest of this.#attempts) {
      if (this.#attempts.size < this.#options.limit) break;
      oldest.abort();
      this.#attempts.delete(oldest);
    }
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    const { anonymous, limits, poller, timeout, transport } = this.#options;
    const { signal } = attempt;
    const opening = { address: '', peer: true, serve, anonymous, limits, poller, timeout, transport, signal };
    const result = await Connection.open(opening).finally(() => this.#attempts.delete(attempt));
    if (result instanceof Connection) return result;
    trace('peer: did not authenticate: %s', signal.aborted ? 'made room' : result.detail || errnoText(result.errno));
    return undefined;
  }

  /** Turns all of them away. */
  close(): void {
    for (const attempt of this.#attempts) attempt.abort();
  }
}
