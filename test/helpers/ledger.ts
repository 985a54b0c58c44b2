/**
 * Counts the messages that a test sends during faults: every call has to settle, and every accepted signal has to arrive,
 * once and in order, unless the sender was told that the connection is over. The counts are printed, and
 * `scripts/faults.mjs` adds them up.
 */
import * as assert from 'uvu/assert';
import { patience } from './patience.js';

/** Milliseconds that calls have to settle after the fault. */
const TIME_TO_SETTLE = 5000;

export class Ledger {
  readonly #calls: Promise<void>[] = [];
  readonly #outcomes = new Map<string, number>();
  readonly #accepted: number[] = [];
  readonly #arrived: number[] = [];
  #settled = 0;
  /** The settled calls that are part of the counts: a test may ask for the outcomes more than once. */
  #counted = 0;
  #refused = 0;

  /** Counts a call; the ledger handles its outcome. */
  call(call: Promise<unknown>): void {
    const settle = (outcome: string) => {
      this.#settled++;
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    };
    this.#calls.push(
      call.then(
        () => settle('fulfilled'),
        (error: Error) => settle(error.name),
      ),
    );
  }

  /** Sends the signal of a number; returns whether it was accepted. An exception is the refusal. */
  emit(number: number, send: (number: number) => void): boolean {
    try {
      send(number);
    } catch {
      this.#refused++;
      return false;
    }
    this.#accepted.push(number);
    return true;
  }

  /** The signal of a number has arrived. */
  arrive(number: number): void {
    this.#arrived.push(number);
  }

  get accepted(): number {
    return this.#accepted.length;
  }

  get refused(): number {
    return this.#refused;
  }

  get arrived(): number {
    return this.#arrived.length;
  }

  /** How the calls ended, by the name of the error's class; fails if one of them does not end. */
  async outcomes(): Promise<Record<string, number>> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise((resolve) => {
      timer = setTimeout(resolve, TIME_TO_SETTLE * patience);
    });
    await Promise.race([Promise.all(this.#calls), impatience]);
    clearTimeout(timer);
    assert.is(this.#settled, this.#calls.length, 'every call settles');
    count({ callsSettled: this.#settled - this.#counted });
    this.#counted = this.#settled;
    return Object.fromEntries(this.#outcomes);
  }

  /** Asserts that every accepted signal has arrived, once and in order. */
  assertArrived(): void {
    assert.equal(this.#arrived, this.#accepted, 'accepted signals arrive, in order');
    count({ emitsArrived: this.#arrived.length, emitsRefused: this.#refused });
  }

  /** The connection was lost and said so: the signals that arrived are the first of the accepted ones. */
  assertBeginningArrived(): void {
    assert.equal(this.#arrived, this.#accepted.slice(0, this.#arrived.length), 'nothing in the middle is lost');
    count({ emitsArrived: this.#arrived.length, emitsCutOff: this.#accepted.length - this.#arrived.length });
  }
}

const figures = new Map<string, number>();

/** Adds to the counts that are printed when the process ends. */
export function count(counts: Readonly<Record<string, number>>): void {
  if (figures.size === 0)
    process.once('exit', () => console.log(`# figures: ${JSON.stringify(Object.fromEntries(figures))}`));
  for (const [name, number] of Object.entries(counts)) figures.set(name, (figures.get(name) ?? 0) + number);
}
