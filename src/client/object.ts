/** A remote object, as its introspection data describes it. */
import { inspect } from 'node:util';
import { InvalidArgumentError, UnknownInterfaceError } from '../base/errors.js';
import { KnownOptions } from '../base/known-options.js';
import { checkInterfaceName, checkObjectPath } from '../base/names.js';
import { suggestion } from '../base/nearest-name.js';
import { nameSuccessors } from '../base/successors.js';
import { type CallOptions, callFlags, callTable } from '../bus/names/requests.js';
import { MessageType } from '../connection/message.js';
import { unusableReply } from '../connection/receiving/faults.js';
import type { InterfaceDescription, NodeDescription } from '../interface/description.js';
import { parseIntrospection, parseReceivedIntrospection } from '../interface/xml/parse.js';
import { type AllMembers, allMembers } from './all-members.js';
import { misfitReply } from './misfits.js';
import { makeProxy } from './proxy.js';
import type { ProxyOf } from './proxy-types.js';
import type { ProxyBus } from './remote.js';
import { few } from './shown.js';

/** A remote object with its description. {@link MessageBus.object} makes it. */
export class RemoteObject {
  /** The name of the connection that has the object; `undefined` between peers. */
  readonly destination: string | undefined;
  /** The object's path. */
  readonly path: string;
  /** The description of the object, from its introspection data. */
  readonly node: NodeDescription;
  readonly #bus: ProxyBus;

  /** @internal */
  constructor(bus: ProxyBus, destination: string | undefined, path: string, node: NodeDescription) {
    this.#bus = bus;
    this.destination = destination;
    this.path = path;
    this.node = node;
  }

  /** The names of the object's interfaces. */
  get interfaces(): readonly string[] {
    return [...this.node.interfaces.keys()];
  }

  /** The absolute paths of the object's children. */
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
   * Makes a proxy for one of the interfaces. Its members are known at run time only.
   *
   * @throws {@link UnknownInterfaceError} with the names of the existing interfaces
   * @throws {@link InvalidArgumentError} if `name` is not a valid interface name
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

  /**
   * The members of all interfaces by their names alone: `object.all().call.Name()`. Its members are known at run time
   * only. Reading a member that several interfaces have throws an {@link InvalidArgumentError} that names them.
   *
   * @example
   * ```ts
   * const object = await bus.object('org.example.dbustest', '/org/example/dbustest');
   * console.log(await object.all().call.GetMachineId());
   * ```
   */
  all(): AllMembers {
    const which = `${this.destination ?? 'the peer'} ${this.path}`;
    return allMembers(which, this.node, (name) => this.interface(name));
  }
}

nameSuccessors(RemoteObject.prototype, 'object', { getInterface: 'use object.interface(name)' });

/** How an object is introspected, or described without introspection. */
export interface ObjectOptions extends CallOptions {
  /**
   * The description of the object, as XML (from a file, for instance) or as `parseIntrospection` returned it. If given,
   * nothing is sent.
   */
  readonly introspection?: string | NodeDescription | undefined;
}

const objectOptions = new KnownOptions<ObjectOptions>('object()', { ...callTable, introspection: checkIntrospection });

/** The object as its introspection data or the options describe it. */
export async function remoteObject(
  bus: ProxyBus,
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

/** @throws {@link InvalidArgumentError} if the value is neither XML nor a description */
function checkIntrospection(given: unknown): void {
  if (given === undefined || typeof given === 'string') return;
  const { interfaces, children } = (given ?? {}) as Partial<NodeDescription>;
  if (interfaces instanceof Map && children instanceof Map) return;
  throw new InvalidArgumentError('introspection: expected XML, or the result of parseIntrospection()');
}

/** @throws (rejects) {@link InvalidReplyError} if the answer is not introspection data */
async function askedNode(
  bus: ProxyBus,
  destination: string | undefined,
  path: string,
  options: CallOptions,
): Promise<NodeDescription> {
  const call = { destination, path, interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
  // Introspection needs its reply, so `noReply` does not apply.
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
