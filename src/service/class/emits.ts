/**
 * Types that distinguish the signals of a class from its methods. TypeScript does not see decorators, so a signal's
 * return type declares that the result is sent. `Emits<…>` is the returned type with a phantom property, which needs no
 * cast at the `return` and does not exist at run time.
 *
 * Listeners are typed by the emitted values rather than by the parameters: the emitted values are sent, and the
 * parameters may be anything.
 */

import type { Callable } from '../../base/called-by-itself.js';

/** The key of the phantom property, which does not exist at run time. */
declare const emitted: unique symbol;

/** The arguments of a signal whose method returns `T`: none for `void`, the elements of a tuple, else one. */
type EmittedArguments<T> = [T] extends [void]
  ? []
  : [T] extends [readonly unknown[]]
    ? number extends T['length']
      ? [T]
      : T
    : [T];

/** Carries the arguments of a signal. It does not exist at run time. */
export interface Carries<Arguments extends readonly unknown[]> {
  /** Does not exist at run time. The compiler takes the arguments of listeners from it. */
  readonly [emitted]?: Arguments;
}

/**
 * The return type of a signal, whose result is sent. A tuple stands for several arguments, including their names:
 * `Emits<[name: string, age: number]>`. `Emits` alone stands for no argument. A signal whose only argument is a D-Bus
 * struct, which is a tuple itself, names its arguments: `Emits<[string, number], [[string, number]]>`.
 *
 * @example
 * ```ts
 * @signal({ args: ['vms:a{ss}'] })
 * TestSignal(vms: Record<string, string>): Emits<Record<string, string>> { return vms; }
 * ```
 */
export type Emits<
  T = void,
  Arguments extends readonly unknown[] = Extract<EmittedArguments<T>, readonly unknown[]>,
> = 0 extends 1 & T
  ? T
  : [T] extends [void]
    ? void | Carries<Arguments>
    : (unknown extends T ? Known : T) & Carries<Arguments>;

/** All types that are known: `unknown` alone carries nothing. */
type Known = string | number | bigint | boolean | object | Readonly<Record<string, unknown>>;

/** The arguments that a signal's listeners get, from the type of its method; `never` if it is not a signal. */
export type SignalArguments<F> = 0 extends 1 & F
  ? never
  : F extends (...args: never) => infer Result
    ? ArgumentsOf<Awaited<Result>>
    : never;

/** A member that is not a signal: declare its return type as `Emits<…>`, by which the compiler recognises signals. */
interface NotASignal {
  readonly cure: 'declare the return type of a signal as Emits<…>';
}

/**
 * The signals of a class as functions that send them to one connection. A member that is not a signal cannot be called.
 * (The conditional type is the value, and not the name: in a class the type of `this` is not known, and its members
 * would have no names.)
 */
export type SignalsOf<T> = {
  readonly [Name in keyof T as Name extends 'emitPropertiesChanged' | 'signalsTo' ? never : Callable<Name>]: Sending<
    T[Name]
  >;
};

// A signal takes the true branches: the compiler adds them to the others for a type that is not known.
type Sending<F> = F extends (...args: never) => infer Result
  ? typeof emitted extends KeysOf<Awaited<Result>>
    ? F
    : NotASignal
  : NotASignal;

type KeysOf<Result> = Result extends unknown ? keyof Result : never;

type ArgumentsOf<Result> = 0 extends 1 & Result
  ? never
  : Result extends unknown
    ? typeof emitted extends keyof Result
      ? Extract<NonNullable<Result[typeof emitted]>, readonly unknown[]>
      : never
    : never;
