/**
 * When reading pauses because too many answers wait to be written, and when it goes on.
 *
 * A caller that sends faster than it reads would otherwise fill this process with answers, and whatever was dropped of them
 * it would wait for in vain. So no further call is read while more bytes of answers wait than the limit allows. What the
 * program itself sends does not count: it is refused where it is too much, and if it counted, two peers that send each other
 * much at once would both stop reading, each because the other did.
 *
 * They may come to that all the same, where short calls have long answers. So a pause in which nothing is written has an
 * end: then reading goes on for up to {@link ANSWERS_FACTOR} times the limit, which lets the other side write, and therefore
 * read. If nothing is written even then, the other side does not read, and the connection ends with that reason.
 */
import { type DBusError, LimitsExceededError } from '../../base/errors.js';
import type { NativeConnection } from '../../native/binding.js';
import { startTimer } from '../time-limit.js';

/** How many times the limit answers, and what is announced, may take. */
export const ANSWERS_FACTOR = 4;

/** Milliseconds without a byte written after which a pause ends, or the connection does. */
export const STALL_LIMIT = 10_000;

/** Answers that were handed over one after the other are remembered together up to so many bytes. */
const SEGMENT_BYTES = 32 * 1024;

/** A part of what was handed over: where it ends, counted from the first byte of all, and how much of it are answers. */
interface Segment {
  end: number;
  answers: number;
}

export interface BackPressureOptions {
  /** Bytes of answers that may wait before reading pauses. */
  readonly limit: number;
  /** Ends the connection. */
  readonly fail: (reason: DBusError) => void;
  /** Bytes that wait in the addon now. */
  readonly waiting: () => number;
  /** Milliseconds; for tests. */
  readonly patience?: number | undefined;
}

export class BackPressure {
  readonly #native: Pick<NativeConnection, 'pause' | 'resume'>;
  readonly #options: BackPressureOptions;
  /** In the order in which they are written; what was written wholly is gone. */
  #segments: Segment[] = [];
  #answers = 0;
  #handedOver = 0;
  #isPaused = false;
  /** Whether reading goes on although nothing is written. */
  #isStalled = false;
  #stopTimer: (() => void) | undefined;
  /** How much had been written when that was looked at last. */
  #writtenBefore = -1;

  constructor(native: Pick<NativeConnection, 'pause' | 'resume'>, options: BackPressureOptions) {
    this.#native = native;
    this.#options = options;
  }

  /** Whether nothing is read, so that rows that came already have to wait as well. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Bytes that were handed over to the addon while others waited in it, or until some had to. */
  get handedOverBytes(): number {
    return this.#handedOver;
  }

  /** Bytes of answers that wait in the addon, at most. */
  get answers(): number {
    return this.#answers;
  }

  /**
   * Notes what was handed over to the addon.
   *
   * @param answers how many of the bytes are those of answers
   * @param waiting how many bytes wait in the addon now
   */
  handedOver(bytes: number, answers: number, waiting: number): void {
    this.#handedOver += bytes;
    if (waiting > 0 && answers > 0) this.#add(answers);
    if (this.#answers > 0 || this.#isPaused || this.#isStalled) this.update(waiting);
  }

  /** Notes how many bytes wait. */
  update(waiting: number): void {
    this.#forget(this.#handedOver - waiting);
    const { limit } = this.#options;
    if (waiting <= limit / 2) this.#resume();
    else if (!this.#isPaused && this.#answers > limit * (this.#isStalled ? ANSWERS_FACTOR : 1)) this.#pause();
  }

  /** The other side has hung up. What it said before is bounded, and the end is found by reading it. */
  hungUp(): void {
    this.#resume();
  }

  /** The connection is over. */
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
    this.#stopTimer ??= this.#look();
  }

  #resume(): void {
    if (this.#isPaused) this.#native.resume();
    this.#isPaused = false;
    this.#isStalled = false;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Looks after a while whether anything has been written. */
  #look(): () => void {
    this.#writtenBefore = this.#handedOver - this.#options.waiting();
    // The connection keeps the process alive, if anything does.
    return startTimer(() => this.#judge(), this.#options.patience ?? STALL_LIMIT, false);
  }

  #judge(): void {
    this.#stopTimer = undefined;
    const waiting = this.#options.waiting();
    this.update(waiting);
    if (!this.#isPaused && !this.#isStalled) return;
    if (this.#isPaused && this.#handedOver - waiting === this.#writtenBefore) {
      if (this.#isStalled) {
        this.#options.fail(new LimitsExceededError(`the other side does not read: ${waiting} bytes wait for it`));
        return;
      }
      this.#isStalled = true;
      this.#isPaused = false;
      this.#native.resume();
    }
    this.#stopTimer ??= this.#look();
  }
}
