/** `@method`: a method of the class answers calls from the bus. */
import { type ArgumentList, METHOD_OPTIONS } from '../introspection/build.js';
import type { ValidArguments, VariantChoice } from '../signature/types.js';
import {
  checkOptions,
  decorated,
  GENERATOR,
  isGenerator,
  type MemberOptions,
  noMethod,
  refused,
} from './decoration.js';
import type { HandlerParameters, HandlerResult, ParametersWithContext } from './definitions.js';
import { checkMember } from './member-check.js';

/** The options of {@link method}. */
export interface MethodOptions<
  I extends ArgumentList,
  O extends ArgumentList,
  C extends boolean,
  V extends VariantChoice = 'plain',
> extends MemberOptions {
  /** The arguments; none if left out. */
  readonly in?: (I & ValidArguments<I>) | undefined;
  /** The reply's values. None: the result is ignored; one: the result is the value; several: it is a tuple of them. */
  readonly out?: (O & ValidArguments<O>) | undefined;
  /** Adds the annotation `org.freedesktop.DBus.Method.NoReply`: callers are not meant to wait. */
  readonly noReply?: boolean | undefined;
  /** `true`: the method gets the call's {@link CallContext} as its last parameter. */
  readonly context?: C | undefined;
  /**
   * `'wrap'`: the method gets the variants among its arguments, at any depth, as `Variant`, which keeps their types;
   * `'plain'` (if left out): the values in them. To pass variants on as they came, wrap.
   */
  readonly variants?: V | undefined;
}

type Parameters<I extends ArgumentList, C extends boolean, V extends VariantChoice> = [C] extends [true]
  ? ParametersWithContext<I, V>
  : HandlerParameters<I, V>;

/** The decorator that {@link method} makes, for both dialects. The method must fit the signatures. */
export interface DecoratesMethod<Handler extends (...args: never) => unknown> {
  /** Standard decorators. */
  <F extends Handler>(value: F, context: ClassMethodDecoratorContext): void;
  /** TypeScript's `experimentalDecorators`. */
  <F extends Handler>(prototype: object, key: string | symbol, descriptor: TypedPropertyDescriptor<F>): void;
}

/**
 * Makes a method of a {@link ServiceInterface} class a D-Bus method. Its parameters must take the values that are read
 * by `in`; its result, or what its promise resolves with, must be writable by `out`.
 *
 * Throw a {@link DBusError} that you make to answer with that error. Anything else thrown is answered with
 * `org.freedesktop.DBus.Error.Failed` and its message, and reported: also an error that busbar made, because an argument that
 * it was given is wrong, a call made here failed or a connection ended, for it is no answer to this caller. A result that does
 * not fit is answered so, too, and reported.
 *
 * A client that makes its proxy from the class believes the class's own types: declare results as they are read (a
 * `bigint` for `x`) where class and client are meant to share them.
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
>(
  options: MethodOptions<I, O, C, V> = {},
  ...rest: readonly never[]
): DecoratesMethod<(...args: Parameters<I, C, V>) => HandlerResult<O>> {
  checkOptions('method', options, rest, [...METHOD_OPTIONS, 'context']);
  const { name, disabled = false, context = false, ...definition } = options;
  return (...args: readonly unknown[]): void => {
    const { kind, key, value, leaveNote } = decorated('method', args);
    if (kind !== 'method') throw refused('method', key, noMethod(kind, key));
    if (isGenerator(value)) throw refused('method', key, GENERATOR);
    const member = { kind, key, name: name ?? key, disabled, context, definition } as const;
    checkMember(member);
    leaveNote(member);
  };
}
