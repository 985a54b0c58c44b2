/**
 * An answer that is made from the values of properties when they are known. It is sent in the same microtask in which
 * it is made. So changes that the program makes in a later microtask are sent after it, and an older value is never
 * sent after a newer one. A promise would call back some microtasks later.
 */
export class LateAnswer<Result> {
  readonly #make: (send: (result: Result) => void) => Promise<void>;

  /** @param make passes the result to `send` as soon as it has it; rejects if there is none */
  constructor(make: (send: (result: Result) => void) => Promise<void>) {
    this.#make = make;
  }

  /** Returns an answer that is converted from this one, in the same microtask. */
  as<Other>(convert: (result: Result) => Other): LateAnswer<Other> {
    return new LateAnswer((send) => this.#make((result) => send(convert(result))));
  }

  /** Starts to make the answer. Never throws. */
  settle(send: (result: Result) => void, fail: (error: unknown) => void): void {
    this.#make(send).catch(fail);
  }
}
