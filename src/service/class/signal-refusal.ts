/** The compile-time checks of `@signal`: they compare the method's result with its signature. */
import type { ArgumentList } from '../../interface/member-inputs.js';
import type { ReadArguments, WriteResult } from '../../signature/types.js';
import type { Carries, SignalArguments } from './emits.js';
import type { FunctionOf, NameRefusal, NoFunction } from './method-refusal.js';
import type { First, InstanceOf, IsAny, IsUnknown, KeyOf, Misfit, PlaceRefusal } from './refusal.js';
import type { IsServiceOnly } from './service-interface.js';
import type { Keeps } from './shared-values.js';

/** The reason why `@signal` refuses a member; `never` if it accepts it. */
export type SignalRefusal<Target, Second, Descriptor, A extends ArgumentList, N extends string> = First<
  PlaceRefusal<Target, Second>,
  FunctionOf<Target, Second, Descriptor> extends infer F
    ? IsAny<F> extends true
      ? never
      : F extends (...args: never) => infer R
        ? First<
            First<NameRefusal<N, KeyOf<Second>>, ValuesRefusal<Awaited<R>, A>>,
            PromiseRefusal<SignalArguments<F>, A, IsServiceOnly<InstanceOf<Target, Second>>>
          >
        : NoFunction<KeyOf<Second>>
    : never
>;

/** The reason why the result cannot be sent. */
type ValuesRefusal<R, A extends ArgumentList> =
  IsAny<R> extends true
    ? never
    : [R] extends [never]
      ? never
      : A extends '' | readonly []
        ? [R] extends [void | Carries<[]>]
          ? never
          : 'it returns a value: add "args" with its signature'
        : [R] extends [void | Carries<[]>]
          ? Misfit<'it returns nothing: return the values of "args"', WriteResult<A>>
          : [R] extends [WriteResult<A>]
            ? never
            : Misfit<'its result does not match "args": return', WriteResult<A>>;

/** The reason why listeners would not get the declared type. */
type PromiseRefusal<Promised, A extends ArgumentList, Only extends boolean> = [Promised] extends [never]
  ? [Only] extends [true]
    ? never
    : 'declare its return type as Emits<…>, by which proxies of the class recognise signals'
  : IsUnknown<A> extends true
    ? never
    : ReadArguments<A> extends infer Read extends readonly unknown[]
      ? number extends Read['length']
        ? never
        : Promised extends readonly unknown[]
          ? Promised['length'] extends Read['length']
            ? Keeps<Read, Promised> extends true
              ? never
              : Misfit<'listeners get other types than those of Emits: declare', Read>
            : Misfit<'listeners get other arguments than those of Emits: declare', Read>
          : never
      : never;
