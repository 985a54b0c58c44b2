/**
 * `org.freedesktop.DBus.Properties` of exported objects, and of the nodes that lead to them, which have no properties.
 * Access is checked before a getter or setter runs. Reading a property that cannot be read is answered with
 * `InvalidArgs`, as by GDBus: the specification has no error for it, and `AccessDenied` would mean that other callers
 * may read it.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.Properties"
 */

import {
  InvalidArgumentError,
  PropertyReadOnlyError,
  UnknownInterfaceError,
  UnknownPropertyError,
} from '../../base/error-classes.js';
import { quoted } from '../../base/names.js';
import { suggestion } from '../../base/nearest-name.js';
import { EncodedEntries } from '../../codec/encoded-entries.js';
import { shaped } from '../../codec/shaped-value.js';
import type { PropertyDescription } from '../../interface/description.js';
import { standardInterfaces } from '../../interface/standard.js';
import { receivedVariant, type Variant } from '../../values/variant.js';
import type { CallTarget } from '../calls/call-target.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import type { Exportable } from '../objects/exportable.js';
import { runGuarded, whenReadable } from '../permits/guard.js';
import { whenGuardedRead } from '../permits/guarded-reading.js';
import { rootOf } from '../properties/encode-entry.js';
import { whenNewest } from '../properties/reading.js';
import { isThenable } from '../thenable.js';

export const properties: CallTarget = {
  description: standardInterfaces.properties,
  invoke({ name }, call) {
    if (name === 'Get') return get(call);
    if (name === 'Set') return set(call);
    return getAll(call);
  },
};

function get(call: IncomingCall): unknown {
  const [interfaceName, name] = call.readArguments() as [string, string];
  const [exportable, property] = find(call, interfaceName, name);
  if (property.access === 'write') throw new InvalidArgumentError(`the property ${name} is write-only`);
  const what = `${exportable.description.name}.${name}`;
  const { signature } = property;
  call.subject = { name: `the property ${what}`, signature, root: rootOf(name) };
  const permit = exportable.rules?.properties.get(name)?.read;
  return whenReadable(permit, call, `reading ${what}`, () => read(call, exportable, property));
}

function read(
  call: IncomingCall,
  { properties }: Exportable,
  { name, signature, shape }: PropertyDescription,
): unknown {
  const value = properties.get(name, call);
  const answer = (known: unknown) => receivedVariant(signature, shaped(shape, known));
  return isThenable(value) ? whenNewest(properties, name, value, call).as(answer) : answer(value);
}

/**
 * Handles Set. The value may be large, and much larger after decoding, so it is decoded only when the property is known
 * to accept it.
 */
function set(call: IncomingCall): unknown {
  const body = call.message.peek();
  const interfaceName = body.string();
  const name = body.string();
  const exportable = findWritable(call, interfaceName, name, body.signature());
  const { properties, rules } = exportable;
  const readArguments = () =>
    call
      .readArguments({ variants: 'wrap' })
      .slice(2)
      .map((given) => (given as Variant).value);
  const rule = rules?.properties.get(name);
  if (rule === undefined) return properties.set(name, readArguments()[0], call);
  const what = `setting ${exportable.description.name}.${name}`;
  return runGuarded(rule, {
    call,
    object: exportable,
    what,
    readArguments,
    shown: ([value]) => [properties.taken(name, value)],
    run: ([value]) => properties.set(name, value, call),
  });
}

/** Finds the exportable with the property that a call sets to a value of this type. */
function findWritable(call: IncomingCall, interfaceName: string, name: string, type: string): Exportable {
  const [exportable, { access, signature }] = find(call, interfaceName, name);
  if (access === 'read') throw new PropertyReadOnlyError(`the property ${name} is read-only`);
  if (type === signature) return exportable;
  throw new InvalidArgumentError(`the property ${name} is of type "${signature}", not "${type}"`);
}

function getAll(call: IncomingCall): unknown {
  const [interfaceName] = call.readArguments() as [string];
  if (interfaceName === '') {
    // If two interfaces have a property of that name, the first one counts, as for Get.
    const all = call.node.interfaces;
    return whenGuardedRead(
      call,
      () => all.map(({ exportable }) => exportable),
      (read) => {
        const names = new Set<string>();
        return new EncodedEntries(all.flatMap(({ exportable }) => [...read(exportable, names).entries]));
      },
    );
  }
  const exported = call.node.find(interfaceName);
  if (exported !== undefined) {
    const { exportable } = exported;
    return whenGuardedRead(
      call,
      () => [exportable],
      (read) => read(exportable),
    );
  }
  // The standard interfaces exist as well, without properties.
  if (standardNames.has(interfaceName)) return {};
  throw unknownInterface(call, interfaceName);
}

const standardNames = new Set(Object.values(standardInterfaces).map(({ name }) => name));

/** Finds the property of a call. An empty interface name means the first interface that has the property. */
function find(call: IncomingCall, interfaceName: string, name: string): [Exportable, PropertyDescription] {
  const node = call.node;
  const named = node.find(interfaceName);
  if (named === undefined && interfaceName !== '' && !standardNames.has(interfaceName)) {
    throw unknownInterface(call, interfaceName);
  }
  const candidates = interfaceName === '' ? node.interfaces : named === undefined ? [] : [named];
  for (const { exportable } of candidates) {
    const property = exportable.description.properties.get(name);
    if (property !== undefined) return [exportable, property];
  }
  const names = candidates.flatMap(({ exportable }) => [...exportable.description.properties.keys()]);
  const owner = interfaceName || call.path;
  throw new UnknownPropertyError(`${owner} has no property ${quoted(name)}${suggestion(name, names)}`);
}

function unknownInterface(call: IncomingCall, interfaceName: string): UnknownInterfaceError {
  const names = call.node.interfaces.map(({ exportable }) => exportable.description.name);
  const what = `${call.path} has no interface ${quoted(interfaceName)}`;
  return new UnknownInterfaceError(`${what}${suggestion(interfaceName, names)}`);
}
