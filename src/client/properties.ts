/**
 * Properties of a remote object. They are sent in variants, so a service can send a value of any type. A typed proxy
 * checks it against the described type.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.Properties"
 */

import { printable } from '../base/printable.js';
import { callFlags } from '../bus/names/requests.js';
import type { Subscription } from '../bus/rules/subscription.js';
import { closeDescriptors } from '../codec/close-descriptors.js';
import { defineProto } from '../codec/decode-container.js';
import type { Decoding } from '../codec/decode-options.js';
import { contentKeeping, entryKeeping } from '../codec/read-keeping.js';
import { MessageType } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import type { NamedHead } from '../connection/sending/marshal.js';
import type { TakeReply } from '../connection/sending/pending-calls.js';
import type { PropertyDescription, SignalDescription } from '../interface/description.js';
import { standardInterfaces } from '../interface/standard.js';
import { Variant } from '../values/variant.js';
import { misfitReply, misfitText, tellDropped } from './misfits.js';
import type { ProxyOptions } from './proxy-types.js';
import type { Remote } from './remote.js';
import { type SignalContext, signalContext } from './signal-context.js';
import { whenPresent } from './when-present.js';

const PROPERTIES = standardInterfaces.properties.name;
const PROPERTIES_CHANGED = standardInterfaces.properties.signals.get('PropertiesChanged') as SignalDescription;

/** Values by property name, as a dictionary is read. */
type Sent = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

type Listener = (changed: Record<string, unknown>, invalidated: string[], context: SignalContext) => unknown;

export function getProperty(remote: Remote, property: PropertyDescription) {
  const { description, options } = remote;
  const decoding = keepingTypes(options);
  const take: TakeReply<unknown> = (reply) => {
    if (reply.signature !== 'v' && options.loose !== true) {
      throw misfitReply('the reply', 'v', reply.signature, whereIs(remote, 'Get'));
    }
    const [sent, ...others] = reply.decode(decoding);
    if (others.length > 0) closeDescriptors(others);
    if (!Variant.isVariant(sent)) return sent;
    if (options.loose !== true && !isOfType(sent, property)) throw misfitProperty(remote, 'Get', property, sent);
    return contentOf(sent, property, options);
  };
  return (): Promise<unknown> => callProperties(remote, 'Get', 'ss', [description.name, property.name], take);
}

export function setProperty(remote: Remote, { name, signature }: PropertyDescription) {
  const rootOf = () => `property ${printable(name)}`;
  return (value: unknown): Promise<void> => {
    const body = [remote.description.name, name, new Variant(signature, value)];
    return callProperties(remote, 'Set', 'ssv', body, takeNothing, rootOf);
  };
}

/** For a reply that only confirms that the call was done. Its body is not decoded. */
function takeNothing(): void {}

export function getAllProperties(remote: Remote): Promise<Record<string, unknown>> {
  const { description, options } = remote;
  return callProperties(remote, 'GetAll', 's', [description.name], (reply) => {
    if (reply.signature !== 'a{sv}') {
      throw misfitReply('the reply', 'a{sv}', reply.signature, whereIs(remote, 'GetAll'));
    }
    const [sent] = reply.decode(keepingTypes(options));
    return valuesOf(remote, sent as Sent, (property, value) => {
      throw misfitProperty(remote, 'GetAll', property, value);
    });
  });
}

export function listenToChanges(remote: Remote, listener: Listener): Subscription {
  const { bus, description, destination: sender, path, options } = remote;
  const rule = { sender, path, interface: PROPERTIES, member: 'PropertiesChanged', arg0: description.name };
  const decoding = keepingTypes(options);
  const take = (received: Inbox): unknown => {
    const { signature } = received;
    if (signature !== PROPERTIES_CHANGED.signature) {
      const what = `PropertiesChanged of ${description.name}`;
      tellDropped(remote, 'signal PropertiesChanged', misfitText(what, PROPERTIES_CHANGED.signature, signature));
      return undefined;
    }
    const context = signalContext(received.makeMessage());
    const [, sent, invalidated] = received.decode(decoding) as [string, Sent, string[]];
    let isPart = false;
    const changed = valuesOf(remote, sent, (property, value) => {
      const what = `a change of ${description.name}.${property.name}`;
      tellDropped(remote, `property ${property.name}`, misfitText(what, property.signature, value.signature));
      isPart = true;
    });
    if (isPart && invalidated.length === 0 && Object.keys(changed).length === 0) return undefined;
    return listener(changed, invalidated, context);
  };
  return bus.listen(rule, { take });
}

/**
 * Properties are decoded as variants, to know their types. The caller's options decide how variants inside their values
 * are read.
 */
function keepingTypes({ variants, typedArrays, dictionaries }: ProxyOptions): Decoding {
  return { variants: variants === 'wrap' || variants === 'keep' ? 'wrap' : 'outermost', typedArrays, dictionaries };
}

/** A property whose type is a variant may be sent inside the variant that carries it, or as that variant itself. */
function isOfType(sent: Variant, { signature }: PropertyDescription): boolean {
  return sent.signature === signature || signature === 'v';
}

/**
 * The value of a property, out of the variant that carries it. That variant is not part of the value, except where the
 * property's own type is a variant and the service does not nest the two.
 */
function contentOf(sent: Variant, property: PropertyDescription | undefined, { variants }: ProxyOptions): unknown {
  if (variants === 'keep') return contentKeeping(inner(sent, property));
  return variants === 'wrap' && property?.signature === 'v' && sent.signature !== 'v' ? sent : sent.value;
}

/** The variant that is the value of a property whose type is a variant; for others, the one that carries the value. */
function inner(sent: Variant, property: PropertyDescription | undefined): Variant {
  return property?.signature === 'v' && sent.signature === 'v' ? (sent.value as Variant) : sent;
}

/**
 * As {@link contentOf}, for many properties. Properties that are not described are not checked.
 *
 * @param refuse called with each property whose type is not the described one; that property is left out
 */
export function valuesOf(
  { description, options }: Remote,
  sent: Sent,
  refuse: (property: PropertyDescription, sent: Variant) => void,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, each] of sent instanceof Map ? sent : Object.entries(sent)) {
    const property = description.properties.get(name);
    if (options.loose !== true && property !== undefined && !isOfType(each, property)) {
      refuse(property, each);
      continue;
    }
    const value =
      options.variants === 'keep'
        ? entryKeeping(values, name, inner(each, property))
        : contentOf(each, property, options);
    if (name === '__proto__') defineProto(values, value);
    else values[name] = value;
  }
  return values;
}

function misfitProperty(remote: Remote, member: string, { name, signature }: PropertyDescription, sent: Variant) {
  return misfitReply(
    `the property ${remote.description.name}.${name}`,
    signature,
    sent.signature,
    whereIs(remote, member),
  );
}

function whereIs({ destination, path }: Remote, member: string) {
  return { destination, path, interface: PROPERTIES, member };
}

function callProperties<Result>(
  remote: Remote,
  member: string,
  signature: string,
  body: readonly unknown[],
  take: TakeReply<Result>,
  rootOf?: NamedHead['rootOf'],
): Promise<Result> {
  const { bus, destination, path, options } = remote;
  // Reading a property needs its reply, so `noReply` applies to `Set` alone.
  const noReply = member === 'Set' ? options.noReply : undefined;
  const flags = callFlags({ ...options, noReply });
  const call = { type: MessageType.MethodCall, flags, destination, path, interface: PROPERTIES, member, signature };
  const head: NamedHead = rootOf === undefined ? call : { ...call, rootOf };
  return whenPresent(remote, (options) => bus.request(head, body, options, take));
}
