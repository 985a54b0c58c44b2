/**
 * An answer that is made of what properties have, when that is known. It is sent in the very microtask in which it is made:
 * what the program changes in the next one leaves behind it, and an older value never comes behind a newer one. A promise
 * would not do: it calls back some microtasks later.
 */
export class LateAnswer<Result> {
  readonly #make: (send: (result: Result) => void) => Promise<void>;

  /** @param make gives the result to `send` as soon as it has it; rejects where there is none */
  constructor(make: (send: (result: Result) => void) => Promise<void>) {
    this.#make = make;
  }

  /** An answer that is made of this one, in the same microtask. */
  as<Other>(convert: (result: Result) => Other): LateAnswer<Other> {
    return new LateAnswer((send) => this.#make((result) => send(convert(result))));
  }

  /** Has it made. Never throws. */
  settle(send: (result: Result) => void, fail: (error: unknown) => void): void {
    this.#make(send).catch(fail);
  }
}
