/** `@signal`: makes a method of the class send a signal when it is called. */

import type { ValidMemberName } from '../../base/name-grammar.js';
import type { ArgumentList, SignalInput } from '../../interface/member-inputs.js';
import type { ValidArguments } from '../../signature/types.js';
import { isThenable } from '../thenable.js';
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
import { overriddenByNoMethod } from './override-check.js';
import type { NoParentheses, RefusedDecorator, Unless } from './refusal.js';
import { serviceObjectOf } from './service-object.js';
import type { SignalRefusal } from './signal-refusal.js';
import { noteValuesFunction } from './signal-values.js';

/** The options of {@link signal}. */
export interface SignalOptions<A extends ArgumentList, N extends string = string>
  extends MemberOptions<N & ValidMemberName<N>> {
  /** The arguments; none by default. */
  readonly args?: (A & ValidArguments<A>) | undefined;
  /** What the arguments mean, by their names. */
  readonly argumentDocs?: Readonly<Record<string, string>> | undefined;
}

/** The decorator that {@link signal} returns, for both dialects. Its compile errors say what to change. */
export type DecoratesSignal<A extends ArgumentList, N extends string> = <Target, Second, Descriptor>(
  target: Target,
  context: Unless<SignalRefusal<Target, Second, Descriptor, A, N>, Second>,
  descriptor?: Descriptor,
) => void;

/**
 * Makes a method of a {@link ServiceInterface} class a D-Bus signal: calling it emits its result, from every path and
 * connection at which the object is exported, if there is one. An asynchronous method emits when it resolves. It
 * returns a tuple for several arguments, and nothing for none. Its caller gets the result.
 *
 * Declare the return type as {@link Emits}: proxies of the class recognise the signal by it. It may be left out in
 * classes that clients do not share.
 *
 * @example
 * ```ts
 * @signal({ args: ['vms:a{ss}'] })
 * TestSignal(vms: Record<string, string>): Emits<Record<string, string>> { return vms; }
 * ```
 *
 * @throws {@link InvalidArgumentError} if a signature or name is invalid, when the class is defined; if the result has
 * the wrong type, when the method is called
 * @see D-Bus specification, section "Message Protocol", type SIGNAL
 */
export function signal<const A extends ArgumentList = '', const N extends string = string>(
  options?: SignalOptions<A, N>,
): DecoratesSignal<A, N>;
/** Refuses the decorator without parentheses. */
export function signal(decorated: unknown, context: NoParentheses<'@signal()'>, descriptor?: unknown): RefusedDecorator;
export function signal(given: unknown = {}, ...rest: readonly unknown[]): (...args: readonly unknown[]) => void {
  checkOptions('signal', given, rest);
  const { name, disabled = false, ...definition } = given as Given<SignalInput>;
  return (...args: readonly unknown[]): void => {
    const { kind, key, leaveNote } = decorated('signal', args);
    if (kind !== 'method') throw refused('signal', key, noMethod(kind, key));
    const member = {
      kind: 'signal',
      key,
      name: name ?? key,
      disabled,
      definition,
      complete: (prototype: object) => emitWhenCalled(prototype, key),
    } as const;
    checkMember(member);
    leaveNote(member);
  };
}

function checkSignalFunction(key: string, values: unknown): void {
  if (typeof values !== 'function') throw refused('signal', key, overriddenByNoMethod('signal', key));
  if (isGenerator(values)) throw refused('signal', key, GENERATOR);
}

/**
 * Replaces the method by one that also emits its result. Each class that declares the signal has one, whether it
 * decorates the signal again or only overrides it. The most derived one emits; methods that it calls through `super` do
 * not.
 */
function emitWhenCalled(prototype: object, key: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
  const values: (...args: unknown[]) => unknown = descriptor.value;
  checkSignalFunction(key, values);
  const emit = function (this: object, ...args: unknown[]): unknown {
    const result = values.apply(this, args);
    const object = serviceObjectOf(this);
    if (!object.declares(key, prototype)) return result;
    if (!isThenable(result)) {
      object.emitSignal(key, result, emit);
      return result;
    }
    return Promise.resolve(result).then((settled) => {
      object.emitSignal(key, settled, emit);
      return settled;
    });
  };
  noteValuesFunction(emit, values);
  Object.defineProperty(emit, 'name', { value: key, configurable: true });
  Object.defineProperty(prototype, key, { ...descriptor, value: emit });
}
