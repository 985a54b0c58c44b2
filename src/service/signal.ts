/** `@signal`: calling a method of the class sends a signal. */
import { type ArgumentList, SIGNAL_OPTIONS } from '../introspection/build.js';
import type { ReadArguments, ValidArguments } from '../signature/types.js';
import {
  checkOptions,
  decorated,
  GENERATOR,
  isGenerator,
  type MemberOptions,
  noMethod,
  refused,
} from './decoration.js';
import type { HandlerResult } from './definitions.js';
import type { emitted, SignalArguments } from './emits.js';
import { checkMember } from './member-check.js';
import { serviceObjectOf } from './service-object.js';
import { isThenable } from './thenable.js';

/** The options of {@link signal}. */
export interface SignalOptions<A extends ArgumentList> extends MemberOptions {
  /** The arguments; none if left out. */
  readonly args?: (A & ValidArguments<A>) | undefined;
}

/** Nothing fits this: the arguments that `Emits` promises to listeners are not those of the signature. */
interface ListenersWouldGet<Arguments> {
  readonly listenersWouldGet: Arguments;
  readonly [emitted]: never;
}

/** What a signal with an `Emits` return type promises to listeners must be what they will read. */
type Promises<A extends ArgumentList, F> = [SignalArguments<F>] extends [never]
  ? unknown
  : ReadArguments<A> extends SignalArguments<F>
    ? unknown
    : ListenersWouldGet<ReadArguments<A>>;

/** The decorator that {@link signal} makes, for both dialects. What the method returns must fit the signature. */
export interface DecoratesSignal<A extends ArgumentList> {
  /** Standard decorators. */
  <F extends (...args: never) => HandlerResult<A>>(
    value: F,
    context: ClassMethodDecoratorContext & Promises<A, F>,
  ): void;
  /** TypeScript's `experimentalDecorators`. */
  <F extends (...args: never) => HandlerResult<A>>(
    prototype: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F> & Promises<A, F>,
  ): void;
}

/**
 * Makes a method of a {@link ServiceInterface} class a D-Bus signal: calling it emits what it returns, from every path
 * and bus that the object is exported at, and from none if it is not exported. An asynchronous one emits when it
 * resolves. For several arguments it returns a tuple, for none nothing. The caller gets what was returned.
 *
 * Declare the return type as {@link Emits}, so that proxies made from the class know the member as a signal.
 *
 * @example
 * ```ts
 * @signal({ args: ['vms:a{ss}'] })
 * TestSignal(vms: Record<string, string>): Emits<Record<string, string>> { return vms; }
 * ```
 *
 * @throws {@link InvalidArgumentError} for an invalid signature or name, when the class is defined; and when the method
 * is called and what it returns does not fit
 * @see D-Bus specification, section "Message Protocol", type SIGNAL
 */
export function signal<const A extends ArgumentList = ''>(
  options: SignalOptions<A> = {},
  ...rest: readonly never[]
): DecoratesSignal<A> {
  checkOptions('signal', options, rest, SIGNAL_OPTIONS);
  const { name, disabled = false, ...definition } = options;
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
  if (typeof values !== 'function') throw refused('signal', key, 'it is overridden by what is no method');
  if (isGenerator(values)) throw refused('signal', key, GENERATOR);
}

/**
 * Replaces the method by one that also emits what it returns. Each class that declares the signal has one, whether it
 * decorates it anew or overrides it only: the most derived one emits, and what it calls by `super` does not.
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
      object.emitSignal(key, result);
      return result;
    }
    return Promise.resolve(result).then((settled) => {
      object.emitSignal(key, settled);
      return settled;
    });
  };
  Object.defineProperty(emit, 'name', { value: key, configurable: true });
  Object.defineProperty(prototype, key, { ...descriptor, value: emit });
}
