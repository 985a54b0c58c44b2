/** What a call that begins something gives back: that which ends it. */
import { inspect } from 'node:util';
import { printable } from './printable.js';

/**
 * Something that goes on until it is ended: a subscription, an export, a watched name, a message handler. Disposing it (`using`),
 * or `end`, ends it exactly once; more often does nothing. It also ends with its connection.
 */
export interface Handle extends Disposable {
  /** Ends it, at once. */
  end(): void;
}

/**
 * Makes a handle. Its functions can be taken out of it and passed on.
 *
 * @param what what it is, as it is printed: `subscription`
 * @param which of those it is
 * @param end may be called more than once
 */
export function makeHandle(what: string, which: string, end: () => void): Handle {
  const show = () => printable(`${what} { ${which} }`);
  return Object.defineProperty({ end, [Symbol.dispose]: end }, inspect.custom, { value: show });
}

/** As {@link makeHandle}, of something that has more to it. */
export function withHandle<Extra extends object>(
  extra: Extra,
  what: string,
  which: string,
  end: () => void,
): Extra & Handle {
  const handle = Object.defineProperties(extra, Object.getOwnPropertyDescriptors(makeHandle(what, which, end)));
  return handle as Extra & Handle;
}
