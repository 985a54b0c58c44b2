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

/** Something that ends. */
export interface Endable {
  /** Ends it. Further calls do nothing. */
  endNow(): void;
}

/**
 * A handle that is also what it ends, because a program may have many thousands of them. `end` does not use `this`, so
 * it can be passed on; the function is made when it is first read.
 */
export abstract class EndableHandle implements Handle, Endable {
  #end: (() => void) | undefined;

  get end(): () => void {
    this.#end ??= () => this.endNow();
    return this.#end;
  }

  get [Symbol.dispose](): () => void {
    return this.end;
  }

  /** The kind of the handle and its object, as they are printed: `export { /org/example }`. */
  protected abstract get shown(): string;

  /** @internal */
  abstract endNow(): void;

  [inspect.custom](): string {
    return printable(this.shown);
  }
}

/** A handle that calls a function. */
export class EndHandle extends EndableHandle {
  readonly #shown: string;
  readonly #finish: () => void;

  /**
   * @param what the kind of the handle, as it is printed: `subscription`
   * @param which its object, as it is printed
   * @param end may be called more than once
   */
  constructor(what: string, which: string, end: () => void) {
    super();
    this.#shown = `${what} { ${which} }`;
    this.#finish = end;
  }

  protected override get shown(): string {
    return this.#shown;
  }

  /** @internal */
  override endNow(): void {
    this.#finish();
  }
}
