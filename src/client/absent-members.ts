/**
 * Members that a proxy does not have. A misspelt one, or one that was asked of the wrong namespace, is told what there is; what
 * is asked of every object (by `await`, `JSON.stringify`, inspection, test frameworks) finds nothing, as anywhere else.
 */

import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import { nearestName, suggestion } from '../base/nearest-name.js';
import { printable } from '../base/printable.js';
import type { InterfaceDescription } from '../interface/description.js';

export type NamespaceName = 'call' | 'on' | 'once' | 'watch' | 'get' | 'set';

/** Names that others ask any object for, to learn what it is. No error may come of that, whatever members are called. */
const PROBED = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Function.prototype),
  // Promises, JSON, node:assert and older inspection.
  ...['then', 'catch', 'finally', 'toJSON', 'inspect', 'href', 'protocol'],
  // Jest, Vitest, Chai, Sinon, Lodash, React and the DOM.
  ...[
    'asymmetricMatch',
    'nodeType',
    'nodeName',
    'tagName',
    'ownerDocument',
    'hasAttribute',
    'isSinonProxy',
    'splice',
    'size',
  ],
]);

/** Names with a `$`, `@` or `_` in front are marks of frameworks: no service has such members. */
function isProbe(key: PropertyKey): key is symbol {
  return typeof key !== 'string' || PROBED.has(key) || /^[$@_]/.test(key);
}

/**
 * Whether a name may be that of a member: services begin them with a capital, and whatever else looks at an object asks for
 * names in small letters. Of those only what is near to a member is a slip.
 */
function isMeant(key: string, names: readonly string[], description: InterfaceDescription): boolean {
  return !/^[a-z]/.test(key) || wayTo(key, description) !== undefined || nearestName(key, names) !== undefined;
}

/** What stands at the end of the prototypes of a namespace, for members that are not found before. */
export function absentMembers(
  namespace: NamespaceName,
  description: InterfaceDescription,
  known: Iterable<string>,
): object {
  const names = [...known];
  return new Proxy(Object.create(null), {
    get(_target, key) {
      if (isProbe(key) || !isMeant(key, names, description)) return undefined;
      throw new InvalidArgumentError(printable(absentText(namespace, key, description, names)));
    },
  });
}

function absentText(
  namespace: NamespaceName,
  key: string,
  description: InterfaceDescription,
  names: readonly string[],
): string {
  const use = wayTo(key, description);
  if (use !== undefined) return `${namespace}.${key}: ${use}`;
  const kind = kindOf(namespace);
  return `${namespace}.${key}: ${description.name} has no ${kind} ${quoted(key)}${suggestion(key, names)}`;
}

function kindOf(namespace: NamespaceName): string {
  if (namespace === 'call') return 'method';
  if (namespace === 'get') return 'property to read';
  return namespace === 'set' ? 'property to write' : 'signal';
}

/** How a member is used that there is, by its kind. */
function wayTo(key: string, { methods, signals, properties }: InterfaceDescription): string | undefined {
  if (methods.has(key)) return `${key} is a method: use call.${key}(…)`;
  if (signals.has(key)) return `${key} is a signal: use on.${key}(listener), once.${key}() or watch.${key}()`;
  switch (properties.get(key)?.access) {
    case 'read':
      return `${key} is a property that can only be read: use get.${key}() or onChange(listener)`;
    case 'write':
      return `${key} is a property that can only be written: use set.${key}(value)`;
    case 'readwrite':
      return `${key} is a property: use get.${key}(), set.${key}(value) or onChange(listener)`;
  }
  return undefined;
}

/** What other libraries have on a proxy. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  getInterface:
    'this is a proxy of one interface already; bus.object(name, path) resolves with an object that has interface(name)',
  off: 'end the subscription that on.…(listener) returned',
  removeListener: 'end the subscription that on.…(listener) returned',
  removeAllListeners: 'end the subscriptions that on.…(listener) returned',
  addListener: 'use on.…(listener), with the name of the signal',
  addEventListener: 'use on.…(listener), with the name of the signal',
  connectSignal: 'use on.…(listener), with the name of the signal',
  callMethod: 'use call.…(), with the name of the method',
  getProperty: 'use get.…(), with the name of the property',
  setProperty: 'use set.…(value), with the name of the property',
};

/**
 * What stands behind the prototype of proxies. Members are in namespaces: one that is asked of the proxy itself is told its
 * namespace. Anything else is nothing, as in any object.
 *
 * @param descriptionOf the interface of a proxy, or nothing for what is none
 */
export function absentOfProxy(descriptionOf: (proxy: unknown) => InterfaceDescription | undefined): object {
  return new Proxy(Object.create(Object.prototype), {
    get(target, key, receiver) {
      if (isProbe(key) || key in target) return Reflect.get(target, key, receiver);
      const description = descriptionOf(receiver);
      const use = description && misplaced(key as string, description);
      if (use !== undefined) throw new InvalidArgumentError(`proxy.${String(key)}: ${use}`);
      return undefined;
    },
  });
}

function misplaced(key: string, description: InterfaceDescription): string | undefined {
  const member = /^(?:call|on|once|watch|get|set)(.+)$/.exec(key)?.[1];
  const use = wayTo(key, description) ?? (member === undefined ? undefined : wayTo(member, description));
  return use ?? (Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined);
}

/** Why `proxy.on('Said', listener)` does nothing, which is how event emitters listen. */
export function calledAsFunction(
  namespace: NamespaceName,
  name: unknown,
  description: InterfaceDescription,
): InvalidArgumentError {
  const example =
    typeof name === 'string' && description.signals.has(name) ? name : ([...description.signals.keys()][0] ?? 'Name');
  const given = typeof name === 'string' ? quoted(name) : '…';
  const use = `${namespace}.${example}(${namespace === 'on' ? 'listener' : ''})`;
  return new InvalidArgumentError(`${namespace}(${given}) is no function: the signal's name comes first, as in ${use}`);
}
