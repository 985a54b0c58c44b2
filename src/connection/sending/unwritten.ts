/**
 * Bytes that wait for the other side to read keep the process alive, as a call that waits does: for as long as any are
 * written, and for a while after that.
 */
import { startTimer } from '../time-limit.js';

/** Milliseconds without a byte written after which what waits keeps the process alive no longer: as long as a call waits. */
const STALL_LIMIT = 25_000;

export interface UnwrittenOptions {
  /** Called when {@link Unwritten.holds} may have changed. */
  readonly onChange: () => void;
  /** Bytes that were written so far. */
  readonly written: () => number;
  /** Milliseconds; for tests. */
  readonly patience?: number | undefined;
}

export class Unwritten {
  readonly #options: UnwrittenOptions;
  #holds = false;
  #stopTimer: (() => void) | undefined;
  /** How much had been written when that was looked at last. */
  #writtenBefore = 0;

  constructor(options: UnwrittenOptions) {
    this.#options = options;
  }

  /** Whether what waits is to keep the process alive. */
  get holds(): boolean {
    return this.#holds;
  }

  /** Something waits to be written. */
  begin(): void {
    if (this.#holds) return;
    this.#holds = true;
    this.#look();
    this.#options.onChange();
  }

  /** Nothing waits any more: everything was written, or the connection is over. */
  end(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (!this.#holds) return;
    this.#holds = false;
    this.#options.onChange();
  }

  /** Looks after a while whether anything has been written. */
  #look(): void {
    this.#writtenBefore = this.#options.written();
    this.#stopTimer?.();
    // The connection keeps the process alive, if anything does.
    this.#stopTimer = startTimer(() => this.#judge(), this.#options.patience ?? STALL_LIMIT, false);
  }

  #judge(): void {
    if (this.#options.written() !== this.#writtenBefore) {
      this.#holds = true;
      this.#look();
    } else {
      this.#holds = false;
      // It may be written yet, where something else keeps the process alive.
      this.#look();
    }
    this.#options.onChange();
  }
}
