/**
 * The rules of an object's members, beyond its interface: which callers may use them, in which order their handlers run,
 * and which values a property accepts. Most objects have none.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { anyValue, KnownOptions, type OptionTable, unknownKey } from '../../base/known-options.js';
import { checkOptionalFunction, oneOf } from '../../base/parameters.js';
import type { InterfaceDescription, PropertyDescription } from '../../interface/description.js';
import type { ReadValueAs, VariantChoice } from '../../signature/types.js';
import { interfacePermits, type Permit, permitOf, propertyPermits } from './permission.js';

/**
 * The order in which handlers run: all at once (`'parallel'`, the default), one at a time (`'serial'`), or one at a time
 * for each caller (`'perCaller'`).
 */
export type Concurrency = 'parallel' | 'serial' | 'perCaller';

/** The order of handlers, as options have it. */
export interface HandlerOrder {
  /**
   * The order in which handlers run: all at once (`'parallel'`, the default), one at a time (`'serial'`), or one at a
   * time for each caller (`'perCaller'`). A call waits until the promise of the handler before it has settled. A call whose
   * caller leaves while it waits is not handled.
   */
  readonly concurrency?: Concurrency | undefined;
  /**
   * How many calls of one caller may wait; further ones are answered with `LimitsExceeded`. By default
   * `limits.callsInProgress` counts them, as it counts running handlers.
   */
  readonly queue?: number | undefined;
}

/**
 * Whether a property accepts a value, which has the type of the property: `true`; `false`; or a text that says why not. A
 * client that sets another value gets `InvalidArgs`; the program that assigns one gets an {@link InvalidArgumentError}.
 */
export type ValueCheck<Value = unknown> = (value: Value) => boolean | string;

/** The check of a property with this signature. */
export type ValueCheckOf<S extends string, V extends VariantChoice> = (value: ReadValueAs<S, V>) => boolean | string;

/** How the handlers of a member are put in order. */
export interface Order {
  readonly concurrency: 'serial' | 'perCaller';
  /** `undefined` if only the limit of the connection applies. */
  readonly queue: number | undefined;
  /** The member whose calls are put in order; empty if it is all members without an order of their own. */
  readonly member: string;
}

/** The rules of one member. */
export interface MemberRule {
  /** Who may call the method, or set the property. */
  readonly permit?: Permit | undefined;
  /** Who may read the property. */
  readonly read?: Permit | undefined;
  readonly order?: Order | undefined;
  readonly check?: ValueCheck | undefined;
}

/** The rules of an object. A member without rules is in none of the maps. */
export interface MemberRules {
  readonly methods: ReadonlyMap<string, MemberRule>;
  readonly properties: ReadonlyMap<string, MemberRule>;
  /** The names of the properties that not all callers may read. */
  readonly guarded: ReadonlySet<string>;
}

/** Whether the process has an object with properties that not all callers may read. Else no answer has to be checked. */
export const guardsReads = { inUse: false };

export const orderTable: OptionTable<HandlerOrder> = {
  concurrency: oneOf(['parallel', 'serial', 'perCaller']),
  queue: checkQueue,
};
export const ruleTables = {
  method: { allow: anyValue, ...orderTable },
  property: { allow: anyValue, check: checkOptionalFunction, ...orderTable },
};

/** The options of a member's rules. Their values are checked here, and their types where they are declared. */
export interface RuleInput extends HandlerOrder {
  readonly allow?: unknown;
  readonly check?: ValueCheck | undefined;
}

const known = {
  method: new KnownOptions<Omit<RuleInput, 'check'>>('a method', ruleTables.method),
  property: new KnownOptions<RuleInput>('a property', ruleTables.property),
};

/** A member's own rules, which may leave the rest to the interface. */
export interface OwnRule extends Omit<MemberRule, 'order'> {
  readonly order?: Order | 'parallel' | undefined;
}

/**
 * Compiles the options of a member.
 *
 * @throws {@link InvalidArgumentError}
 */
export function ownRule(kind: 'method' | 'property', name: string, input: RuleInput): OwnRule | undefined {
  known[kind].check(input);
  const { allow, check, concurrency, queue } = input;
  if (queue !== undefined && (concurrency ?? 'parallel') === 'parallel')
    throw new InvalidArgumentError(
      "queue: only calls that wait are counted: set concurrency to 'serial' or 'perCaller'",
    );
  if (allow === undefined && check === undefined && concurrency === undefined) return undefined;
  const order =
    concurrency === undefined || concurrency === 'parallel'
      ? concurrency
      : { concurrency, queue, member: `${kind} ${name}` };
  const { read, write } = kind === 'method' ? { read: undefined, write: permitOf(allow) } : propertyPermits(allow);
  return { permit: write, read, order, check };
}

/** The rules of an object: those of its members, and those of the interface where a member has none of its own. */
export function memberRules(
  description: InterfaceDescription,
  input: RuleInput,
  methods: ReadonlyMap<string, OwnRule>,
  properties: ReadonlyMap<string, OwnRule>,
): MemberRules | undefined {
  const { call, read, write } = interfacePermits(input.allow);
  const { order } = ownRule('method', description.name, { concurrency: input.concurrency, queue: input.queue }) ?? {};
  const shared = order === 'parallel' || order === undefined ? undefined : { ...order, member: '' };
  const rules = (
    names: Iterable<string>,
    own: ReadonlyMap<string, OwnRule>,
    defaults: { readonly permit: Permit | undefined; readonly read: Permit | undefined },
  ) => {
    const all = new Map<string, MemberRule>();
    for (const name of names) {
      const rule = own.get(name);
      const merged = {
        permit: rule?.permit ?? defaults.permit,
        read: rule?.read ?? defaults.read,
        check: rule?.check,
        order: rule?.order === 'parallel' ? undefined : (rule?.order ?? shared),
      };
      if (Object.values(merged).some((value) => value !== undefined)) all.set(name, merged);
    }
    return all;
  };
  const ofMethods = rules(description.methods.keys(), methods, { permit: call, read: undefined });
  const ofProperties = rules(description.properties.keys(), properties, { permit: write, read });
  if (ofMethods.size === 0 && ofProperties.size === 0) return undefined;
  const guarded = new Set([...ofProperties].filter(([, rule]) => rule.read !== undefined).map(([name]) => name));
  if (guarded.size > 0) guardsReads.inUse = true;
  return { methods: ofMethods, properties: ofProperties, guarded };
}

/**
 * The description of an interface, some of whose properties not all callers may read. Signals are broadcast, so they must
 * not have the values of those properties.
 */
export function withoutBroadcasts(
  description: InterfaceDescription,
  isGuarded: (name: string) => boolean,
): InterfaceDescription {
  const hidden = (property: PropertyDescription) => property.emits === true && isGuarded(property.name);
  if (![...description.properties.values()].some(hidden)) return description;
  const properties = new Map<string, PropertyDescription>();
  for (const [name, property] of description.properties)
    properties.set(name, hidden(property) ? { ...property, emits: 'invalidates' } : property);
  return { ...description, properties };
}

/** @throws {@link InvalidArgumentError} if there is a rule for a member that the interface does not have */
export function checkRuleNames({ name, methods, properties }: InterfaceDescription, given: object): void {
  for (const member of Object.keys(given)) {
    if (methods.has(member) || properties.has(member)) continue;
    throw unknownKey(`implement() of ${name}`, 'member', member, [...methods.keys(), ...properties.keys()]);
  }
}

function checkQueue(value: unknown): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) return;
  throw new InvalidArgumentError(`queue: expected an integer above 0, got ${String(value)}`);
}
