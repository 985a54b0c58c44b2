// A live view against a service that behaves as badly as services do, by random steps: after each group of steps the view
// equals a fresh GetManagedObjects, and so does what its watchers and loops were told. On both daemons.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  type LiveObject,
  type LiveObjects,
  type MessageBus,
  type ObjectsView,
} from '../../src/index.js';
import { FickleService, type Interfaces, type Properties } from '../helpers/fickle-service.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Random } from '../helpers/random-numbers.js';
import { seed } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('objects model');
const NAME = 'org.example.Fickle';
const STEPS = Number(process.env.BUSBAR_STEPS ?? 1000);
const OBJECTS = 500;

const definition = (name: string) =>
  defineInterface(name, { properties: { Number: { type: 'u' }, Text: { type: 's' }, Other: { type: 'u' } } });
const definitions = [
  definition('org.example.Device1'),
  definition('org.example.Battery1'),
  definition('org.example.Player1'),
];
type Definition = (typeof definitions)[number];
const NAMES = definitions.map(({ description }) => description.name);

/** What a watcher was told, or what a loop has read: values by path, as if nothing else were known. */
class Told {
  readonly values = new Map<string, unknown>();

  added(object: LiveObject<Definition>): void {
    assert.not(this.values.has(object.path), `${object.path} was there already`);
    this.values.set(object.path, object.values);
  }

  changed(object: LiveObject<Definition>): void {
    assert.ok(this.values.has(object.path), `${object.path} is not known`);
    this.values.set(object.path, object.values);
  }

  removed(object: LiveObject<Definition>, last: object): void {
    assert.equal(object.values, {});
    assert.type(last, 'object');
    assert.ok(this.values.delete(object.path), `${object.path} is not known`);
  }

  async readAll(objects: LiveObjects<Definition>): Promise<void> {
    for await (const change of objects.changes()) {
      if (change.kind === 'removed') this.removed(change.object, change.last);
      else if (change.kind === 'added') this.added(change.object);
      else this.changed(change.object);
    }
  }
}

class World {
  readonly #address: string;
  readonly #client: MessageBus;
  readonly #chance: Random;
  readonly #view: ObjectsView;
  readonly #watched = definitions.map(() => new Told());
  readonly #loops: { readonly told: Told; readonly ended: Promise<void> }[];
  /** The services: the first owns the name, the second waits for it. */
  #services: FickleService[] = [];
  #values = 0;

  static async start(address: string, chance: Random): Promise<World> {
    const world = new World(address, await connect({ address }), chance);
    await world.#addService();
    await world.#addService();
    for (let index = 0; index < OBJECTS; index++) world.#add(pathOf(index));
    return world;
  }

  constructor(address: string, client: MessageBus, chance: Random) {
    this.#address = address;
    this.#client = client;
    this.#chance = chance;
    this.#view = client.objects(NAME);
    // The last interface has no watcher: its values are read when they are looked at.
    for (const [index, told] of this.#watched.slice(0, 2).entries()) this.#objects(index).watch(told);
    this.#loops = [0, 2].map((index) => {
      const told = new Told();
      const ended = told.readAll(this.#objects(index));
      // A failure is told by `end`; what else fails before is told first.
      ended.catch(() => {});
      return { told, ended };
    });
  }

  async end(): Promise<void> {
    const before = this.#client.stats().subscriptions;
    assert.ok(before > 0);
    this.#view.end();
    for (const { ended } of this.#loops) await ended;
    assert.is(this.#view.size, 0);
    const { subscriptions, matchRules } = this.#client.stats();
    assert.equal([subscriptions, matchRules], [0, 0]);
    await Promise.all([this.#client.close(), ...this.#services.map((service) => service.close())]);
  }

  /** Does one random thing, without waiting for the view. */
  async act(): Promise<void> {
    const chance = this.#chance;
    const [service] = this.#services as [FickleService];
    const path = pathOf(chance.below(OBJECTS));
    const object = service.objects.get(path);
    const kind = chance.below(100);
    if (kind < 2) await this.#replaceService(kind === 0);
    else if (kind < 5) await this.#passName();
    else if (kind < 10) service.isSlow = true;
    else if (kind < 14) service.release();
    else if (kind < 20) this.#view.restart();
    else if (object === undefined) this.#add(path, chance.below(3) === 0);
    else if (kind < 40) service.remove(path, chance.some(Object.keys(object)));
    else if (kind < 50) service.remove(path, Object.keys(object));
    else if (kind < 60) this.#add(path);
    else if (kind < 62) service.change(path, 'org.example.Unmanaged', this.#someValues(), ['Text']);
    else this.#change(service, path, chance.of(Object.keys(object)));
  }

  /** Waits until nothing is on its way, and compares. */
  async compare(): Promise<void> {
    for (const service of this.#services) service.release();
    await this.#settle();
    const question = { path: '/', interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' };
    const [fresh] = (await this.#client.call({ destination: NAME, ...question })) as [Record<string, Interfaces>];
    assert.equal(this.#view.owner, this.#services[0]?.bus.uniqueName);
    assert.equal(
      new Map([...this.#view].map(({ path, interfaces }) => [path, [...interfaces].sort()])),
      new Map(Object.entries(fresh).map(([path, interfaces]) => [path, Object.keys(interfaces).sort()])),
    );
    for (const [index, name] of NAMES.entries()) {
      const expected = new Map(
        Object.entries(fresh).flatMap(([path, interfaces]) => (interfaces[name] ? [[path, interfaces[name]]] : [])),
      ) as Map<string, unknown>;
      const objects = this.#objects(index);
      assert.is(objects.size, expected.size);
      assertSame(new Map([...objects].map((object) => [object.path, object.values])), expected, `the view of ${name}`);
    }
    for (const [index, { values }] of this.#watched.slice(0, 2).entries()) {
      assertSame(values, this.#present(index), `what the watcher of ${NAMES[index]} was told`);
    }
    for (const [place, { told }] of this.#loops.entries()) {
      assertSame(told.values, this.#present(place * 2), `what the loop over ${NAMES[place * 2]} got`);
    }
  }

  /** All signals have arrived, and everything that is looked at has been read. */
  async #settle(): Promise<void> {
    const isRead = () => NAMES.every((_, index) => [...this.#objects(index)].every(({ values }) => size(values) === 3));
    const ping = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
    for (const service of this.#services) {
      await service.bus.call({ destination: 'org.freedesktop.DBus', ...ping });
    }
    await this.#client.call({ destination: 'org.freedesktop.DBus', ...ping });
    await this.#view.ready;
    await until(isRead);
    // The loops run in microtasks of their own.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #present(index: number): Map<string, unknown> {
    return new Map([...this.#objects(index)].map((object) => [object.path, object.values]));
  }

  #objects(index: number): LiveObjects<Definition> {
    return this.#view.of(definitions[index] as Definition);
  }

  async #addService(): Promise<void> {
    const service = await FickleService.connect(this.#address);
    await service.bus.requestName(NAME, { queue: true });
    this.#services.push(service);
  }

  /** The owner leaves, with or without a successor: the next one has the name, and other objects. */
  async #replaceService(withoutSuccessor: boolean): Promise<void> {
    if (withoutSuccessor) {
      await this.#services[1]?.close();
      this.#services.splice(1, 1);
    }
    await this.#services.shift()?.close();
    while (this.#services.length < 2) await this.#addService();
    for (let index = 0; index < 20; index++) this.#add(pathOf(this.#chance.below(OBJECTS)));
  }

  async #passName(): Promise<void> {
    const [owner] = this.#services as [FickleService];
    await owner.bus.releaseName(NAME);
    await owner.bus.requestName(NAME, { queue: true });
    this.#services.reverse();
  }

  #add(path: string, isChangedFirst = false): void {
    const [service] = this.#services as [FickleService];
    const present = Object.keys(service.objects.get(path) ?? {});
    const names = this.#chance.some(NAMES).filter((name) => !present.includes(name));
    const interfaces = Object.fromEntries(names.map((name) => [name, this.#allValues()]));
    for (const name of isChangedFirst ? names : []) {
      // The change of an object that is announced later: a newer value than that of the announcement, or an older one.
      if (this.#chance.below(2) === 0) service.change(path, name, this.#someValues());
      else service.change(path, name, {}, this.#chance.some(['Number', 'Text']));
    }
    if (names.length > 0) service.add(path, interfaces);
  }

  #change(service: FickleService, path: string, name: string): void {
    const values = this.#someValues();
    const invalidated = this.#chance.below(2) === 0 ? [] : this.#chance.some(Object.keys(values));
    service.change(path, name, values, invalidated);
  }

  #allValues(): Properties {
    return { Number: this.#next(), Text: `text ${this.#next()}`, Other: this.#next() };
  }

  #someValues(): Properties {
    const all = this.#allValues();
    return Object.fromEntries(this.#chance.some(Object.keys(all)).map((name) => [name, all[name] as number | string]));
  }

  #next(): number {
    return ++this.#values;
  }
}

const pathOf = (index: number) => `/org/example/fickle/object_${index}`;
const size = (values: object) => Object.keys(values).length;

/** Compares the text first, because a comparison of objects takes longer. */
function assertSame(is: Map<string, unknown>, expected: Map<string, unknown>, what: string): void {
  assert.is(is.size, expected.size, what);
  for (const [path, values] of expected) {
    assert.equal(is.get(path), values, `${what}: ${path}`);
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(PrivateBus.missing({ daemon }), test, `a view equals a fresh GetManagedObjects: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    const chance = new Random(seed);
    const world = await World.start(server.address, chance);
    let step = 0;
    try {
      await world.compare();
      while (step < STEPS) {
        for (let left = 1 + chance.below(4); left > 0; left--) {
          step++;
          await world.act();
        }
        await world.compare();
      }
    } catch (error) {
      console.error(`at step ${step}; repeat with BUSBAR_SEED=${seed}`, error);
      throw error;
    }
    await world.end();
  });
}

test.run();
