/** The compile-time checks of `@method`: they compare the method's parameters and result with its signatures. */

import type { InvalidName, ValidMemberName } from '../../base/name-grammar.js';
import type { ArgumentList } from '../../interface/member-inputs.js';
import type {
  ReadArgumentsAs,
  ReadResult,
  ValidArguments,
  VariantChoice,
  WriteArguments,
  WriteResult,
} from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import type { IsContext } from './context-parameter.js';
import type { SignalArguments } from './emits.js';
import type { First, InstanceOf, IsAny, IsUnknown, KeyOf, Misfit, PlaceRefusal, StandardContext } from './refusal.js';
import type { IsServiceOnly } from './service-interface.js';
import type { Keeps, Takes, TakesValue } from './shared-values.js';

/** The reason why `@method` refuses a member; `never` if it accepts it. */
export type MethodRefusal<
  Target,
  Second,
  Descriptor,
  I extends ArgumentList,
  O extends ArgumentList,
  C extends boolean,
  V extends VariantChoice,
  N extends string,
> = First<
  PlaceRefusal<Target, Second>,
  FunctionOf<Target, Second, Descriptor> extends infer F
    ? // Invalid signatures are refused where they stand.
      true extends IsAny<F> | IsInvalid<I> | IsInvalid<O>
      ? never
      : F extends (...args: infer P) => infer R
        ? First<
            First<NameRefusal<N, KeyOf<Second>>, EmitsRefusal<F>>,
            First<
              ResultRefusal<Awaited<R>, O, IsServiceOnly<InstanceOf<Target, Second>>>,
              ParametersRefusal<P, I, C, V, IsServiceOnly<InstanceOf<Target, Second>>>
            >
          >
        : NoFunction<KeyOf<Second>>
    : never
>;

type IsInvalid<A extends ArgumentList> = A extends ValidArguments<A> ? false : true;

/** The function that is decorated, in either dialect. */
export type FunctionOf<Target, Second, Descriptor> = Second extends StandardContext
  ? Target
  : Descriptor extends TypedPropertyDescriptor<infer F>
    ? F
    : Second extends keyof Target
      ? Target[Second]
      : unknown;

export type NoFunction<Key> = `it is not a method: write "${Key & string}(…) { … }"`;

/** The reason why the member's name in the class is not valid on D-Bus, if it has no other name. */
export type NameRefusal<N extends string, Key> = string extends N
  ? Key extends string
    ? ValidMemberName<Key> extends InvalidName<infer Why>
      ? `give it another "name": ${Why}`
      : never
    : never
  : never;

type EmitsRefusal<F> = [SignalArguments<F>] extends [never]
  ? never
  : 'its return type, Emits, is that of a signal: write @signal';

/**
 * The reason why a result cannot be sent as `O`, or, for a class that clients share, would not be read with the
 * declared type.
 */
type ResultRefusal<R, O extends ArgumentList, Only extends boolean> = true extends IsAny<R> | IsUnknown<O>
  ? never
  : [R] extends [never]
    ? never
    : O extends '' | readonly []
      ? [R] extends [void]
        ? never
        : 'it returns a value: add "out" with its signature'
      : [R] extends [void]
        ? Misfit<'it returns nothing: return the values of "out"', WriteResult<O>>
        : [R] extends [WriteResult<O>]
          ? [Only] extends [true]
            ? never
            : Keeps<ReadResult<O>, R> extends true
              ? never
              : Misfit<
                  'clients read its result as another type: declare that one, or extend ServiceInterface<"service-only">',
                  ReadResult<O>
                >
          : Misfit<'its result does not match "out": return', WriteResult<O>>;

type ParametersRefusal<
  P extends readonly unknown[],
  I extends ArgumentList,
  C extends boolean,
  V extends VariantChoice,
  Only extends boolean,
> =
  Extract<ReadArgumentsAs<I, V>, readonly unknown[]> extends infer In extends readonly unknown[]
    ? number extends In['length']
      ? never
      : [Only] extends [true]
        ? [(...args: P) => void] extends [(...args: [C] extends [true] ? [...In, context: CallContext] : In) => void]
          ? TakesValue<In, Required<P>> extends true
            ? never
            : Misfit<'its parameters do not match "in"', In>
          : Misfit<'its parameters do not match "in"', In>
        : Required<P> extends infer Q extends readonly unknown[]
          ? number extends Q['length']
            ? 'it has a rest parameter: declare one parameter for each argument of "in"'
            : OwnParameters<Q, In, C> extends infer Own
              ? Own extends readonly unknown[]
                ? ArgumentsRefusal<Own, In, I>
                : Own
              : never
          : never
    : never;

/** The parameters for the arguments, without the one for the context; or the reason why that one is ambiguous. */
type OwnParameters<
  Q extends readonly unknown[],
  In extends readonly unknown[],
  C extends boolean,
> = Q extends readonly [...infer Others, infer Last]
  ? [C] extends [true]
    ? IsContext<Last> extends true
      ? Others
      : Q['length'] extends In['length']
        ? Q
        : 'declare the last parameter as CallContext'
    : IsContext<Last> extends true
      ? Others['length'] extends In['length']
        ? 'write "context: true" to get the context of the call'
        : 'its last argument looks like the context of the call: give its type another member'
      : Q
  : Q;

type ArgumentsRefusal<
  Own extends readonly unknown[],
  In extends readonly unknown[],
  I extends ArgumentList,
> = Own['length'] extends In['length']
  ? [In] extends [Own]
    ? [Own] extends [WriteArguments<I>]
      ? Takes<In, Own> extends true
        ? never
        : Misfit<'its parameters do not match "in"', In>
      : Misfit<'its parameters accept values that clients cannot send: declare the types of "in"', In>
    : Misfit<'its parameters do not match "in"', In>
  : `declare a parameter for each argument of "in": it has ${Own['length']}, and ${In['length']} are needed`;
