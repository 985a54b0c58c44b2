/**
 * What a bus connection exports: it puts interfaces into the tree, gives each an outlet for its signals and property
 * changes, and has the ObjectManagers above tell of what comes and goes.
 */
import type { Bus } from '../bus/bus.js';
import { report } from '../diagnostics.js';
import { standardInterfaces } from '../introspection/standard.js';
import { checkObjectPath } from '../names.js';
import type { Variant } from '../variant.js';
import { Dispatcher } from './dispatcher.js';
import { type Exportable, invalidated, type Outlet } from './exportable.js';
import { ObjectTree } from './object-tree.js';
import { interfaceValues } from './standard/object-manager.js';
import { fitting } from './standard/property-values.js';

/** Something exported. Disposing it (`using`), or `unexport`, ends that exactly once; more often does nothing. */
export interface Export extends Disposable {
  readonly path: string;
  unexport(): void;
}

export class Exports {
  readonly #bus: Bus;
  readonly #tree = new ObjectTree();
  readonly #dispatcher: Dispatcher;
  #hold: (() => void) | undefined;
  /** Announcements leave in the order of what they announce, although a getter may be asynchronous. */
  #announced: Promise<void> = Promise.resolve();

  constructor(bus: Bus) {
    this.#bus = bus;
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
    checkObjectPath(path, 'path');
    this.#tree.add(path, exportables);
    const detach = exportables.map((exportable) => exportable.attach(this.#outlet(path, exportable)));
    this.#announceAdded(path, exportables);
    this.#updateHold();
    return this.#handle(path, () => {
      for (const end of detach) end();
      this.#tree.remove(path, exportables);
      this.#announceRemoved(path, exportables);
    });
  }

  /** Exports an ObjectManager at a path, for everything below it. */
  addManager(path: string): Export {
    checkObjectPath(path, 'path');
    this.#tree.setManager(path, true);
    this.#updateHold();
    return this.#handle(path, () => this.#tree.setManager(path, false));
  }

  #handle(path: string, end: () => void): Export {
    let exported = true;
    const unexport = () => {
      if (!exported) return;
      exported = false;
      end();
      this.#updateHold();
    };
    return { path, unexport, [Symbol.dispose]: unexport };
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
    return {
      emitSignal: (name, values) => {
        const { signature } = description.signals.get(name) ?? {};
        this.#emit(path, description.name, name, signature, values);
      },
      propertiesChanged: (changes) => {
        const changed: Record<string, Variant> = {};
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
        const body = [description.name, changed, stale];
        this.#emit(path, standardInterfaces.properties.name, 'PropertiesChanged', 'sa{sv}as', body);
      },
    };
  }

  #announceAdded(path: string, exportables: readonly Exportable[]): void {
    const managers = [...this.#tree.above(path)].filter(({ managesObjects }) => managesObjects);
    if (managers.length === 0) return;
    this.#announce(async () => {
      const body = [path, await interfaceValues(exportables)];
      for (const manager of managers) this.#emitManaged(manager.path, 'InterfacesAdded', 'oa{sa{sv}}', body);
    });
  }

  #announceRemoved(path: string, exportables: readonly Exportable[]): void {
    const managers = [...this.#tree.above(path)].filter(({ managesObjects }) => managesObjects);
    if (managers.length === 0) return;
    this.#announce(async () => {
      const body = [path, exportables.map(({ description }) => description.name)];
      for (const manager of managers) this.#emitManaged(manager.path, 'InterfacesRemoved', 'oas', body);
    });
  }

  #announce(announcement: () => Promise<void>): void {
    this.#announced = this.#announced.then(announcement).catch((error: unknown) => {
      report('send', 'an announcement of exported interfaces could not be sent', error);
    });
  }

  #emitManaged(path: string, member: string, signature: string, body: readonly unknown[]): void {
    this.#emit(path, standardInterfaces.objectManager.name, member, signature, body);
  }

  /** Signals have nobody to fail to: after a loss they go nowhere, and what does not fit is thrown at the emitter. */
  #emit(
    path: string,
    interfaceName: string,
    member: string,
    signature: string | undefined,
    body: readonly unknown[],
  ): void {
    if (this.#bus.state !== 'open') {
      report('send', `${interfaceName}.${member} was not sent: the connection is ${this.#bus.state}`);
      return;
    }
    this.#bus.emit({ path, interface: interfaceName, member, signature, body });
  }
}
