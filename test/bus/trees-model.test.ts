// A tree whose objects come and go, by random steps, beside exports and kept objects at its paths: after each step, calls,
// introspection and lists of two clients agree with a small model. On both daemons.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type DBusError,
  defineInterface,
  type Export,
  type ExportedObject,
  type ExportedTree,
  implement,
  type MessageBus,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Random } from '../helpers/random-numbers.js';
import { seed } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';

const STEPS = Number(process.env.BUSBAR_STEPS ?? 200);
const Unit = defineInterface('org.example.Unit', {
  methods: { Set: { in: 's' } },
  signals: { Changed: { args: 's' } },
  properties: { Id: { type: 's', access: 'read' }, State: { type: 's' } },
});
const UNKNOWN = 'org.freedesktop.DBus.Error.UnknownObject';
const NO_INTERFACE = 'org.freedesktop.DBus.Error.UnknownInterface';

/** All paths of the model: three names at each of two levels below the tree. */
const NAMES = ['a', 'b', 'c'];
const PATHS = NAMES.flatMap((first) => [`/tree/${first}`, ...NAMES.map((second) => `/tree/${first}/${second}`)]);

class World {
  readonly #service: MessageBus;
  readonly #clients: readonly MessageBus[];
  readonly #below: (limit: number) => number;
  /** The state of each object that the program finds, by path. */
  readonly #states = new Map<string, string>();
  /** Exports and kept objects, by path, with the value of their Id. */
  readonly #exports = new Map<string, { readonly handle: Export; readonly id: string; readonly isKept: boolean }>();
  #tree: ExportedTree | undefined;
  #number = 0;
  readonly heard: string[] = [];

  constructor(service: MessageBus, clients: readonly MessageBus[], below: (limit: number) => number) {
    this.#service = service;
    this.#clients = clients;
    this.#below = below;
    this.#begin();
    clients[0]?.subscribe({ sender: service.uniqueName as string, interface: Unit.name }, ({ path, body }) => {
      this.heard.push(`${path} ${body[0]}`);
    });
  }

  /** Now, a microtask later, or a turn of the event loop later. */
  #soon<T>(value: T): T | Promise<T> {
    const kind = this.#below(3);
    return kind === 0 ? value : kind === 1 ? Promise.resolve(value) : delay(0, value);
  }

  #begin(): void {
    this.#tree = this.#service.exportTree('/tree', {
      children: (path) =>
        this.#soon(
          [...this.#states.keys()].flatMap((known) => (isBelow(known, path) ? elementBelow(known, path) : [])),
        ),
      find: (path) => this.#soon(this.#states.has(path) ? this.#unit(path, path) : undefined),
      manager: true,
    });
  }

  #unit(path: string, id: string): ExportedObject {
    const unit = implement(Unit, {
      Set(state) {
        unit.properties.State = state;
        unit.emit.Changed(state);
      },
      Id: id,
      State: { get: () => this.#states.get(path) ?? 'none', set: (state) => void this.#states.set(path, state) },
    });
    return unit;
  }

  step(): void {
    const path = PATHS[this.#below(PATHS.length)] as string;
    const known = this.#exports.get(path);
    const kind = this.#below(10);
    if (kind < 4) {
      if (!this.#states.delete(path)) this.#states.set(path, `state ${this.#number++}`);
    } else if (kind < 8) {
      if (known !== undefined) {
        this.#exports.delete(path);
        known.handle.end();
        return;
      }
      const id = `export ${this.#number++}`;
      const isKept = this.#tree !== undefined && this.#below(2) === 0;
      const unit = this.#unit(path, id);
      const handle = isKept ? (this.#tree as ExportedTree).keep(path, unit) : this.#service.export(path, unit);
      this.#exports.set(path, { handle, id, isKept });
    } else if (kind === 8 && this.#below(3) === 0) {
      if (this.#tree === undefined) this.#begin();
      else {
        this.#tree.end();
        this.#tree = undefined;
        for (const [at, { isKept }] of this.#exports) if (isKept) this.#exports.delete(at);
      }
    }
  }

  /** The Id of the object at a path, or the error for a call to it. */
  #expectedId(path: string): string {
    const exported = this.#exports.get(path);
    if (exported !== undefined) return exported.id;
    if (this.#tree !== undefined && this.#states.has(path)) return path;
    return this.#isNode(path) ? NO_INTERFACE : UNKNOWN;
  }

  #all(): string[] {
    return [...this.#exports.keys(), ...(this.#tree === undefined ? [] : this.#states.keys())];
  }

  #isNode(path: string): boolean {
    return this.#all().some((each) => isBelow(each, path));
  }

  async check(): Promise<void> {
    const destination = this.#service.uniqueName as string;
    await Promise.all(
      this.#clients.flatMap((client) =>
        [...PATHS, '/tree/none', '/tree/a/a/a'].map(async (path) => {
          const proxy = client.proxy(Unit, destination, path);
          const expected = this.#expectedId(path);
          const isObject = !expected.startsWith('org.');
          const failed = ({ dbusName }: DBusError) => dbusName;
          const [id, state, children] = await Promise.all([
            proxy.get.Id().catch(failed),
            proxy.get.State().catch(failed),
            client.object(destination, path).then(
              (object) => object.children.map((child) => child.slice(path.length + 1)).sort(),
              ({ dbusName }) => dbusName,
            ),
          ]);
          assert.is(id, expected, path);
          assert.is(state, isObject ? (this.#states.get(path) ?? 'none') : expected, path);
          const below = new Set(this.#all().flatMap((each) => (isBelow(each, path) ? elementBelow(each, path) : [])));
          assert.equal(children, expected === UNKNOWN ? UNKNOWN : [...below].sort(), path);
        }),
      ),
    );
    const [client] = this.#clients as [MessageBus];
    if (this.#tree !== undefined) {
      const manager = { destination, path: '/tree', interface: 'org.freedesktop.DBus.ObjectManager' };
      const [objects] = await client.call({ ...manager, member: 'GetManagedObjects' });
      const ids = Object.entries(objects as Record<string, Record<string, { Id: string }>>).map(
        ([path, interfaces]) => [path, interfaces[Unit.name]?.Id] as const,
      );
      const expected = [...new Set(this.#all())].map((path) => [path, this.#expectedId(path)] as const);
      assert.equal(ids.sort(), expected.sort());
    }
    const path = PATHS[this.#below(PATHS.length)] as string;
    if (this.#expectedId(path).startsWith('org.')) return;
    // A call changes the object, and its signal comes once, before its reply.
    const state = `set ${this.#number++}`;
    await client.proxy(Unit, destination, path).call.Set(state);
    assert.equal(this.heard.splice(0), [`${path} ${state}`]);
    assert.is(this.#states.get(path), state);
  }

  end(): void {
    this.#tree?.end();
    for (const { handle } of this.#exports.values()) handle.end();
    const { exportedObjects, callsInProgress } = this.#service.stats();
    assert.equal([exportedObjects, callsInProgress], [0, 0]);
  }
}

const isBelow = (path: string, above: string) => path.startsWith(`${above}/`);
const elementBelow = (path: string, above: string) => path.slice(above.length + 1).split('/')[0] as string;

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const test = suite(`trees model, on ${daemon}`);
  testUnless(PrivateBus.missing({ daemon }), test, `objects that come and go, seed ${seed}`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    await using service = await connect({ address: bus.address });
    await using first = await connect({ address: bus.address });
    await using second = await connect({ address: bus.address });
    const random = new Random(seed);
    const below = (limit: number) => random.below(limit);
    const world = new World(service, [first, second], below);
    for (let step = 0; step < STEPS; step++) {
      for (let count = 1 + below(4); count > 0; count--) world.step();
      await world.check();
    }
    world.end();
  });
  test.run();
}
