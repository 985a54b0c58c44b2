/**
 * Pauses reading when too many bytes of answers are queued, and resumes it.
 *
 * Otherwise a caller that sends faster than it reads would fill this process with answers, and would wait in vain for
 * every answer that was dropped. So no further call is read while more bytes of answers are queued than the limit
 * allows. Messages that the program itself sends do not count: they are refused if they are too many. If they counted,
 * two peers that send each other much at once would both stop reading, each because the other did.
 *
 * That can still happen if short calls have long answers. So a pause in which nothing is written ends: reading then
 * goes on for up to {@link ANSWERS_FACTOR} times the limit, which lets the other side write, and therefore read. If
 * nothing is written even then, the other side does not read, and the connection ends with that reason.
 */
import { type DBusError, LimitsExceededError } from '../../base/errors.js';
import type { NativeConnection } from '../../native/binding.js';
import { startTimer } from '../time-limit.js';

/** Answers and announcements may take this many times the limit. */
export const ANSWERS_FACTOR = 4;

/** Milliseconds without a byte written after which a pause, or the connection, ends. */
export const STALL_LIMIT = 10_000;

/** Answers sent one after another are recorded together up to this many bytes. */
const SEGMENT_BYTES = 32 * 1024;

/**
 * A part of the bytes passed to the addon: its end, counted from the first byte of the connection, and the bytes of
 * answers in it.
 */
interface Segment {
  end: number;
  answers: number;
}

export interface BackPressureOptions {
  /** Bytes of answers that may be queued before reading pauses. */
  readonly limit: number;
  /** Ends the connection. */
  readonly fail: (reason: DBusError) => void;
  /** Bytes that are queued in the addon now. */
  readonly waiting: () => number;
  /** Milliseconds; for tests. */
  readonly patience?: number | undefined;
}

export class BackPressure {
  readonly #native: Pick<NativeConnection, 'pause' | 'resume'>;
  readonly #options: BackPressureOptions;
  /** In the order in which they are written. Segments that were written completely are removed. */
  #segments: Segment[] = [];
  #answers = 0;
  #handedOver = 0;
  #isPaused = false;
  /** Whether reading goes on although nothing is written. */
  #isStalled = false;
  #stopTimer: (() => void) | undefined;
  /** The number of bytes written at the last check. */
  #writtenBefore = -1;

  constructor(native: Pick<NativeConnection, 'pause' | 'resume'>, options: BackPressureOptions) {
    this.#native = native;
    this.#options = options;
  }

  /** Whether reading is paused, so that rows that have already arrived have to wait as well. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Bytes that were passed to the addon while it had queued bytes, or that it had to queue. */
  get handedOverBytes(): number {
    return this.#handedOver;
  }

  /** The largest possible number of bytes of answers that are queued in the addon. */
  get answers(): number {
    return this.#answers;
  }

  /**
   * Records bytes that were passed to the addon.
   *
   * @param answers how many of the bytes belong to answers
   * @param waiting how many bytes are queued in the addon now
   */
  handedOver(bytes: number, answers: number, waiting: number): void {
    this.#handedOver += bytes;
    if (waiting > 0 && answers > 0) this.#add(answers);
    if (this.#answers > 0 || this.#isPaused || this.#isStalled) this.update(waiting);
  }

  /** Updates the number of queued bytes. */
  update(waiting: number): void {
    this.#forget(this.#handedOver - waiting);
    const { limit } = this.#options;
    if (waiting <= limit / 2) this.#resume();
    else if (!this.#isPaused && this.#answers > limit * (this.#isStalled ? ANSWERS_FACTOR : 1)) this.#pause();
  }

  /** Called when the other side has hung up. What it sent before is limited, and its end is found by reading. */
  hungUp(): void {
    this.#resume();
  }

  /** Called when the connection has ended. */
  end(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#segments = [];
    this.#answers = 0;
    this.#isPaused = false;
    this.#isStalled = false;
  }

  #add(answers: number): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.answers < SEGMENT_BYTES) {
      last.end = this.#handedOver;
      last.answers += answers;
    } else {
      this.#segments.push({ end: this.#handedOver, answers });
    }
    this.#answers += answers;
  }

  #forget(written: number): void {
    let count = 0;
    for (const { end, answers } of this.#segments) {
      if (end > written) break;
      this.#answers -= answers;
      count++;
    }
    if (count > 0) this.#segments.splice(0, count);
  }

  #pause(): void {
    this.#isPaused = true;
    this.#native.pause(Math.floor(this.#options.limit / 2));
    this.#stopTimer ??= this.#scheduleCheck();
  }

  #resume(): void {
    if (this.#isPaused) this.#native.resume();
    this.#isPaused = false;
    this.#isStalled = false;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Checks after a while whether anything has been written. */
  #scheduleCheck(): () => void {
    this.#writtenBefore = this.#handedOver - this.#options.waiting();
    // The timer does not keep the process alive; the connection does, if necessary.
    return startTimer(() => this.#checkProgress(), this.#options.patience ?? STALL_LIMIT, false);
  }

  #checkProgress(): void {
    this.#stopTimer = undefined;
    const waiting = this.#options.waiting();
    this.update(waiting);
    if (!this.#isPaused && !this.#isStalled) return;
    if (this.#isPaused && this.#handedOver - waiting === this.#writtenBefore) {
      if (this.#isStalled) {
        this.#options.fail(new LimitsExceededError(`the other side does not read: ${waiting} bytes are queued for it`));
        return;
      }
      this.#isStalled = true;
      this.#isPaused = false;
      this.#native.resume();
    }
    this.#stopTimer ??= this.#scheduleCheck();
  }
}
