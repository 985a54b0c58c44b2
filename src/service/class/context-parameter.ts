/** Types that decide whether the last parameter of a method is the call's context, which clients do not pass. */
import type { CallContext } from '../calls/call-context.js';

/**
 * Whether a parameter accepts the context and nothing else: `CallContext` or a part of it, optional or not. No D-Bus
 * value is read as such an object.
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

/** The parameters that clients pass: all except the context. None can be left out in a message. */
export type WithoutContext<Parameters extends readonly unknown[]> =
  Required<Parameters> extends readonly [...infer Others, infer Last]
    ? IsContext<Last> extends true
      ? Others
      : Required<Parameters>
    : Required<Parameters>;
