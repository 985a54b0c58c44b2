/**
 * A live view of the objects of another implementation: BlueZ as python-dbusmock plays it. After each change the view equals
 * a fresh GetManagedObjects.
 */
import { connect, defineInterface, type MessageBus, type ObjectsView } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('objects of other implementations');
const missingFor = (module: string, name: string) =>
  PrivateBus.missing() ?? (pythonWith(module) === undefined ? `${name} not installed` : undefined);

/** Objects with interfaces and values, as the service has them now. */
async function fresh(bus: MessageBus, { destination, path }: ObjectsView): Promise<unknown> {
  const call = { path, interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' };
  const [objects] = await bus.call({ destination, ...call });
  return objects;
}

/** Objects with interfaces and values, as the view has them. */
function shown(view: ObjectsView): unknown {
  const objects = [...view].map(({ path, interfaces, as }) => [
    path,
    Object.fromEntries(interfaces.map((name) => [name, as(described(name))?.values])),
  ]);
  return Object.fromEntries(objects);
}

const known = new Map<string, ReturnType<typeof make>>();
const make = (name: string) => defineInterface(name as 'org.example.Any', {});

function described(name: string) {
  const definition = known.get(name) ?? make(name);
  known.set(name, definition);
  return definition;
}

async function withService(
  args: readonly string[],
  module: string,
  name: string,
  use: (bus: MessageBus) => Promise<void>,
): Promise<void> {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const env = { ...daemon.env, DBUS_SYSTEM_BUS_ADDRESS: daemon.address };
  const service = Program.start(pythonWith(module) as string, [...args], { env });
  try {
    await bus.waitForName(name, { timeout: 20_000 });
    await use(bus);
  } finally {
    await service.stop();
  }
}

testUnless(missingFor('dbusmock', 'python3-dbusmock'), test, 'the devices of a mock of BlueZ', () =>
  withService(['-m', 'dbusmock', '--template', 'bluez5'], 'dbusmock', 'org.bluez', async (bus) => {
    const Mock = defineInterface('org.bluez.Mock', {
      methods: {
        AddAdapter: { in: 'ss', out: 's' },
        AddDevice: { in: 'sss', out: 's' },
        ConnectDevice: { in: 'ss' },
      },
    });
    const Device = defineInterface('org.bluez.Device1', {
      properties: { Alias: { type: 's' }, Connected: { type: 'b' } },
    });
    const mock = bus.proxy(Mock, 'org.bluez', '/org/bluez');
    await mock.call.AddAdapter('hci0', 'computer');
    using view = bus.objects('org.bluez');
    await view.ready;
    assert.equal(shown(view), await fresh(bus, view));
    await mock.call.AddDevice('hci0', '11:22:33:44:55:66', 'Headphones');
    await until(() => view.of(Device).size === 1);
    const [device] = view.of(Device);
    assert.is(device?.values.Alias, 'Headphones');
    const connected = device?.until(({ Connected }) => Connected === true, { timeout: 20_000 });
    await mock.call.ConnectDevice('hci0', '11:22:33:44:55:66');
    await connected;
    assert.equal(shown(view), await fresh(bus, view));
  }),
);

test.run();
