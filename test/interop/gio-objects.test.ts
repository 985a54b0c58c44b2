/**
 * Live views of GLib's object manager server, by random steps: after each group the view equals a fresh GetManagedObjects,
 * and what watchers were told equals the view.
 */
import { join } from 'node:path';
import { connect, type LiveObject, type MessageBus } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { roundTrips } from '../helpers/round-trips.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { freshObjects, shownObjects, undescribed } from '../helpers/view-state.js';
import { chosen, playPrograms, type Step } from '../helpers/view-steps.js';

const NAME = 'org.example.Disks';
const ROOT = '/org/freedesktop/UDisks2';
const INTERFACE = 'org.freedesktop.UDisks2.';
const python = pythonWith('gi');
const hasDisks = python !== undefined && pythonWith('gi', 'gi.repository.UDisks') !== undefined;
const server = join(projectRoot, 'test/interop/peers/gio_objects.py');

/** Properties of each interface as GLib names them, made of a number. */
const kinds = {
  Block: (n: number) => ({ 'id-label': `label ${n % 3}`, size: n, 'read-only': n % 2 === 0, 'hint-name': `${n}` }),
  Drive: (n: number) => ({
    model: `model ${n}`,
    'rotation-rate': -n,
    'media-compatibility': ['a', `${n}`].slice(n % 3),
  }),
  Partition: (n: number) => ({ number: n, type: `${n % 2}`, flags: n, 'is-container': n % 2 === 0 }),
};
type Kind = keyof typeof kinds;
const KINDS = Object.keys(kinds) as Kind[];

/** Some of the properties. */
const some = (kind: Kind, number: number) =>
  Object.fromEntries(Object.entries(kinds[kind](number)).filter((_, index) => (number >> index) % 2 === 0));

class World {
  readonly #bus: MessageBus;
  readonly #service: Program;
  /** The interfaces of each object. */
  readonly #objects = new Map<string, Set<Kind>>();
  #waiting: object[] = [];
  #isOwned = true;
  #view;
  /** What a watcher was told of one interface: values by path. */
  readonly #told = new Map<string, unknown>();

  constructor(bus: MessageBus, service: Program) {
    this.#bus = bus;
    this.#service = service;
    this.#view = this.#newView();
  }

  #newView() {
    this.#told.clear();
    const keep = ({ path, values }: LiveObject<ReturnType<typeof undescribed>>) => this.#told.set(path, values);
    const view = this.#bus.objects(NAME, ROOT);
    view.of(undescribed(`${INTERFACE}Block`)).watch({
      added: keep,
      changed: keep,
      removed: ({ path }) => this.#told.delete(path),
    });
    return view;
  }

  /** Sends the steps that wait, and compares when all signals have arrived. */
  readonly compare = async () => {
    await send(this.#service, ...this.#waiting);
    this.#waiting = [];
    await roundTrips(this.#bus);
    await until(() => (this.#view.owner !== undefined) === this.#isOwned);
    await this.#view.ready;
    if (!this.#isOwned) {
      assert.equal([this.#view.size, this.#told.size], [0, 0]);
      return;
    }
    const fresh = await freshObjects(this.#bus, this.#view);
    assert.is(Object.keys(fresh).length, this.#objects.size);
    assert.equal(shownObjects(this.#view), fresh);
    const blocks = Object.entries(fresh).flatMap(([path, interfaces]) => {
      const values = interfaces[`${INTERFACE}Block`];
      return values === undefined ? [] : [[path, values]];
    });
    assert.equal(Object.fromEntries(this.#told), Object.fromEntries(blocks));
  };

  /** Steps are sent in groups: three of four wait for the next comparison. */
  readonly steps: Readonly<Record<string, Step>> = {
    add: ({ first, second }) => {
      const kind = KINDS.filter((_, index) => (second >> index) % 2 === 0);
      const path = `${ROOT}/object_${first % 12}`;
      if (kind.length === 0) return undefined;
      this.#objects.set(path, new Set(kind));
      const values = Object.fromEntries(kind.map((each) => [each, some(each, second)]));
      return this.#do({ what: 'add', path, kind, values });
    },
    remove: ({ first }) => {
      const path = chosen(this.#objects.keys(), first);
      if (path === undefined) return undefined;
      this.#objects.delete(path);
      return this.#do({ what: 'remove', path });
    },
    addInterface: ({ first, second }) => {
      const [path, present] = chosen(this.#objects, first) ?? [];
      const kind = chosen(
        KINDS.filter((each) => !present?.has(each)),
        second,
      );
      if (path === undefined || kind === undefined) return undefined;
      present?.add(kind);
      return this.#do({ what: 'addInterface', path, kind, values: some(kind, second) });
    },
    removeInterface: ({ first, second }) => {
      const [path, present] =
        chosen(
          [...this.#objects].filter(([, kinds]) => kinds.size > 1),
          first,
        ) ?? [];
      const kind = chosen(present ?? [], second);
      if (path === undefined || kind === undefined) return undefined;
      present?.delete(kind);
      return this.#do({ what: 'removeInterface', path, kind });
    },
    change: (choice) => this.#change('change', choice),
    changeOften: (choice) => this.#change('change', choice),
    changeOfOther: ({ first, second }) => this.#change('change', { first: second, second: first }),
    invalidate: (choice) => this.#change('invalidate', choice),
    passName: () => {
      this.#isOwned = !this.#isOwned;
      return this.#do({ what: this.#isOwned ? 'own' : 'disown' });
    },
    renew: async () => {
      this.#view.end();
      this.#view = this.#newView();
    },
  };

  #change(what: string, { first, second }: { readonly first: number; readonly second: number }) {
    const [path, present] = chosen(this.#objects, first) ?? [];
    const kind = chosen(present ?? [], second);
    if (path === undefined || kind === undefined) return undefined;
    return this.#do({ what, path, kind, values: some(kind, first + second) });
  }

  async #do(step: object): Promise<void> {
    this.#waiting.push(step);
  }
}

async function startService(bus: MessageBus, address: string): Promise<Program> {
  const service = Program.start(python as string, [server, address, NAME, ROOT]);
  await service.event('ready');
  await send(service, { what: 'own' });
  await bus.waitForName(NAME, { timeout: 20_000 });
  return service;
}

const sizeOf = (block: { readonly values: object } | undefined) =>
  new Map(Object.entries(block?.values ?? {})).get('Size');

/** Resolves when the steps were done, and their signals sent. */
async function send(service: Program, ...steps: readonly object[]): Promise<void> {
  service.write(`${JSON.stringify(steps)}\n`);
  await service.event('done');
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`live views of GLib's object manager, on ${daemon}`);
  const missing =
    PrivateBus.missing({ daemon }) ?? (hasDisks ? undefined : 'python3-gi with gir1.2-udisks-2.0 not installed');

  testUnless(missing, test, 'after random steps the view equals a fresh GetManagedObjects', () =>
    playPrograms(3, async (play) => {
      await using address = await PrivateBus.start({ daemon });
      await using bus = await connect({ address: address.address });
      await using service = await startService(bus, address.address);
      const world = new World(bus, service);
      let count = 0;
      await play(world.steps, async () => {
        if (count++ % 3 === 0) await world.compare();
      });
      await world.compare();
    }),
  );

  testUnless(
    missing,
    test,
    'a property that an object has no more has no value, and is not asked for again',
    async () => {
      await using address = await PrivateBus.start({ daemon });
      await using bus = await connect({ address: address.address });
      await using service = await startService(bus, address.address);
      const path = `${ROOT}/disk`;
      await send(service, { what: 'add', path, kind: ['Block'], values: { Block: { size: 5 } } });
      using view = bus.objects(NAME, ROOT);
      await view.ready;
      const block = view.of(undescribed(`${INTERFACE}Block`)).get(path);
      const told: unknown[] = [];
      block?.watch({ changed: (_object, names) => told.push(names) });
      const before = bus.stats().messagesSent;
      await send(service, { what: 'invalidate', path, kind: 'Block' });
      await until(() => told.length > 0);
      for (let times = 0; times < 5; times++) assert.is(sizeOf(block), 5n);
      assert.equal([told, bus.stats().messagesSent - before], [[['Gone']], 1]);
    },
  );

  test.run();
}
