/**
 * How the type of a class tells its signals from its methods. TypeScript does not see decorators, so a signal says in
 * its return type that what it returns is sent: `Emits<…>` is the returned type itself with a phantom property, which
 * needs no cast at the `return` and is never there at run time.
 *
 * Listeners are typed from what is emitted rather than from the parameters: the emitted values are what travels, and
 * the parameters may be anything that the class finds convenient.
 */

/** The key of the phantom property; nothing has it at run time. */
declare const emitted: unique symbol;

/** The arguments of a signal whose method returns `T`: none for `void`, those of a tuple, else one. */
type EmittedArguments<T> = [T] extends [void]
  ? []
  : [T] extends [readonly unknown[]]
    ? number extends T['length']
      ? [T]
      : T
    : [T];

/** Carries the arguments of a signal; nothing has it at run time. */
export interface Carries<Arguments extends readonly unknown[]> {
  /** Never there: it only tells the compiler which arguments listeners get. */
  readonly [emitted]?: Arguments;
}

/**
 * The return type of a signal: what it returns is sent. A tuple stands for several arguments, names included:
 * `Emits<[name: string, age: number]>`; nothing, `Emits`, for none. A signal whose only argument is a D-Bus struct, which
 * is a tuple itself, names its arguments: `Emits<[string, number], [[string, number]]>`.
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

/** Whatever is known to be there: `unknown` alone carries nothing. */
type Known = string | number | bigint | boolean | object | Readonly<Record<string, unknown>>;

/** The arguments that a signal's listeners get, from the type of its method; `never` for what is no signal. */
export type SignalArguments<F> = 0 extends 1 & F
  ? never
  : F extends (...args: never) => infer Result
    ? ArgumentsOf<Awaited<Result>>
    : never;

type ArgumentsOf<Result> = 0 extends 1 & Result
  ? never
  : Result extends unknown
    ? typeof emitted extends keyof Result
      ? Extract<NonNullable<Result[typeof emitted]>, readonly unknown[]>
      : never
    : never;
