/**
 * Errors for members that a proxy does not have. A misspelt member, or a member of the wrong namespace, throws an error
 * that lists the members there are. Keys that `await`, `JSON.stringify`, inspection and test frameworks read from every
 * object are `undefined`, as in any object.
 */

import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import { nearestName, suggestion } from '../base/nearest-name.js';
import { printable } from '../base/printable.js';
import type { InterfaceDescription } from '../interface/description.js';

export type NamespaceName = 'call' | 'on' | 'once' | 'watch' | 'get' | 'set';

/**
 * Keys that `await`, `JSON.stringify` and test frameworks read from any object to find out its kind. Reading them must
 * not throw, whatever the interface's members are called.
 */
const PROBED = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Function.prototype),
  // Promises, JSON, `node:assert` and older inspection.
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

/** Names that begin with `$`, `@` or `_` are marks of frameworks. No service has such members. */
function isProbe(key: PropertyKey): key is symbol {
  return typeof key !== 'string' || PROBED.has(key) || /^[$@_]/.test(key);
}

/**
 * Whether a key may be meant as a member. Names of D-Bus members begin with a capital letter; code that examines
 * arbitrary objects reads keys in lower case. A key in lower case counts as a misspelt member only if it is close to
 * one.
 */
function isMeant(key: string, names: readonly string[], description: InterfaceDescription): boolean {
  return !/^[a-z]/.test(key) || wayTo(key, description) !== undefined || nearestName(key, names) !== undefined;
}

/** The end of a namespace's prototype chain. It is reached for members that the prototypes before it do not have. */
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

/** How an existing member is used, by its kind. */
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

/** Members of proxies in other libraries. */
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
 * The end of a proxy's prototype chain. Members are in namespaces: reading one from the proxy itself throws an error
 * that names its namespace. Any other key is `undefined`, as in any object.
 *
 * @param descriptionOf returns the interface of a proxy, or nothing for any other object
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

/** Explains why `proxy.on('Said', listener)`, as for an event emitter, does nothing. */
export function calledAsFunction(
  namespace: NamespaceName,
  name: unknown,
  description: InterfaceDescription,
): InvalidArgumentError {
  const example =
    typeof name === 'string' && description.signals.has(name) ? name : ([...description.signals.keys()][0] ?? 'Name');
  const given = typeof name === 'string' ? quoted(name) : '…';
  const use = `${namespace}.${example}(${namespace === 'on' ? 'listener' : ''})`;
  return new InvalidArgumentError(
    `${namespace}(${given}) is not a function: the signal's name comes first, as in ${use}`,
  );
}
