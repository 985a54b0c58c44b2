/**
 * The namespaces of a proxy (`call`, `on`, `get`, …), by which no member's name can collide with anything. Their
 * prototypes are made once for each description, and the function of a member when it is first used.
 */
import { inspect } from 'node:util';
import { callableName } from '../base/called-by-itself.js';
import { printable } from '../base/printable.js';
import type { InterfaceDescription, SignalDescription } from '../interface/description.js';
import { absentMembers, calledAsFunction, type NamespaceName } from './absent-members.js';
import { callMethod } from './methods.js';
import { getProperty, setProperty } from './properties.js';
import type { ProxyOf } from './proxy-types.js';
import type { Aliases, Remote } from './remote.js';
import { SHOWN_MAXIMUM } from './shown.js';
import { listen, listenOnce, watch } from './signals.js';

/** A proxy whose members are not known at compile time. */
export type LooseProxy = ProxyOf<InterfaceDescription>;

const noAliases: Aliases = new Map();
export const withoutAliases = () => noAliases;

/** Makes a namespace for a remote object. Its functions are bound to the object, so they can be passed on. */
type NamespaceOf<Members> = (remote: Remote) => Members;
export type Namespaces = {
  readonly [Kind in NamespaceName]: NamespaceOf<LooseProxy[Kind]>;
};

/**
 * Namespaces by description. A class has a map of its own, because its members also have the names in the class, which
 * the description does not contain.
 */
const plainNamespaces = new WeakMap<InterfaceDescription, Namespaces>();
const classNamespaces = new WeakMap<InterfaceDescription, Namespaces>();

export function namespacesOf(description: InterfaceDescription, aliases: () => Aliases): Namespaces {
  const namespaces = aliases === withoutAliases ? plainNamespaces : classNamespaces;
  const known = namespaces.get(description);
  if (known !== undefined) return known;
  const methods = withAliases(description.methods, 'method', aliases());
  const signals = withAliases(description.signals, 'signal', aliases());
  const properties = withAliases(description.properties, 'property', aliases());
  const readable = properties.filter(([, { access }]) => access !== 'write');
  const writable = properties.filter(([, { access }]) => access !== 'read');
  const made: Namespaces = {
    call: namespace('call', description, methods, callMethod),
    on: namespace('on', description, signals, (remote, signal: SignalDescription) => listen(remote, signal)),
    once: namespace('once', description, signals, listenOnce),
    watch: namespace('watch', description, signals, watch),
    get: namespace('get', description, readable, getProperty),
    set: namespace('set', description, writable, setProperty),
  };
  namespaces.set(description, made);
  return made;
}

/** Members by their D-Bus names and aliases. */
function withAliases<Member>(members: ReadonlyMap<string, Member>, kind: string, aliases: Aliases): [string, Member][] {
  const all = [...members];
  for (const [alias, name] of aliases) {
    const member = alias.startsWith(`${kind} `) ? members.get(name) : undefined;
    if (member !== undefined) all.push([alias.slice(kind.length + 1), member]);
  }
  return all;
}

const remoteOf = Symbol('remote');

function namespace<Member, Made>(
  name: NamespaceName,
  description: InterfaceDescription,
  members: readonly (readonly [string, Member])[],
  make: (remote: Remote, member: Member) => Made,
): NamespaceOf<Readonly<Record<string, Made>>> {
  const names = members.map(([member]) => member);
  const prototype = Object.create(absentMembers(name, description, names));
  const shown = `${name} { ${names.slice(0, SHOWN_MAXIMUM).join(', ')}${names.length > SHOWN_MAXIMUM ? ', …' : ''} }`;
  Object.defineProperty(prototype, inspect.custom, { value: () => printable(shown) });
  for (const [name, member] of members) {
    const key = callableName(name);
    Object.defineProperty(prototype, key, {
      enumerable: true,
      get(this: { readonly [remoteOf]: Remote }) {
        const value = make(this[remoteOf], member);
        Object.defineProperty(this, key, { value, enumerable: true });
        return value;
      },
    });
  }
  if (name !== 'on' && name !== 'once') return (remote) => Object.create(prototype, { [remoteOf]: { value: remote } });
  return (remote) => {
    // A function, so that calling `on` as on an event emitter throws an error that explains the right form. It has no
    // members of its own.
    const called = (given: unknown) => {
      throw calledAsFunction(name, given, description);
    };
    for (const own of Reflect.ownKeys(called)) Reflect.deleteProperty(called, own);
    Object.defineProperty(called, remoteOf, { value: remote });
    return Object.setPrototypeOf(called, prototype);
  };
}
