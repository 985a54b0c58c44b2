/** How the type of a method tells whether its last parameter is the context of the call, which clients do not pass. */
import type { CallContext } from '../calls/call-context.js';

/**
 * Whether a parameter takes the context and can take nothing else: `CallContext`, a part of it, optional or not. No value
 * that D-Bus carries is read as such an object.
 */
export type IsContext<Parameter> = 0 extends 1 & Parameter
  ? false
  : unknown extends Parameter
    ? false
    : IsPartOfContext<NonNullable<Parameter>>;

type IsPartOfContext<T> = [T] extends [never]
  ? false
  : [CallContext] extends [T]
    ? [keyof T] extends [never]
      ? false
      : [keyof T] extends [keyof CallContext]
        ? true
        : false
    : false;

/** The parameters that clients pass: all of them, but for the context. None of them can be left out in a message. */
export type WithoutContext<Parameters extends readonly unknown[]> =
  Required<Parameters> extends readonly [...infer Others, infer Last]
    ? IsContext<Last> extends true
      ? Others
      : Required<Parameters>
    : Required<Parameters>;
