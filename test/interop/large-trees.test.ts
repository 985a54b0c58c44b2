/**
 * Trees whose objects are found when they are asked for, as tools and clients of other projects see them, and with a hundred
 * thousand objects.
 * time limit: 180 s
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type Emits,
  type MessageBus,
  method,
  property,
  ServiceInterface,
  signal,
  type TreeOptions,
} from '../../src/index.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('large trees');
const NAME = 'org.example.Units';
const UNITS = 100_000;
const missing = (...programs: string[]) => PrivateBus.missing() ?? missingPrograms(...programs);
const python = pythonWith('gi');

let daemon: PrivateBus;
let service: MessageBus;
let client: MessageBus;

test.before(async () => {
  if (PrivateBus.missing() !== undefined) return;
  daemon = await PrivateBus.start();
  service = await connect({ address: daemon.address });
  client = await connect({ address: daemon.address });
  service.export('/other', new Unit('other'));
  await service.requestName(NAME);
});

test.after(async () => {
  await service?.close();
  await client?.close();
  await daemon?.stop();
});

class Unit extends ServiceInterface {
  static override readonly interfaceName = 'org.example.Unit';
  readonly #id: string;

  constructor(id: string) {
    super();
    this.#id = id;
  }

  @property({ type: 's', access: 'read', docs: 'The name of the unit.' })
  get Id(): string {
    return this.#id;
  }

  @method({ in: ['mode:s'], out: ['job:o'], docs: 'Starts the unit.', argumentDocs: { mode: 'How.' } })
  Start(mode: string): string {
    this.Started(mode);
    return `/job/${this.#id}`;
  }

  @signal({ args: ['mode:s'] })
  Started(mode: string): Emits<string> {
    return mode;
  }
}

/** A tree with so many units, and how often its functions were called. */
function units(count: number, slow = false) {
  const asked = { find: 0, children: 0 };
  const ids = Array.from({ length: count }, (_, index) => `unit_${index}`);
  const known = new Set(ids);
  const options: TreeOptions = {
    children(path) {
      asked.children++;
      return path === '/units' ? ids : [];
    },
    find(path) {
      asked.find++;
      const id = path.slice('/units/'.length);
      const unit = known.has(id) ? new Unit(id) : undefined;
      return slow ? Promise.resolve(unit) : unit;
    },
    manager: true,
  };
  return { asked, options };
}

const busctl = (...args: string[]) => outputOf('busctl', ['--user', '--no-pager', ...args], { env: daemon.env });
const gdbus = (...args: string[]) => outputOf('gdbus', args, { env: daemon.env });

testUnless(missing('busctl'), test, 'busctl tree asks for each node once, and lists all of them', async () => {
  const { asked, options } = units(200);
  using _tree = service.exportTree('/units', options);
  const paths = (await busctl('tree', '--list', NAME)).trim().split('\n').sort();
  const expected = ['/', '/other', '/units', ...Array.from({ length: 200 }, (_, index) => `/units/unit_${index}`)];
  assert.equal(paths, expected.sort());
  assert.equal(asked, { find: 200, children: 201 });
});

testUnless(missing('busctl'), test, 'busctl introspects and calls one unit of a hundred thousand', async () => {
  const { asked, options } = units(UNITS);
  using _tree = service.exportTree('/units', options);
  const path = `/units/unit_${UNITS - 1}`;
  const lines = (await busctl('introspect', NAME, path)).split('\n').map((line) => line.trim().replace(/ +/g, ' '));
  const own = lines.slice(lines.findIndex((line) => line.startsWith('org.example.Unit')));
  assert.equal(own.slice(0, 4), [
    'org.example.Unit interface - - -',
    '.Start method s o -',
    `.Id property s "unit_${UNITS - 1}" emits-change`,
    '.Started signal s - -',
  ]);
  assert.is(await busctl('call', NAME, path, 'org.example.Unit', 'Start', 's', 'fast'), `o "/job/unit_${UNITS - 1}"\n`);
  assert.ok(asked.find <= 5, `${asked.find} searches`);
});

testUnless(missing('gdbus'), test, 'gdbus introspects recursively, and shows the documentation', async () => {
  using _tree = service.exportTree('/units', units(50, true).options);
  const text = await gdbus('introspect', '--session', '--dest', NAME, '--object-path', '/units', '--recurse');
  for (let index = 0; index < 50; index++) assert.match(text, `node /units/unit_${index} {`);
  assert.is(text.match(/interface org\.example\.Unit \{/g)?.length, 50);
  assert.match(text, '@org.gtk.GDBus.DocString("Starts the unit.")');
  assert.match(text, '@org.gtk.GDBus.DocString("How.")');
  assert.match(text, '@org.gtk.GDBus.DocString("The name of the unit.")');
  assert.match(text, "readonly s Id = 'unit_49';");
});

const noPython = PrivateBus.missing() ?? (python === undefined ? 'python module gi not installed' : undefined);

testUnless(noPython, test, "GLib's object manager client, proxies and parser see the tree", async () => {
  using _tree = service.exportTree('/units', units(1000).options);
  const program = `
import json
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
call = lambda path, interface, member, args, reply: bus.call_sync(
    "${NAME}", path, interface, member, args, GLib.VariantType(reply), 0, 60000, None).unpack()
xml = call("/units", "org.freedesktop.DBus.Introspectable", "Introspect", None, "(s)")[0]
nodes = [node.path for node in Gio.DBusNodeInfo.new_for_xml(xml).nodes]
manager = Gio.DBusObjectManagerClient.new_sync(bus, 0, "${NAME}", "/units", None, None, None)
objects = [each.get_object_path() for each in manager.get_objects()]
ids = [each.get_interface("org.example.Unit").get_cached_property("Id").unpack() for each in manager.get_objects()]
proxy = Gio.DBusProxy.new_sync(bus, 0, None, "${NAME}", "/units/unit_7", "org.example.Unit", None)
seen = []
proxy.connect("g-signal", lambda proxy, sender, name, values: seen.append([name, values.unpack()]))
job = proxy.call_sync("Start", GLib.Variant("(s)", ("slow",)), 0, 60000, None).unpack()
while not seen: GLib.MainContext.default().iteration(True)
try:
    call("/units/none", "org.example.Unit", "Start", GLib.Variant("(s)", ("x",)), "(o)")
except GLib.Error as error:
    refusal = Gio.DBusError.get_remote_error(error)
print(json.dumps([len(nodes), len(set(objects)), len(set(ids)), proxy.get_cached_property("Id").unpack(), job, seen, refusal]))
`;
  const output = await outputOf(python as string, ['-c', program], { env: daemon.env });
  const unknown = 'org.freedesktop.DBus.Error.UnknownObject';
  assert.equal(JSON.parse(output), [1000, 1000, 1000, 'unit_7', ['/job/unit_7'], [['Started', ['slow']]], unknown]);
});

for (const slow of [false, true]) {
  const how = slow ? 'that is found later' : 'that is found at once';
  testUnless(
    PrivateBus.missing(),
    test,
    `the number of objects costs no memory: each unit ${how} is called`,
    async () => {
      const { asked, options } = units(UNITS, slow);
      using _tree = service.exportTree('/units', options);
      const callAll = async (from: number, to: number) => {
        for (let first = from; first < to; first += 500) {
          const calls = Array.from({ length: 500 }, (_, index) =>
            client.call({
              destination: NAME,
              path: `/units/unit_${first + index}`,
              interface: 'org.example.Unit',
              member: 'Start',
              signature: 's',
              body: [''],
            }),
          );
          await Promise.all(calls);
        }
      };
      await callAll(0, 5000);
      const before = heapInUse();
      await callAll(0, UNITS);
      const grown = heapInUse() - before;
      assert.is(asked.find, UNITS + 5000);
      // An object takes hundreds.
      assert.ok(grown < 40 * UNITS, `the heap has grown by ${grown} bytes`);
      assert.equal([service.stats().exportedObjects, service.stats().callsInProgress], [2, 0]);
    },
  );
}

testUnless(
  PrivateBus.missing(),
  test,
  'the event loop runs while an object manager searches a hundred thousand',
  async () => {
    const { options } = units(UNITS);
    using _tree = service.exportTree('/units', options);
    let rounds = 0;
    let isSearching = true;
    const tick = () => {
      rounds++;
      if (isSearching) setImmediate(tick);
    };
    setImmediate(tick);
    const manager = { destination: NAME, path: '/units', interface: 'org.freedesktop.DBus.ObjectManager' };
    const [objects] = await client.call({ ...manager, member: 'GetManagedObjects', timeout: 120_000 });
    isSearching = false;
    assert.is(Object.keys(objects as object).length, UNITS);
    assert.ok(rounds > 20, `${rounds} rounds of the event loop`);
  },
);

/** The bytes in use after garbage was collected. */
function heapInUse(): number {
  for (let round = 0; round < 3; round++) gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function gc(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

test.run();
