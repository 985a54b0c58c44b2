/**
 * An answer that is made later: from the values of properties when they are known, or when a call was permitted or its
 * turn came. It is sent in the same microtask in which it is made. So changes that the program makes in a later microtask
 * are sent after it, and an older value is never sent after a newer one. A promise would call back some microtasks later.
 */
import { isThenable } from '../thenable.js';

/** Passes on the result of an answer, or the error. */
type Settle<Result> = (result: Result) => void;

export class LateAnswer<Result> {
  readonly #make: (send: Settle<Result>, fail: Settle<unknown>) => Promise<void> | undefined;

  /**
   * @param make passes the result to `send` as soon as it has it, or the error to `fail`, or rejects. It does so after it
   * has returned
   */
  constructor(make: (send: Settle<Result>, fail: Settle<unknown>) => Promise<void> | undefined) {
    this.#make = make;
  }

  /** Returns an answer that is converted from this one, in the same microtask. */
  as<Other>(convert: (result: Result) => Other): LateAnswer<Other> {
    return new LateAnswer((send, fail) => this.#make((result) => send(convert(result)), fail));
  }

  /** Starts to make the answer. Never throws. */
  settle(send: Settle<Result>, fail: Settle<unknown>): void {
    this.#make(send, fail)?.catch(fail);
  }
}

/** Passes on what a handler returned: a result, a promise, or a late answer. */
export function settle(result: unknown, send: Settle<unknown>, fail: Settle<unknown>): void {
  if (result instanceof LateAnswer) result.settle(send, fail);
  // As `await` does it: another thenable may call back twice, or throw.
  else if (isThenable(result)) (result instanceof Promise ? result : Promise.resolve(result)).then(send, fail);
  else send(result);
}

/** The answer that `make` returns when something has been waited for. */
export function answerAfter(wait: Promise<unknown>, make: () => unknown): LateAnswer<unknown> {
  return new LateAnswer(async (send, fail) => {
    await wait;
    settle(make(), send, fail);
  });
}
