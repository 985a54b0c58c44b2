/** The handle that a program gets for something that goes on until it is ended. */
import { inspect } from 'node:util';
import { printable } from './printable.js';

/**
 * The handle of a subscription, an export, a watched name or a message handler. Calling `end`, or disposing of the
 * handle (`using`), ends it. A second call does nothing. It also ends with its connection.
 */
export interface Handle extends Disposable {
  /** Ends it immediately. */
  end(): void;
}

/** A handle. `end` does not use `this`, so it can be passed on. */
export class EndHandle implements Handle {
  readonly end: () => void;
  readonly #what: string;
  readonly #which: string;

  /**
   * @param what what the handle is for, as it is printed: `subscription`
   * @param which the particular one, as it is printed
   * @param end may be called more than once
   */
  constructor(what: string, which: string, end: () => void) {
    this.end = end;
    this.#what = what;
    this.#which = which;
  }

  get [Symbol.dispose](): () => void {
    return this.end;
  }

  [inspect.custom](): string {
    return printable(`${this.#what} { ${this.#which} }`);
  }
}
