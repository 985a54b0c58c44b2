/** Somebody else's object, as its introspection data describes it. */
import { inspect } from 'node:util';
import { InvalidArgumentError, UnknownInterfaceError } from '../base/errors.js';
import { KnownOptions } from '../base/known-options.js';
import { checkInterfaceName, checkObjectPath } from '../base/names.js';
import { suggestion } from '../base/nearest-name.js';
import { nameSuccessors } from '../base/successors.js';
import type { Bus } from '../bus/bus.js';
import { type CallOptions, callFlags, callTable } from '../bus/names/requests.js';
import { MessageType } from '../connection/message.js';
import { unusableReply } from '../connection/receiving/faults.js';
import type { InterfaceDescription, NodeDescription } from '../interface/description.js';
import { parseIntrospection, parseReceivedIntrospection } from '../interface/xml/parse.js';
import { misfitReply } from './misfits.js';
import { makeProxy } from './proxy.js';
import type { ProxyOf } from './proxy-types.js';
import { few } from './shown.js';

/** Somebody else's object, with what it says of itself. Made by {@link MessageBus.object}. */
export class RemoteObject {
  /** The name of the connection that has the object; `undefined` between peers. */
  readonly destination: string | undefined;
  /** The object's path. */
  readonly path: string;
  /** What the object says of itself. */
  readonly node: NodeDescription;
  readonly #bus: Bus;

  /** @internal */
  constructor(bus: Bus, destination: string | undefined, path: string, node: NodeDescription) {
    this.#bus = bus;
    this.destination = destination;
    this.path = path;
    this.node = node;
  }

  /** Names of the object's interfaces. */
  get interfaces(): readonly string[] {
    return [...this.node.interfaces.keys()];
  }

  /** Absolute paths of the object's children. */
  get children(): readonly string[] {
    const prefix = this.path === '/' ? '/' : `${this.path}/`;
    return [...this.node.children.keys()].map((name) => prefix + name);
  }

  /** @internal */
  [inspect.custom](depth: number): string {
    const what = `object { ${this.destination ?? 'peer'} ${this.path}`;
    if (depth < 0) return `${what} }`;
    return [what, ...few('interface', this.interfaces), ...few('child', this.children)].join('\n  ').concat('\n}');
  }

  /**
   * A proxy for one of the interfaces, whose members are known at run time only.
   *
   * @throws {@link UnknownInterfaceError} naming what there is
   * @throws {@link InvalidArgumentError} for what is no interface name
   */
  interface(name: string): ProxyOf<InterfaceDescription> {
    checkInterfaceName(name, 'name');
    const description = this.node.interfaces.get(name);
    if (description === undefined) {
      throw new UnknownInterfaceError(
        `${this.destination ?? 'the peer'} ${this.path} has no interface ${name}${suggestion(name, this.node.interfaces.keys())}`,
      );
    }
    return makeProxy(this.#bus, description, this.destination, this.path, true);
  }
}

nameSuccessors(RemoteObject.prototype, 'object', { getInterface: 'use object.interface(name)' });

/** How an object is asked what it is, if it is asked at all. */
export interface ObjectOptions extends CallOptions {
  /** What the object is, as XML (from a file, say) or as `parseIntrospection` returned it: nothing is sent then. */
  readonly introspection?: string | NodeDescription | undefined;
}

const objectOptions = new KnownOptions<ObjectOptions>('object()', { ...callTable, introspection: checkIntrospection });

/** An object as it describes itself, or as it is described in the options. */
export async function remoteObject(
  bus: Bus,
  destination: string | undefined,
  path: string,
  given: ObjectOptions = {},
): Promise<RemoteObject> {
  bus.checkDestination(destination);
  checkObjectPath(path, 'path');
  objectOptions.check(given);
  const { introspection, ...options } = given;
  const node =
    introspection === undefined
      ? await askedNode(bus, destination, path, options)
      : typeof introspection === 'string'
        ? parseIntrospection(introspection)
        : introspection;
  return new RemoteObject(bus, destination, path, node);
}

/** @throws {@link InvalidArgumentError} for what is neither XML nor a description */
function checkIntrospection(given: unknown): void {
  if (given === undefined || typeof given === 'string') return;
  const { interfaces, children } = (given ?? {}) as Partial<NodeDescription>;
  if (interfaces instanceof Map && children instanceof Map) return;
  throw new InvalidArgumentError('introspection: expected XML, or what parseIntrospection returned');
}

/** @throws (rejects) {@link InvalidReplyError} for an answer that is no introspection data */
async function askedNode(
  bus: Bus,
  destination: string | undefined,
  path: string,
  options: CallOptions,
): Promise<NodeDescription> {
  const call = { destination, path, interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
  // Asking without a reply would learn nothing.
  const flags = callFlags({ ...options, noReply: undefined });
  const xml = await bus.request({ type: MessageType.MethodCall, flags, ...call }, [], options, (reply): string => {
    if (reply.signature !== 's') throw misfitReply('the reply', 's', reply.signature, call);
    return reply.decode()[0] as string;
  });
  try {
    return await parseReceivedIntrospection(xml, `${destination ?? 'the peer'} ${path}`);
  } catch (error) {
    throw unusableReply(error, call);
  }
}
