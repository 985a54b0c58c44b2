/**
 * The exportable of one instance of a service class. It maps D-Bus names to members of the instance and back, and owns
 * the instance's property store. `ServiceInterface`'s constructor makes it; the decorated members find it here.
 */

import { types } from 'node:util';
import { callableName } from '../../base/called-by-itself.js';
import { InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../../base/errors.js';
import { shapedBody } from '../../codec/shaped-value.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { checkNotProvided } from '../../interface/reserved-interfaces.js';
import { hasShape } from '../../signature/shape.js';
import type { VariantChoice } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import { withContext } from '../calls/with-context.js';
import type { Exportable } from '../objects/exportable.js';
import { viewOf } from '../objects/inspection.js';
import type { Recipient } from '../objects/recipient.js';
import type { MemberRules, RuleInput } from '../permits/member-rules.js';
import { checkFirst, checkOf } from '../permits/value-checks.js';
import { encodeEntry } from '../properties/encode-entry.js';
import { type PropertySource, PropertyStore } from '../properties/property-store.js';
import { isThenable } from '../thenable.js';
import { inheritedDescriptor } from './class-description.js';
import { rulesOf } from './class-rules.js';
import { type ClassMembers, type MethodMember, membersOf, type PropertyMember } from './members.js';
import { signalValues, valuesFunctionOf } from './signal-values.js';

/** Returns the service object of an instance; `undefined` for other objects. `ServiceInterface` provides it. */
let find: (instance: object) => ServiceObject | undefined;

export function findServiceObjects(by: typeof find): void {
  find = by;
}

/**
 * Shared by all copies of this package in a process, to recognise a class that extends another copy's
 * `ServiceInterface`.
 */
export const serviceBrand: unique symbol = Symbol.for('busbar.ServiceInterface');

/** Whether its class extends the `ServiceInterface` of this copy of the package. */
export function isServiceInstance(instance: object): boolean {
  return find(instance) !== undefined;
}

/**
 * Returns the service object of an instance.
 *
 * @throws {@link InvalidArgumentError} if its class does not extend `ServiceInterface`
 */
export function serviceObjectOf(instance: object): ServiceObject {
  const object = find(instance);
  if (object !== undefined) return object;
  if (types.isProxy(instance)) {
    throw new InvalidArgumentError(
      'decorated members do not work in a Proxy of an instance: use the instance itself, and keep the Proxy out of `this`',
    );
  }
  throw new InvalidArgumentError('decorated members only work in instances of classes that extend ServiceInterface');
}

const none: readonly never[] = [];

export class ServiceObject implements Exportable, PropertySource {
  readonly description: InterfaceDescription;
  readonly rules: MemberRules | undefined;
  readonly properties: PropertyStore;
  readonly #instance: Record<string, unknown>;
  readonly #named: MembersByName;
  /** Whether an own field of the instance is being moved to the accessor that detects its changes. */
  #isAdopting = false;
  /** The properties whose first values have not been checked. The array is replaced and never changed. */
  #unchecked: readonly PropertyMember[];
  /** The signals that were reported as hidden by a field. */
  #told: Set<string> | undefined;

  constructor(instance: object, description: InterfaceDescription, options: RuleInput) {
    checkNotProvided(description.name);
    this.description = description;
    this.#instance = instance as Record<string, unknown>;
    this.#named = membersByName(membersOf(Object.getPrototypeOf(instance)));
    this.rules = rulesOf(description, this.#named, options);
    this.#unchecked = this.#named.stored;
    this.properties = new PropertyStore(description, this);
  }

  get readings(): ReadonlyMap<string, VariantChoice> {
    return this.#named.readings;
  }

  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown {
    const member = this.#named.methods.get(name);
    if (member === undefined) throw new UnknownMethodError(`${this.description.name} has no method ${name}`);
    const handler = this.#instance[member.key] as (...args: unknown[]) => unknown;
    if (typeof handler !== 'function') throw hiddenMethod(member.key);
    return handler.apply(this.#instance, member.context ? withContext(args, context) : (args as unknown[]));
  }

  readProperty(name: string): unknown {
    return this.#instance[this.#propertyMember(name).key];
  }

  writeProperty(name: string, value: unknown): void {
    this.#instance[this.#propertyMember(name).key] = value;
  }

  readingOfProperty(name: string): VariantChoice | undefined {
    return this.#propertyMember(name).definition.variants;
  }

  get storesAll(): boolean {
    return this.#named.stored.length === this.#named.properties.size;
  }

  get isUnsettled(): boolean {
    return this.#named.mayDefineMore || this.#unchecked.length > 0;
  }

  /**
   * Moves the instance's own fields to the accessors that detect their changes, and checks the first values of stored
   * properties. An instance that is exported in a constructor may define more fields later; then this runs again.
   */
  prepare(refuse: (error: unknown) => void = thrown): void {
    const unchecked = new Set(this.#unchecked);
    try {
      for (const member of this.#named.properties.values()) {
        try {
          if (this.#adopt(member.key) && member.isStored) unchecked.add(member);
          if (unchecked.has(member) && this.#checkFirst(member)) unchecked.delete(member);
        } catch (error) {
          refuse(error);
          unchecked.delete(member);
        }
      }
    } finally {
      this.#unchecked = unchecked.size === 0 ? none : [...unchecked];
    }
    for (const key of this.#named.signals) {
      if (this.#told?.has(key) || !isHidden(this.#instance, key)) continue;
      refuse(hiddenSignal(key));
      this.#told ??= new Set();
      this.#told.add(key);
    }
  }

  /** A defined field (ES2022) hides the accessor on the prototype. An assigned field has used the accessor already. */
  #adopt(key: string): boolean {
    const own = Object.getOwnPropertyDescriptor(this.#instance, key);
    if (own === undefined || !('value' in own)) return false;
    if (!Reflect.deleteProperty(this.#instance, key)) {
      throw new InvalidArgumentError(
        `the property ${key} is a field of a sealed object, so its changes cannot be noticed: ` +
          'export the object before it is sealed',
      );
    }
    if (own.value === undefined) return false;
    this.#isAdopting = true;
    try {
      this.#instance[key] = own.value;
    } finally {
      this.#isAdopting = false;
    }
    return true;
  }

  /** Whether nothing is left to check. */
  #checkFirst(member: PropertyMember): boolean {
    const description = this.description.properties.get(member.name);
    if (description === undefined || description.access === 'write') return true;
    let value: unknown;
    try {
      value = this.#instance[member.key];
    } catch {
      // The constructor has not defined it yet.
      return false;
    }
    if (value === undefined) return true;
    encodeEntry(description, value, false, member.key);
    const check = checkOf(this.rules, member.name);
    if (check !== undefined) checkFirst(check, member.key, value);
    return true;
  }

  /**
   * Emits what the method of a signal returned.
   *
   * @param recipient the connection that gets it, if not all do
   */
  emitSignal(key: string, returned: unknown, emitter: (...values: never[]) => unknown, recipient?: Recipient): void {
    const member = this.#named.members.get(key);
    const signal = member?.disabled ? undefined : this.description.signals.get(member?.name ?? '');
    if (signal === undefined) return;
    const { args, name, shapes } = signal;
    const values = signalValues(name, args.length, returned);
    const sent = shapes === undefined ? values : shapedBody(shapes, values);
    this.properties.places.emitSignal(name, sent, emitter, recipient);
  }

  /** The functions that send signals to one connection. They run the methods of the class for the values. */
  signalsTo(recipient: Recipient): object {
    const signals = Object.create(null);
    for (const key of this.#named.signals) {
      const emit = (...args: unknown[]): unknown => {
        const { value } = inheritedDescriptor(Object.getPrototypeOf(this.#instance), key) ?? {};
        const returned = valuesFunctionOf(value)?.apply(this.#instance, args as never[]);
        if (!isThenable(returned)) {
          this.emitSignal(key, returned, emit, recipient);
          return returned;
        }
        return Promise.resolve(returned).then((settled) => {
          this.emitSignal(key, settled, emit, recipient);
          return settled;
        });
      };
      signals[callableName(key)] = emit;
    }
    return Object.freeze(signals);
  }

  /** Whether the class with this prototype is the most derived one that declares a member. */
  declares(key: string, prototype: object): boolean {
    return this.#named.members.get(key)?.home === prototype;
  }

  /** The name of a property, if the class with this prototype is the one whose setter informs the store. */
  nameOf(key: string, prototype: object): string | undefined {
    const member = this.#named.members.get(key);
    if (member === undefined || member.home !== prototype || member.disabled || this.#isAdopting) return undefined;
    return member.name;
  }

  /** What inspection shows of the instance: its fields, and its properties by their names in the class. */
  get view(): object {
    const instance = this.#instance;
    const members: PropertyDescriptorMap = {};
    for (const [key, own] of Object.entries(Object.getOwnPropertyDescriptors(instance))) {
      if (own.enumerable) members[key] = 'value' in own ? own : behind(instance, key, own);
    }
    for (const { key, isStored } of this.#named.properties.values()) {
      if (Object.hasOwn(members, key)) continue;
      members[key] =
        (isStored ? kept(instance, key) : undefined) ?? behind(instance, key, inheritedDescriptor(instance, key) ?? {});
    }
    return viewOf(instance, Object.getPrototypeOf(instance).constructor?.name || 'ServiceInterface', this, members);
  }

  /**
   * Announces changes that happened without an assignment.
   *
   * @param changes names in the class, alone or with their new values
   * @throws {@link InvalidArgumentError} if a property is unknown or never emits changes, or a value has the wrong type
   */
  announce(changes: readonly string[] | Readonly<Record<string, unknown>>): void {
    const names = new Map<string, string>();
    for (const { key, name } of this.#named.properties.values()) names.set(key, name);
    this.properties.announce(names, changes);
  }

  #propertyMember(name: string): PropertyMember {
    const member = this.#named.properties.get(name);
    if (member === undefined) throw new UnknownPropertyError(`${this.description.name} has no property ${name}`);
    return member;
  }
}

/** The members by their D-Bus names. Two members of a class may share a name, if one is a method. */
interface MembersByName {
  /** All members, by their names in the class. */
  readonly members: ClassMembers;
  readonly methods: ReadonlyMap<string, MethodMember>;
  readonly properties: ReadonlyMap<string, PropertyMember>;
  /** How methods get their variants, for those that do not get plain values alone. */
  readonly readings: ReadonlyMap<string, VariantChoice>;
  /** The properties whose values are checked when the object is exported. */
  readonly stored: readonly PropertyMember[];
  /** The signals, by their names in the class. */
  readonly signals: readonly string[];
  /** Whether an instance that is exported in a constructor may define fields later that must be processed. */
  readonly mayDefineMore: boolean;
}

const byName = new WeakMap<ClassMembers, MembersByName>();

function membersByName(members: ClassMembers): MembersByName {
  const known = byName.get(members);
  if (known !== undefined) return known;
  const methods = new Map<string, MethodMember>();
  const properties = new Map<string, PropertyMember>();
  const signals: string[] = [];
  for (const member of members.values()) {
    if (member.disabled) continue;
    if (member.kind === 'method') methods.set(member.name, member);
    if (member.kind === 'property') properties.set(member.name, member);
    if (member.kind === 'signal') signals.push(member.key);
  }
  const readings = new Map<string, VariantChoice>();
  for (const [name, { definition }] of methods) {
    const { variants = 'plain' } = definition;
    if (variants !== 'plain' || hasShape(definition.in)) readings.set(name, variants);
  }
  const all = [...properties.values()];
  const stored = all.filter(({ isStored }) => isStored);
  const mayDefineMore = signals.length > 0 || all.some(({ isField }) => isField);
  const named = { members, methods, properties, readings, stored, signals, mayDefineMore };
  byName.set(members, named);
  return named;
}

/** Whether a field of the instance has replaced a signal. A method bound to the instance emits as before. */
function isHidden(instance: object, key: string): boolean {
  const own = Object.getOwnPropertyDescriptor(instance, key);
  return own !== undefined && (own.value as { name?: unknown } | undefined)?.name !== `bound ${key}`;
}

function hiddenMethod(key: string): InvalidArgumentError {
  const cure = `write a method, which overrides the inherited one: ${key}(…) { … }`;
  return new InvalidArgumentError(`the method ${key} is overridden by a field that is not a function: ${cure}`);
}

function hiddenSignal(key: string): InvalidArgumentError {
  const cure = `write a method, which overrides the inherited one: ${key}(…) { return … }`;
  return new InvalidArgumentError(`the signal ${key} is overridden by a field, which emits nothing: ${cure}`);
}

/** The value that an instance stores; nothing if it cannot be read yet, because the constructor has not defined it. */
function kept(instance: Record<string, unknown>, key: string): PropertyDescriptor | undefined {
  try {
    return { value: instance[key] };
  } catch {
    return undefined;
  }
}

/** A getter and setter as inspection shows them. */
function behind(instance: Record<string, unknown>, key: string, { get, set }: PropertyDescriptor): PropertyDescriptor {
  return { ...(get && { get: () => instance[key] }), ...(set && { set }) };
}

function thrown(error: unknown): never {
  throw error;
}
