/**
 * Keeps the process alive while bytes wait for the other side to read, as a call that waits does: as long as some are
 * written, and for a while after that.
 */
import { startTimer } from '../time-limit.js';

/**
 * Milliseconds without a byte written after which queued bytes no longer keep the process alive: as long as a call
 * waits.
 */
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
  /** The number of bytes written at the last check. */
  #writtenBefore = 0;

  constructor(options: UnwrittenOptions) {
    this.#options = options;
  }

  /** Whether queued bytes keep the process alive. */
  get holds(): boolean {
    return this.#holds;
  }

  /** Called when bytes begin to be queued. */
  begin(): void {
    if (this.#holds) return;
    this.#holds = true;
    this.#scheduleCheck();
    this.#options.onChange();
  }

  /** Called when no bytes are queued any more: everything was written, or the connection has ended. */
  end(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (!this.#holds) return;
    this.#holds = false;
    this.#options.onChange();
  }

  /** Checks after a while whether anything has been written. */
  #scheduleCheck(): void {
    this.#writtenBefore = this.#options.written();
    this.#stopTimer?.();
    // The timer does not keep the process alive; the connection does, if necessary.
    this.#stopTimer = startTimer(() => this.#checkProgress(), this.#options.patience ?? STALL_LIMIT, false);
  }

  #checkProgress(): void {
    if (this.#options.written() !== this.#writtenBefore) {
      this.#holds = true;
      this.#scheduleCheck();
    } else {
      this.#holds = false;
      // The bytes may still be written if something else keeps the process alive.
      this.#scheduleCheck();
    }
    this.#options.onChange();
  }
}
