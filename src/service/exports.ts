/**
 * What a bus connection exports: it puts interfaces into the tree, gives each an outlet for its signals and property
 * changes, and has the ObjectManagers above tell of what comes and goes.
 */
import type { Bus } from '../bus/bus.js';
import { closeHandedOver } from '../codec/close-descriptors.js';
import { PreparedHead } from '../connection/header.js';
import { type MessageHead, MessageType } from '../connection/message.js';
import { report } from '../diagnostics.js';
import { ConnectionClosedError, InvalidArgumentError } from '../errors.js';
import type { InterfaceDescription } from '../introspection/description.js';
import { standardInterfaces } from '../introspection/standard.js';
import { checkObjectPath } from '../names.js';
import type { Variant } from '../variant.js';
import { Announcements } from './announcements.js';
import { Dispatcher } from './dispatcher.js';
import { type Exportable, invalidated, type Outlet } from './exportable.js';
import { ObjectTree, type TreeNode } from './object-tree.js';
import { interfaceValues } from './standard/object-manager.js';
import { fitting, whenRead } from './standard/property-values.js';

/** Something exported. Disposing it (`using`), or `unexport`, ends that exactly once; more often does nothing. */
export interface Export extends Disposable {
  /** The object's path. */
  readonly path: string;
  /** Ends the export: calls are answered with an error, and signals do not leave from here any more. */
  unexport(): void;
}

export class Exports {
  readonly #bus: Bus;
  readonly #tree = new ObjectTree();
  readonly #dispatcher: Dispatcher;
  #hold: (() => void) | undefined;
  readonly #announcements = new Announcements((path, error) => {
    report('send', `the coming or going of ${path} could not be announced`, error, this.#bus.connectionId);
  });

  /** Ends every export that is in force. */
  readonly #ends = new Set<() => void>();

  constructor(bus: Bus) {
    this.#bus = bus;
    // Objects that live on must not hold on to a connection that does not.
    bus.whenClosed(() => {
      for (const unexport of [...this.#ends]) unexport();
    });
    this.#dispatcher = new Dispatcher(bus, this.#tree);
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher;
  }

  /** How many paths have something exported. */
  get size(): number {
    return this.#tree.size;
  }

  /**
   * Exports interfaces at a path.
   *
   * @throws {@link InvalidArgumentError} for an invalid path, or one that has an interface of that name already
   */
  add(path: string, exportables: readonly Exportable[]): Export {
    checkExportPath(path);
    this.#requireOpen(path);
    this.#tree.add(path, exportables);
    const detach: (() => void)[] = [];
    const end = () => {
      for (const detachOne of detach) detachOne();
      this.#tree.remove(path, exportables);
    };
    try {
      for (const exportable of exportables) detach.push(exportable.attach(this.#outlet(path, exportable)));
    } catch (error) {
      // An object that cannot be attached leaves nothing half exported.
      end();
      throw error;
    }
    this.#announceAdded(path, exportables);
    return this.#handle(path, () => {
      end();
      this.#announceRemoved(path, exportables);
    });
  }

  /** Sends the announcements and property changes that wait for the end of the turn. */
  flush(): void {
    this.#announcements.flush();
    for (const node of this.#tree.all()) for (const exportable of node.interfaces.values()) exportable.flush();
  }

  /** Exports an ObjectManager at a path, for everything below it. */
  addManager(path: string): Export {
    checkExportPath(path);
    this.#requireOpen(path);
    this.#tree.setManager(path, true);
    return this.#handle(path, () => this.#tree.setManager(path, false));
  }

  #handle(path: string, end: () => void): Export {
    const unexport = () => {
      if (!this.#ends.delete(unexport)) return;
      end();
      this.#updateHold();
    };
    this.#ends.add(unexport);
    this.#updateHold();
    return { path, unexport, [Symbol.dispose]: unexport };
  }

  #requireOpen(path: string): void {
    if (this.#bus.state === 'open') return;
    throw new ConnectionClosedError(`the connection is ${this.#bus.state}: nothing can be exported at ${path}`);
  }

  #updateHold(): void {
    if (this.#tree.size > 0) {
      this.#hold ??= this.#bus.hold();
    } else {
      this.#hold?.();
      this.#hold = undefined;
    }
  }

  #outlet(path: string, { description }: Exportable): Outlet {
    const heads = new Map<string, PreparedHead>();
    const prepare = (member: string) => {
      const head = new PreparedHead(signalHead(path, description, member));
      heads.set(member, head);
      return head;
    };
    return {
      emitSignal: (name, values) => this.#emit(heads.get(name) ?? prepare(name), values, false),
      propertiesChanged: (changes) => {
        const changed: Record<string, Variant> = Object.create(null);
        const stale: string[] = [];
        for (const [name, value] of changes) {
          const property = description.properties.get(name);
          if (property === undefined) continue;
          if (value === invalidated) {
            stale.push(name);
            continue;
          }
          const variant = fitting(`the property ${description.name}.${name}`, property, value);
          if (variant !== undefined) changed[name] = variant;
        }
        if (Object.keys(changed).length === 0 && stale.length === 0) return;
        const head = signalHead(path, standardInterfaces.properties, 'PropertiesChanged');
        this.#emit(head, [description.name, changed, stale], true);
      },
    };
  }

  #announceAdded(path: string, exportables: readonly Exportable[]): void {
    const managers = [...this.#tree.above(path)].filter(({ managesObjects }) => managesObjects);
    if (managers.length === 0) return;
    this.#announce(path, 'InterfacesAdded', managers, () => whenRead((read) => interfaceValues(exportables, read)));
  }

  #announceRemoved(path: string, exportables: readonly Exportable[]): void {
    if (this.#bus.state !== 'open') return;
    const managers = [...this.#tree.above(path)].filter(({ managesObjects }) => managesObjects);
    if (managers.length === 0) return;
    const names = exportables.map(({ description }) => description.name);
    this.#announce(path, 'InterfacesRemoved', managers, () => names);
  }

  #announce(path: string, member: string, managers: readonly TreeNode[], what: () => unknown): void {
    const send = (told: unknown) => {
      for (const manager of managers) {
        this.#emit(signalHead(manager.path, standardInterfaces.objectManager, member), [path, told], true);
      }
    };
    this.#announcements.add(path, () => {
      const told = what();
      return told instanceof Promise ? told.then(send) : send(told);
    });
  }

  /** Signals have nobody to fail to: after a loss they go nowhere, and what does not fit is thrown at the emitter. */
  #emit(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void {
    const { state, connectionId } = this.#bus;
    if (state === 'open') {
      this.#bus.tell(head, body, isAnnouncement);
      return;
    }
    const what = `${head.interface}.${head.member} was not sent: the connection is ${state}`;
    report('send', what, undefined, connectionId);
    closeHandedOver(head.signature ?? '', body);
  }
}

function checkExportPath(path: string): void {
  checkObjectPath(path, 'path');
  if (path === '/org/freedesktop/DBus/Local') throw new InvalidArgumentError(`the path ${path} is reserved`);
}

function signalHead(path: string, description: InterfaceDescription, member: string): MessageHead {
  const { signature } = description.signals.get(member) ?? {};
  return { type: MessageType.Signal, path, interface: description.name, member, signature };
}
