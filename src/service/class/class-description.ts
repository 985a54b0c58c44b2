/** Makes the description of an interface from the decorated members of a class, once for a class and a name. */
import { InvalidArgumentError } from '../../base/errors.js';
import { anyValue, KnownOptions } from '../../base/known-options.js';
import { quoted } from '../../base/names.js';
import { interfaceDescription } from '../../interface/build.js';
import type { Access, InterfaceDescription } from '../../interface/description.js';
import type { MethodInput, PropertyInput, SignalInput } from '../../interface/member-inputs.js';
import { type HandlerOrder, orderTable, withoutBroadcasts } from '../permits/member-rules.js';
import { type InterfacePermissions, interfacePermits, type Permission } from '../permits/permission.js';
import { membersOf, type PropertyMember } from './members.js';

/** How a class names its interface, and the rules of members that have none of their own. */
export interface ServiceInterfaceOptions extends HandlerOrder {
  /** The D-Bus interface name. */
  readonly name: string;
  /** What the interface is for, for the introspection data. */
  readonly docs?: string | undefined;
  /** Annotations of the interface for the introspection data, by name. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Which callers may use the members that have no `allow` of their own: one permission for all of them, or one each for
   * calling methods, reading and setting properties.
   */
  readonly allow?: Permission | InterfacePermissions | undefined;
}

/** The options that the constructor of a class accepts in place of a name. */
export const interfaceOptions = new KnownOptions<ServiceInterfaceOptions>('super()', {
  name: anyValue,
  docs: anyValue,
  annotations: anyValue,
  allow: anyValue,
  ...orderTable,
});

/** By prototype: the options of the last description of a class, and that description. */
const descriptions = new WeakMap<object, { readonly options: string; readonly description: InterfaceDescription }>();

/**
 * Describes the class with this prototype.
 *
 * @throws {@link InvalidArgumentError} if the interface name is invalid, two members have the same name, or the getter
 * and setter of a property do not allow its access
 */
export function classDescription(
  prototype: object,
  { name, docs, annotations, allow }: ServiceInterfaceOptions,
): InterfaceDescription {
  const guardsAll = allow !== undefined && interfacePermits(allow).read !== undefined;
  const isPlain = annotations === undefined && docs === undefined && !guardsAll;
  const options = isPlain ? name : JSON.stringify([name, docs, annotations, guardsAll]);
  const known = descriptions.get(prototype);
  if (known?.options === options) return known.description;
  const methods: [string, MethodInput][] = [];
  const signals: [string, SignalInput][] = [];
  const properties: [string, PropertyInput][] = [];
  const guarded = new Set<string>();
  for (const member of membersOf(prototype).values()) {
    if (member.disabled) continue;
    if (member.kind === 'method') methods.push([member.name, member.definition]);
    else if (member.kind === 'signal') signals.push([member.name, member.definition]);
    else {
      properties.push([member.name, { ...member.definition, access: accessOf(prototype, member) }]);
      if (guardsAll || member.rule?.read !== undefined) guarded.add(member.name);
    }
  }
  const described = interfaceDescription(name, { methods, signals, properties, docs, annotations });
  const description = withoutBroadcasts(described, (property) => guarded.has(property));
  descriptions.set(prototype, { options, description });
  return description;
}

/** The requested access, if getter and setter allow it; by default the access that they allow. */
function accessOf(prototype: object, { key, access }: PropertyMember): Access {
  const { get, set } = inheritedDescriptor(prototype, key) ?? {};
  const allowed = get === undefined ? 'write' : set === undefined ? 'read' : 'readwrite';
  if (access === undefined || access === allowed || allowed === 'readwrite') return access ?? allowed;
  const missing = get === undefined ? 'getter' : 'setter';
  const cure = `add a ${missing}, or write access: '${allowed}'`;
  throw new InvalidArgumentError(`the property ${quoted(key)} has the access "${access}", but no ${missing}: ${cure}`);
}

/** The descriptor of an object's property, own or inherited. */
export function inheritedDescriptor(prototype: object, key: string): PropertyDescriptor | undefined {
  for (let object: object | null = prototype; object !== null; object = Object.getPrototypeOf(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}
