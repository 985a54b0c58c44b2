/**
 * The exportable behind one instance of a service class. It turns D-Bus names into members of the instance and back,
 * and owns the instance's outlets. `ServiceInterface`'s constructor makes it; the decorated members find it here.
 */
import { InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../errors.js';
import type { InterfaceDescription, PropertyDescription } from '../introspection/description.js';
import type { CallContext } from './call-context.js';
import { type Exportable, type Outlet, registerExportable } from './exportable.js';
import { KeptDescriptors } from './kept-descriptors.js';
import { type ClassMembers, type Member, type MethodMember, membersOf, type PropertyMember } from './members.js';
import { isThenable, noteChanges, Outlets } from './outlets.js';
import { withoutVariants } from './plain-value.js';
import { ReceivedTypes } from './received-types.js';
import { checkNotProvided } from './reserved-interfaces.js';
import { signalValues } from './signal-values.js';
import { withContext } from './with-context.js';

const serviceObjects = new WeakMap<object, ServiceObject>();

/**
 * The service object of an instance.
 *
 * @throws {@link InvalidArgumentError} if its class does not extend `ServiceInterface`
 */
export function serviceObjectOf(instance: object): ServiceObject {
  const object = serviceObjects.get(instance);
  if (object !== undefined) return object;
  throw new InvalidArgumentError('decorated members only work in instances of classes that extend ServiceInterface');
}

export class ServiceObject implements Exportable {
  readonly description: InterfaceDescription;
  readonly wrapping: ReadonlySet<string>;
  readonly #instance: Record<string, unknown>;
  readonly #members: ClassMembers;
  readonly #outlets: Outlets;
  /** By names in the class. */
  readonly #types = new Map<string, ReceivedTypes>();
  readonly #descriptors = new Map<string, KeptDescriptors>();
  /** The value that is being set from the bus, as the setter gets it and as it came. */
  #incoming: { readonly key: string; readonly value: unknown; readonly wrapped: unknown } | undefined;
  readonly #named: MembersByName;

  constructor(instance: object, description: InterfaceDescription) {
    checkNotProvided(description.name);
    this.description = description;
    this.#instance = instance as Record<string, unknown>;
    this.#members = membersOf(Object.getPrototypeOf(instance));
    this.#named = membersByName(this.#members);
    this.#outlets = new Outlets(description, (name) => this.getProperty(name));
    this.wrapping = this.#named.wrapping;
    serviceObjects.set(instance, this);
    registerExportable(instance, this);
  }

  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown {
    const member = this.#named.methods.get(name);
    if (member === undefined) throw new UnknownMethodError(`${this.description.name} has no method ${name}`);
    const handler = this.#instance[member.key] as (...args: unknown[]) => unknown;
    return handler.apply(this.#instance, member.context ? withContext(args, context) : (args as unknown[]));
  }

  getProperty(name: string): unknown {
    const key = this.#propertyKey(name);
    const value = this.#instance[key];
    return isThenable(value) ? value.then((settled) => this.typed(key, settled)) : this.typed(key, value);
  }

  setProperty(name: string, received: unknown): void {
    const key = this.#propertyKey(name);
    const member = this.#members.get(key);
    const wraps = member?.kind === 'property' && member.definition.variants === 'wrap';
    const taken = wraps ? received : withoutVariants(received, this.description.properties.get(name)?.signature);
    this.#incoming = { key, value: taken, wrapped: received };
    try {
      this.#instance[key] = taken;
    } finally {
      this.#incoming = undefined;
    }
    // The setter has done it too where it notices assignments; a subclass may have replaced it by one that does not.
    this.remember(key, received);
  }

  /** A property stores this value: what descriptors it has are kept if they came from the bus. */
  keepDescriptors(key: string, value: unknown): void {
    const isReceived = this.#incoming?.key === key;
    let kept = this.#descriptors.get(key);
    if (kept === undefined) {
      if (!isReceived) return;
      kept = new KeptDescriptors(this.#signatureOf(key));
      this.#descriptors.set(key, kept);
    }
    kept.replace(value, isReceived);
  }

  #signatureOf(key: string): string {
    return this.description.properties.get(this.#members.get(key)?.name ?? '')?.signature ?? '';
  }

  /** A value of a property as it is to be sent: with the types of the variants that others set. */
  typed(key: string, value: unknown): unknown {
    const incoming = this.#incoming;
    if (incoming?.key === key && Object.is(incoming.value, value)) return incoming.wrapped;
    return this.#types.get(key)?.typed(value) ?? value;
  }

  /** Keeps the types of variants for when the property is sent. */
  remember(key: string, typed: unknown): void {
    let types = this.#types.get(key);
    if (types === undefined) {
      types = new ReceivedTypes(this.#signatureOf(key));
      this.#types.set(key, types);
    }
    types.remember(typed);
  }

  attach(outlet: Outlet): () => void {
    for (const member of this.#members.values()) {
      if (member.kind === 'property') member.adopt?.(this.#instance);
    }
    return this.#outlets.attach(outlet);
  }

  changesOf(name: string): number {
    return this.#outlets.changesOf(name);
  }

  flush(): void {
    this.#outlets.flush();
  }

  /** Emits what the method of a signal returned. */
  emitSignal(key: string, returned: unknown): void {
    const signal = this.description.signals.get(this.#enabled(key)?.name ?? '');
    if (signal === undefined) return;
    this.#outlets.emitSignal(signal.name, signalValues(signal.name, signal.args.length, returned));
  }

  /** Notes that a property was assigned. */
  propertyChanged(key: string): void {
    const member = this.#enabled(key);
    if (member !== undefined) this.#outlets.changed(member.name);
  }

  /**
   * Notes changes that no assignment shows.
   *
   * @param changes names in the class, alone or with their new values
   * @throws {@link InvalidArgumentError} for an unknown property, one that never emits, or a value that does not fit
   */
  propertiesChanged(changes: readonly string[] | Readonly<Record<string, unknown>>): void {
    const properties = new Map<string, PropertyDescription>();
    for (const member of this.#members.values()) {
      const property = member.disabled ? undefined : this.description.properties.get(member.name);
      if (member.kind === 'property' && property !== undefined) properties.set(member.key, property);
    }
    noteChanges(this.#outlets, properties, changes, (key, value) => this.typed(key, value));
  }

  #enabled(key: string): Member | undefined {
    const member = this.#members.get(key);
    return member?.disabled ? undefined : member;
  }

  #propertyKey(name: string): string {
    const member = this.#named.properties.get(name);
    if (member === undefined) throw new UnknownPropertyError(`${this.description.name} has no property ${name}`);
    return member.key;
  }
}

/** What the bus may ask for, by its names on D-Bus: two members of a class may share one, if one is a method. */
interface MembersByName {
  readonly methods: ReadonlyMap<string, MethodMember>;
  readonly properties: ReadonlyMap<string, PropertyMember>;
  /** The methods that want their variants wrapped. */
  readonly wrapping: ReadonlySet<string>;
}

const byName = new WeakMap<ClassMembers, MembersByName>();

function membersByName(members: ClassMembers): MembersByName {
  const known = byName.get(members);
  if (known !== undefined) return known;
  const methods = new Map<string, MethodMember>();
  const properties = new Map<string, PropertyMember>();
  for (const member of members.values()) {
    if (member.disabled) continue;
    if (member.kind === 'method') methods.set(member.name, member);
    if (member.kind === 'property') properties.set(member.name, member);
  }
  const wraps = ([, { definition }]: [string, MethodMember]) => definition.variants === 'wrap';
  const named = { methods, properties, wrapping: new Set([...methods].filter(wraps).map(([name]) => name)) };
  byName.set(members, named);
  return named;
}
