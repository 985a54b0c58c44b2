/**
 * The common part of the decorators. They find out which dialect calls them, refuse what cannot be a member, and leave
 * a note from which the class is described. All other work waits until the class is complete.
 */

import { InvalidArgumentError } from '../../base/errors.js';
import { anyValue, KnownOptions, type OptionTable } from '../../base/known-options.js';
import { quoted } from '../../base/names.js';
import { checkBoolean } from '../../base/parameters.js';
import { elsewhere, methodTable, propertyTable, signalTable } from '../../interface/build.js';
import { type OwnRule, ownRule, type RuleInput, ruleTables } from '../permits/member-rules.js';
import { type Member, membersOf, noteOnFunction, noteOnPrototype } from './members.js';
import { isServiceInstance, serviceBrand } from './service-object.js';

/** Options that all decorators share. */
export interface MemberOptions<N extends string = string> {
  /** The name on D-Bus, if it differs from the name in the class. */
  readonly name?: N | undefined;
  /** `true`: the member is not on D-Bus. In a subclass this removes an inherited member. */
  readonly disabled?: boolean | undefined;
  /** What the member means, for the introspection data: `gdbus introspect` shows it, and code generators use it. */
  readonly docs?: string | undefined;
  /** Adds the annotation `org.freedesktop.DBus.Deprecated`. */
  readonly deprecated?: boolean | undefined;
  /** Further annotations for the introspection data, by name. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Options as a decorator gets them: those of a definition, and those that all decorators share. */
export type Given<Input> = Input & { readonly name?: string; readonly disabled?: boolean };

const sharedTable: OptionTable<MemberOptions> = {
  name: anyValue,
  disabled: checkBoolean,
  docs: anyValue,
  deprecated: anyValue,
  annotations: anyValue,
};

/** The options of each decorator. */
const known = {
  method: new KnownOptions(
    '@method()',
    { ...sharedTable, ...methodTable, ...ruleTables.method, context: checkBoolean },
    { elsewhere: elsewhere.method },
  ),
  signal: new KnownOptions('@signal()', { ...sharedTable, ...signalTable }, { elsewhere: elsewhere.signal }),
  property: new KnownOptions(
    '@property()',
    { ...sharedTable, ...propertyTable, ...ruleTables.property },
    { elsewhere: elsewhere.property },
  ),
};

/** The form of each decorator. */
const written = {
  method: "@method(), or @method({ in: ['name:s'], out: 's' })",
  signal: "@signal(), or @signal({ args: ['name:s'] })",
  property: "@property({ type: 's' }), with the signature of its value",
};

/** The parts of a standard decorator's context that are used here. */
interface StandardContext {
  readonly kind: string;
  readonly name: string | symbol;
  readonly static: boolean;
  readonly private: boolean;
  addInitializer(initializer: (this: unknown) => void): void;
}

type AnyFunction = (...args: never[]) => unknown;

/** The decorated member, in either dialect. */
export interface Decorated {
  /** `accessor` only exists for standard decorators, `pair` and `field` only for the other dialect. */
  readonly kind: 'method' | 'getter' | 'setter' | 'accessor' | 'pair' | 'field';
  readonly key: string;
  /** The function of a method. */
  readonly value: unknown;
  leaveNote(member: Member): void;
}

/**
 * Recognises the arguments of a decorator call: `(value, context)` or `(prototype, key, descriptor?)`.
 *
 * @throws {@link InvalidArgumentError} if the member cannot be on D-Bus: static or private members, symbols, anything
 * else
 */
export function decorated(decorator: string, args: readonly unknown[]): Decorated {
  const [target, second, descriptor] = args;
  if (isStandardContext(second)) return decoratedByStandard(decorator, target, second);
  if (typeof second === 'string' || typeof second === 'symbol') {
    if (typeof target === 'function') throw refused(decorator, second, 'a static member cannot be on D-Bus');
    const key = stringKey(decorator, second);
    return {
      kind: kindByDescriptor(descriptor as PropertyDescriptor | undefined),
      key,
      value: (descriptor as PropertyDescriptor | undefined)?.value,
      leaveNote: (member) => noteOnPrototype(target as object, member),
    };
  }
  throw new InvalidArgumentError(`@${decorator} decorates members of a class that extends ServiceInterface`);
}

function decoratedByStandard(decorator: string, target: unknown, context: StandardContext): Decorated {
  const { kind } = context;
  if (kind === 'class') throw new InvalidArgumentError(`@${decorator} decorates members of a class, not the class`);
  if (context.static) throw refused(decorator, context.name, 'a static member cannot be on D-Bus');
  if (context.private) throw refused(decorator, context.name, 'a #private member cannot be on D-Bus');
  if (kind === 'field' && decorator === 'property') {
    const advice = `write "accessor ${String(context.name)}", because assignments to a field cannot be noticed`;
    throw refused(decorator, context.name, advice);
  }
  const key = stringKey(decorator, context.name);
  // Another decorator above this one may replace the function that carries the note. An error is better than losing the
  // member.
  let checked: unknown;
  context.addInitializer(function (this: unknown) {
    const prototype = Object.getPrototypeOf(this);
    if (prototype === checked) return;
    if (!isServiceInstance(this as object)) throw refused(decorator, key, noService(this as object));
    if (!membersOf(prototype).has(key)) {
      throw refused(decorator, key, 'another decorator has replaced the member: write this one above all others');
    }
    checked = prototype;
  });
  return {
    kind: kind as Decorated['kind'],
    key,
    value: target,
    leaveNote(member) {
      const carrier = kind === 'accessor' ? (target as { get: AnyFunction }).get : (target as AnyFunction);
      noteOnFunction(carrier, member);
    },
  };
}

/** The reason why an instance of the class has no members on D-Bus. */
function noService(instance: object): string {
  return serviceBrand in instance
    ? 'its class and the decorator belong to two copies of busbar: import both from one copy'
    : 'its class does not extend ServiceInterface';
}

function isStandardContext(value: unknown): value is StandardContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

/**
 * In the other dialect a getter and setter look like an `accessor`. A field has no descriptor, or one with an
 * initializer.
 */
function kindByDescriptor(descriptor: PropertyDescriptor | undefined): Decorated['kind'] {
  if (typeof descriptor?.value === 'function') return 'method';
  if (descriptor?.get && descriptor.set) return 'pair';
  if (descriptor?.get) return 'getter';
  return descriptor?.set ? 'setter' : 'field';
}

function stringKey(decorator: string, key: string | symbol): string {
  if (typeof key === 'string') return key;
  throw refused(decorator, key, 'a member named by a symbol cannot be on D-Bus');
}

/** The reason why something else is not a method or signal, which are functions of the class. */
export function noMethod(kind: string, key: string): string {
  const advice = kind === 'field' ? `: write "${key}(…) { … }", which all instances share` : '';
  return `a ${kind} is not a method${advice}`;
}

/** The reason why a generator function is not a method or signal. */
export const GENERATOR =
  'it is a generator, whose code does not run when it is called: write a function or an async function';

const GENERATORS: ReadonlySet<unknown> = new Set(['GeneratorFunction', 'AsyncGeneratorFunction']);

/** Whether calling a function only makes something to iterate over. */
export function isGenerator(value: unknown): boolean {
  return (
    typeof value === 'function' && GENERATORS.has((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag])
  );
}

/** Makes an error that names the decorator and the member. */
export function refused(decorator: string, key: string | symbol, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`@${decorator} ${quoted(String(key))}: ${reason}`);
}

/**
 * Checks the options a decorator was called with.
 *
 * @throws {@link InvalidArgumentError} if an option is unknown, or the decorator was not called: `@method` instead of
 * `@method()`
 */
export function checkOptions(decorator: keyof typeof known, options: unknown, rest: readonly unknown[]): void {
  if (rest.length > 0 || typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError(`@${decorator} takes one object of options: write ${written[decorator]}`);
  }
  known[decorator].check(options as never);
}

/**
 * Compiles the rules in the options of a decorator.
 *
 * @throws {@link InvalidArgumentError}
 */
export function ruleOf(kind: 'method' | 'property', key: string, name: string, input: RuleInput): OwnRule | undefined {
  try {
    return ownRule(kind, name, input);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw refused(kind, key, error.message);
    throw error;
  }
}
