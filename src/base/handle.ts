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

/**
 * Makes a handle. The functions of a handle do not use `this`, so they can be passed on.
 *
 * @param what what the handle is for, as it is printed: `subscription`
 * @param which the particular one, as it is printed
 * @param end may be called more than once
 */
export function makeHandle(what: string, which: string, end: () => void): Handle {
  const show = () => printable(`${what} { ${which} }`);
  return Object.defineProperty({ end, [Symbol.dispose]: end }, inspect.custom, { value: show });
}

/** Like {@link makeHandle}, for an object that has other members too. */
export function withHandle<Extra extends object>(
  extra: Extra,
  what: string,
  which: string,
  end: () => void,
): Extra & Handle {
  const handle = Object.defineProperties(extra, Object.getOwnPropertyDescriptors(makeHandle(what, which, end)));
  return handle as Extra & Handle;
}
