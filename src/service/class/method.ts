/** `@method`: makes a method of the class answer calls from the bus. */

import type { ValidMemberName } from '../../base/name-grammar.js';
import type { NoReply } from '../../interface/definitions.js';
import type { ArgumentList, MethodInput } from '../../interface/member-inputs.js';
import type { ValidArguments, VariantChoice } from '../../signature/types.js';
import type { HandlerOrder, RuleInput } from '../permits/member-rules.js';
import type { MethodPermission } from '../permits/permission.js';
import {
  checkOptions,
  decorated,
  GENERATOR,
  type Given,
  isGenerator,
  type MemberOptions,
  noMethod,
  refused,
  ruleOf,
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
> extends MemberOptions<N & ValidMemberName<N>>,
    HandlerOrder {
  /** The arguments; none by default. */
  readonly in?: (I & ValidArguments<I>) | undefined;
  /**
   * The values of the reply. With none, the result is ignored; with one, the result is the value; with several, it is a
   * tuple of them.
   */
  readonly out?: (O & ValidArguments<O>) | undefined;
  /** What the arguments and results mean, by their names. */
  readonly argumentDocs?: Readonly<Record<string, string>> | undefined;
  /** Adds the annotation `org.freedesktop.DBus.Method.NoReply`: callers are not meant to wait. Excludes `out`. */
  readonly noReply?: NoReply<O> | undefined;
  /** `true`: the method gets the call's {@link CallContext} as its last parameter. */
  readonly context?: C | undefined;
  /**
   * `'wrap'`: the method gets the variants in its arguments, at any depth, as `Variant`, which keeps their types.
   * `'plain'` (the default): it gets the values in them. `'keep'`: it gets the values in them, and busbar remembers
   * their types beside their containers. Use `'wrap'` or `'keep'` to pass variants on with their types.
   */
  readonly variants?: V | undefined;
  /** Which callers may call it; by default those that the interface allows, or all. */
  readonly allow?: MethodPermission<I, V> | undefined;
}

/** The decorator that {@link method} returns, for both dialects. Its compile errors say what to change. */
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
 * Makes a method of a {@link ServiceInterface} class a D-Bus method. Its parameters must accept the values that are
 * read by `in`; its result, or the value that its promise resolves with, must be writable by `out`.
 *
 * A {@link DBusError} that the program makes and throws is the answer. Any other error is answered with
 * `org.freedesktop.DBus.Error.Failed` and its message, and reported. That includes errors made by busbar, for instance
 * because an argument was invalid, a call of the method failed or a connection ended: they are not meant for this
 * caller. A result of the wrong type is answered and reported in the same way.
 *
 * Proxies of the class have its types. So the compiler requires one parameter for each argument, no optional parameter,
 * and results that are read with their declared type (a `bigint` for `x`). See {@link ServiceInterface} for classes
 * that clients do not share.
 *
 * @example
 * ```ts
 * @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
 * async TestMethod(kind: string, devices: Record<string, string[]>): Promise<string> {
 *   return 'Success';
 * }
 * ```
 *
 * @throws {@link InvalidArgumentError} if a signature or name is invalid, when the class is defined
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
    allow,
    concurrency,
    queue,
    ...definition
  } = given as Given<MethodInput & RuleInput & { readonly context?: boolean }>;
  return (...args: readonly unknown[]): void => {
    const { kind, key, value, leaveNote } = decorated('method', args);
    if (kind !== 'method') throw refused('method', key, noMethod(kind, key));
    if (isGenerator(value)) throw refused('method', key, GENERATOR);
    const complete = (prototype: object, isOverride: boolean) => {
      if (isOverride && !disabled) checkMethodOverride(prototype, key);
    };
    const rule = ruleOf(kind, key, name ?? key, { allow, concurrency, queue });
    const member = { kind, key, name: name ?? key, disabled, context, definition, rule, complete } as const;
    checkMember(member);
    leaveNote(member);
  };
}
