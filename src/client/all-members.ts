/** The members of all interfaces of an object, by their names alone. */
import { InvalidArgumentError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { InterfaceDescription, NodeDescription } from '../interface/description.js';
import { absentMembers, type NamespaceName } from './absent-members.js';
import type { LooseProxy } from './namespaces.js';

/** The namespaces of a proxy, with the members of all interfaces of an object. */
export type AllMembers = Pick<LooseProxy, NamespaceName>;

/** The members that a namespace has, and what one of them is called. */
const namespaces: {
  readonly [Name in NamespaceName]: readonly [
    kind: string,
    of: (description: InterfaceDescription) => Iterable<readonly [string, unknown]>,
  ];
} = {
  call: ['method', ({ methods }) => methods],
  on: ['signal', ({ signals }) => signals],
  once: ['signal', ({ signals }) => signals],
  watch: ['signal', ({ signals }) => signals],
  get: ['property', ({ properties }) => [...properties].filter(([, { access }]) => access !== 'write')],
  set: ['property', ({ properties }) => [...properties].filter(([, { access }]) => access !== 'read')],
};

/**
 * @param which the object, for errors
 * @param proxyOf makes the proxy of one of the interfaces
 */
export function allMembers(which: string, node: NodeDescription, proxyOf: (name: string) => LooseProxy): AllMembers {
  const proxies = new Map<string, LooseProxy>();
  const proxy = (name: string) => {
    const made = proxies.get(name) ?? proxyOf(name);
    proxies.set(name, made);
    return made;
  };
  const merged = mergedDescription(which, node);
  const names = Object.keys(namespaces) as NamespaceName[];
  return Object.fromEntries(
    names.map((name) => [name, namespaceOf(name, node, merged, proxy)]),
  ) as unknown as AllMembers;
}

function namespaceOf(
  namespace: NamespaceName,
  node: NodeDescription,
  merged: InterfaceDescription,
  proxy: (name: string) => LooseProxy,
): object {
  const [kind, membersOf] = namespaces[namespace];
  const owners = new Map<string, string[]>();
  for (const [name, description] of node.interfaces) {
    for (const [member] of membersOf(description)) {
      const all = owners.get(member) ?? [];
      all.push(name);
      owners.set(member, all);
    }
  }
  const made = Object.create(absentMembers(namespace, merged, owners.keys()));
  for (const [member, [first = '', ...others]] of owners) {
    const get = () => {
      if (others.length === 0) return (proxy(first)[namespace] as Readonly<Record<string, unknown>>)[member];
      const text = `${namespace}.${member}: ${[first, ...others].join(' and ')} have a ${kind} of this name; use interface('${first}').${namespace}.${member}`;
      throw new InvalidArgumentError(printable(text));
    };
    Object.defineProperty(made, member, { enumerable: true, get });
  }
  return made;
}

/** All members under the name of the object, for errors about absent ones. */
function mergedDescription(which: string, { interfaces }: NodeDescription): InterfaceDescription {
  const all = [...interfaces.values()];
  return {
    name: which,
    methods: new Map(all.flatMap(({ methods }) => [...methods])),
    signals: new Map(all.flatMap(({ signals }) => [...signals])),
    properties: new Map(all.flatMap(({ properties }) => [...properties])),
    annotations: new Map(),
  };
}
