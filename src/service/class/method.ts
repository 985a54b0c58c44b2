/** `@method`: a method of the class answers calls from the bus. */

import type { ValidMemberName } from '../../base/name-grammar.js';
import type { ArgumentList, MethodInput } from '../../interface/build.js';
import type { NoReply } from '../../interface/definitions.js';
import type { ValidArguments, VariantChoice } from '../../signature/types.js';
import {
  checkOptions,
  decorated,
  GENERATOR,
  type Given,
  isGenerator,
  type MemberOptions,
  noMethod,
  refused,
} from './decoration.js';
import { checkMember } from './member-check.js';
import type { MethodRefusal } from './method-refusal.js';
import { checkMethodOverride } from './override-check.js';
import type { NoParentheses, RefusedDecorator, Unless } from './refusal.js';

/** The options of {@link method}. */
export interface MethodOptions<
  I extends ArgumentList,
  O extends ArgumentList,
  C extends boolean,
  V extends VariantChoice = 'plain',
  N extends string = string,
> extends MemberOptions<N & ValidMemberName<N>> {
  /** The arguments; none if left out. */
  readonly in?: (I & ValidArguments<I>) | undefined;
  /** The reply's values. None: the result is ignored; one: the result is the value; several: it is a tuple of them. */
  readonly out?: (O & ValidArguments<O>) | undefined;
  /**
   * Adds the annotation `org.freedesktop.DBus.Method.NoReply`: callers are not meant to wait. Not together with `out`.
   */
  readonly noReply?: NoReply<O> | undefined;
  /** `true`: the method gets the call's {@link CallContext} as its last parameter. */
  readonly context?: C | undefined;
  /**
   * `'wrap'`: the method gets the variants among its arguments, at any depth, as `Variant`, which keeps their types;
   * `'plain'` (if left out): the values in them. To pass variants on as they came, wrap.
   */
  readonly variants?: V | undefined;
}

/** The decorator that {@link method} makes, for both dialects. What it refuses, it refuses with the cure. */
export type DecoratesMethod<
  I extends ArgumentList,
  O extends ArgumentList,
  C extends boolean,
  V extends VariantChoice,
  N extends string,
> = <Target, Second, Descriptor>(
  target: Target,
  context: Unless<MethodRefusal<Target, Second, Descriptor, I, O, C, V, N>, Second>,
  descriptor?: Descriptor,
) => void;

/**
 * Makes a method of a {@link ServiceInterface} class a D-Bus method. Its parameters must take the values that are read
 * by `in`; its result, or what its promise resolves with, must be writable by `out`.
 *
 * Throw a {@link DBusError} that you make to answer with that error. Anything else thrown is answered with
 * `org.freedesktop.DBus.Error.Failed` and its message, and reported: also an error that busbar made, because an argument that
 * it was given is wrong, a call made here failed or a connection ended, for it is no answer to this caller. A result that does
 * not fit is answered so, too, and reported.
 *
 * Proxies of the class have its types: so the compiler wants one parameter for each argument, none that may be left out,
 * and results that are read as they are declared (a `bigint` for `x`). See {@link ServiceInterface} for classes that no
 * client shares.
 *
 * @example
 * ```ts
 * @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
 * async TestMethod(kind: string, devices: Record<string, string[]>): Promise<string> {
 *   return 'Success';
 * }
 * ```
 *
 * @throws {@link InvalidArgumentError} for an invalid signature or name, when the class is defined
 * @see D-Bus specification, section "Message Protocol", type METHOD_CALL
 */
export function method<
  const I extends ArgumentList = '',
  const O extends ArgumentList = '',
  const C extends boolean = false,
  const V extends VariantChoice = 'plain',
  const N extends string = string,
>(options?: MethodOptions<I, O, C, V, N>): DecoratesMethod<I, O, C, V, N>;
/** Refuses the decorator without parentheses. */
export function method(decorated: unknown, context: NoParentheses<'@method()'>, descriptor?: unknown): RefusedDecorator;
export function method(given: unknown = {}, ...rest: readonly unknown[]): (...args: readonly unknown[]) => void {
  checkOptions('method', given, rest);
  const {
    name,
    disabled = false,
    context = false,
    ...definition
  } = given as Given<MethodInput & { readonly context?: boolean }>;
  return (...args: readonly unknown[]): void => {
    const { kind, key, value, leaveNote } = decorated('method', args);
    if (kind !== 'method') throw refused('method', key, noMethod(kind, key));
    if (isGenerator(value)) throw refused('method', key, GENERATOR);
    const complete = (prototype: object, isOverride: boolean) => {
      if (isOverride && !disabled) checkMethodOverride(prototype, key);
    };
    const member = { kind, key, name: name ?? key, disabled, context, definition, complete } as const;
    checkMember(member);
    leaveNote(member);
  };
}
