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
import { rememberTypes } from '../codec/kept-types.js';
import { Misfit } from '../codec/misfit.js';
import { takenAs } from '../codec/plain-value.js';
import { contentKeeping, entryKeeping, rememberRead } from '../codec/read-keeping.js';
import { shaped } from '../codec/shaped-value.js';
import { MessageType } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import type { NamedHead } from '../connection/sending/marshal.js';
import type { TakeReply } from '../connection/sending/pending-calls.js';
import type { PropertyDescription, SignalDescription } from '../interface/description.js';
import { standardInterfaces } from '../interface/standard.js';
import type { Shape } from '../signature/shape.js';
import { receivedVariant, Variant } from '../values/variant.js';
import { misfitReply, misfitText, shapeMisfitReply, shapeMisfitText, tellDropped } from './misfits.js';
import type { ProxyOptions } from './proxy-types.js';
import type { Remote } from './remote.js';
import { readShape } from './shaped-values.js';
import { type SignalContext, signalContext } from './signal-context.js';
import { whenPresent } from './when-present.js';

const PROPERTIES = standardInterfaces.properties.name;
const PROPERTIES_CHANGED = standardInterfaces.properties.signals.get('PropertiesChanged') as SignalDescription;

/** Values by property name, as a dictionary is read. */
type Sent = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

type Listener = (changed: Record<string, unknown>, invalidated: string[], context: SignalContext) => unknown;

export function getProperty(remote: Remote, property: PropertyDescription) {
  const { description, options } = remote;
  const isWrapped = property.shape !== undefined || keepsVariants(options);
  const decoding = decodingOf(options, isWrapped);
  const take: TakeReply<unknown> = (reply) => {
    if (reply.signature !== 'v' && options.loose !== true) {
      throw misfitReply('the reply', 'v', reply.signature, whereIs(remote, 'Get'));
    }
    const [sent, ...others] = reply.decode(decoding);
    if (others.length > 0) closeDescriptors(others);
    if (!Variant.isVariant(sent)) return sent;
    if (options.loose !== true && !isOfType(sent, property)) throw misfitProperty(remote, 'Get', property, sent);
    if (hasShapeOf(sent, property)) {
      return shapeContent(remote, property, sent, (misfit) => {
        throw misfitShape(remote, 'Get', property, misfit);
      });
    }
    return contentOf(sent, property, options, isWrapped);
  };
  return (): Promise<unknown> => callProperties(remote, 'Get', 'ss', [description.name, property.name], take);
}

export function setProperty(remote: Remote, { name, signature, shape }: PropertyDescription) {
  const rootOf = () => `property ${printable(name)}`;
  return (value: unknown): Promise<void> => {
    const body = [remote.description.name, name, receivedVariant(signature, shaped(shape, value))];
    return callProperties(remote, 'Set', 'ssv', body, takeNothing, rootOf);
  };
}

/** For a reply that only confirms that the call was done. Its body is not decoded. */
function takeNothing(): void {}

export function getAllProperties(remote: Remote): Promise<Record<string, unknown>> {
  const { description } = remote;
  const isWrapped = isWrappedFor(remote);
  return callProperties(remote, 'GetAll', 's', [description.name], (reply) => {
    if (reply.signature !== 'a{sv}') {
      throw misfitReply('the reply', 'a{sv}', reply.signature, whereIs(remote, 'GetAll'));
    }
    const [sent] = reply.decode(decodingOf(remote.options, isWrapped));
    return valuesOf(remote, sent as Sent, isWrapped, (property, value) => {
      throw value instanceof Misfit
        ? misfitShape(remote, 'GetAll', property, value)
        : misfitProperty(remote, 'GetAll', property, value);
    });
  });
}

export function listenToChanges(remote: Remote, listener: Listener): Subscription {
  const { bus, description, destination: sender, path, options } = remote;
  const isWrapped = isWrappedFor(remote);
  const rule = { sender, path, interface: PROPERTIES, member: 'PropertiesChanged', arg0: description.name };
  const decoding = decodingOf(options, isWrapped);
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
    const changed = valuesOf(remote, sent, isWrapped, (property, value) => {
      tellDroppedProperty(remote, property, value, `a change of ${description.name}.${property.name}`);
      isPart = true;
    });
    if (isPart && invalidated.length === 0 && Object.keys(changed).length === 0) return undefined;
    return listener(changed, invalidated, context);
  };
  return bus.listen(rule, { take });
}

/**
 * Properties are decoded as variants, to know their types. The variants inside their values are decoded as variants if the
 * caller chose that, or if there are types to check.
 */
function decodingOf({ typedArrays, dictionaries }: ProxyOptions, isWrapped: boolean): Decoding {
  return { variants: isWrapped ? 'wrap' : 'outermost', typedArrays, dictionaries };
}

function keepsVariants({ variants }: ProxyOptions): boolean {
  return variants === 'wrap' || variants === 'keep';
}

/** Whether the values of several properties are decoded with all their variants. */
function isWrappedFor({ description, options }: Remote): boolean {
  if (keepsVariants(options)) return true;
  for (const { shape } of description.properties.values()) if (shape !== undefined) return true;
  return false;
}

/** A property whose type is a variant may be sent inside the variant that carries it, or as that variant itself. */
function isOfType(sent: Variant, { signature }: PropertyDescription): boolean {
  return sent.signature === signature || signature === 'v';
}

/**
 * The value of a property, out of the variant that carries it. That variant is not part of the value, except where the
 * property's own type is a variant and the service does not nest the two.
 *
 * @param isWrapped whether the value was decoded with all its variants
 */
function contentOf(
  sent: Variant,
  property: PropertyDescription | undefined,
  { variants }: ProxyOptions,
  isWrapped: boolean,
): unknown {
  if (variants === 'keep') return contentKeeping(inner(sent, property));
  if (variants !== 'wrap') return isWrapped ? takenAs(sent.value, sent.signature) : sent.value;
  return property?.signature === 'v' && sent.signature !== 'v' ? sent : sent.value;
}

/** The variant that is the value of a property whose type is a variant; for others, the one that carries the value. */
function inner(sent: Variant, property: PropertyDescription | undefined): Variant {
  return property?.signature === 'v' && sent.signature === 'v' ? (sent.value as Variant) : sent;
}

/** Whether a property's value is one whose shape is described. */
function hasShapeOf(sent: Variant, property: PropertyDescription | undefined): property is DescribedShape {
  return property?.shape !== undefined && sent.signature === property.signature;
}

type DescribedShape = PropertyDescription & { readonly shape: Shape };

/** As {@link contentOf}, for a value with a shape. */
function shapeContent(
  remote: Remote,
  property: DescribedShape,
  { value }: Variant,
  refuse: (misfit: Misfit) => unknown,
): unknown {
  try {
    const content = readShape(
      remote,
      property.shape,
      value,
      `the property ${remote.description.name}.${property.name}`,
    );
    if (remote.options.variants === 'keep') rememberTypes(content as object).own = property.signature;
    return content;
  } catch (error) {
    closeDescriptors(value);
    if (error instanceof Misfit) return refuse(error);
    throw error;
  }
}

const refused = Symbol('refused');

/** Values that were made of received ones, by the names of their properties. */
export type ConvertedValues = Map<string, { readonly sent: Variant; readonly value: unknown }>;

type RefuseProperty = (property: PropertyDescription, sent: Variant | Misfit) => void;

/** Whether a value is not the received one: it has variants in it. */
function isConverted({ signature }: Variant): boolean {
  return signature.includes('v');
}

/**
 * As {@link contentOf}, for many properties. Properties that are not described are not checked.
 *
 * @param isWrapped whether the values were decoded with all their variants
 * @param refuse called with each property whose value does not have the described type, with what was sent, or with what
 * is wrong in its dictionaries; that property is left out
 * @param converted the values that were made of earlier values, which are the same for what did not change; those of this
 * call are added
 */
export function valuesOf(
  remote: Remote,
  sent: Sent,
  isWrapped: boolean,
  refuse: RefuseProperty,
  converted?: ConvertedValues,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, each] of sent instanceof Map ? sent : Object.entries(sent)) {
    putValue(values, remote, name, each, isWrapped, refuse, converted);
  }
  return values;
}

/** Puts one of {@link valuesOf} among the others. Returns whether it has its type. */
export function putValue(
  values: Record<string, unknown>,
  remote: Remote,
  name: string,
  sent: Variant,
  isWrapped: boolean,
  refuse: RefuseProperty,
  converted: ConvertedValues | undefined,
): boolean {
  const { description, options } = remote;
  const property = description.properties.get(name);
  if (options.loose !== true && property !== undefined && !isOfType(sent, property)) {
    refuse(property, sent);
    return false;
  }
  const known = converted?.get(name);
  const value =
    known !== undefined && known.sent === sent
      ? known.value
      : hasShapeOf(sent, property)
        ? shapeContent(remote, property, sent, (misfit) => {
            refuse(property, misfit);
            return refused;
          })
        : options.variants === 'keep'
          ? entryKeeping(values, name, inner(sent, property))
          : contentOf(sent, property, options, isWrapped);
  if (converted !== undefined && isConverted(sent)) converted.set(name, { sent, value });
  if (value === refused) return false;
  if (options.variants === 'keep' && hasShapeOf(sent, property)) {
    rememberRead(rememberTypes(values), name, value, sent);
  }
  if (name === '__proto__') defineProto(values, value);
  else values[name] = value;
  return true;
}

/** Reports, once for each property, that a value was dropped. */
export function tellDroppedProperty(
  remote: Remote,
  { name, signature }: PropertyDescription,
  sent: Variant | Misfit,
  what: string,
): void {
  const text = sent instanceof Misfit ? shapeMisfitText(what, sent) : misfitText(what, signature, sent.signature);
  tellDropped(remote, `property ${name}`, text);
}

function misfitShape(remote: Remote, member: string, { name }: PropertyDescription, misfit: Misfit) {
  return shapeMisfitReply(`the property ${remote.description.name}.${name}`, misfit, whereIs(remote, member));
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
