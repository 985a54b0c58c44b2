/**
 * Live views of the services that python-dbusmock plays, by random steps: after each one the view equals a fresh
 * GetManagedObjects. UPower has no object manager: each cached object equals a fresh GetAll.
 * time limit: 240 s
 */
import { type CachedObject, defineInterface, type MessageBus, type ObjectsView, variant } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingMock, withMock } from '../helpers/mocked-service.js';
import type { Daemon } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { freshObjects, shownObjects, undescribed } from '../helpers/view-state.js';
import { chosen, playPrograms, type Step } from '../helpers/view-steps.js';
import { networkSteps } from './network-steps.js';

const RUNS = 2;
const WORDS = ['Headphones', 'Thermometer', 'Ä', '', 'a longer name of a device'];
const word = (number: number) => chosen(WORDS, number) as string;

/** A view that is replaced at times, and compared without waiting: all signals came before the replies. */
class Viewed {
  readonly #bus: MessageBus;
  readonly #make: () => ObjectsView;
  #view: ObjectsView;

  constructor(bus: MessageBus, make: () => ObjectsView) {
    this.#bus = bus;
    this.#make = make;
    this.#view = make();
  }

  /** Begins anew, without waiting for the objects. */
  readonly renew = async () => {
    this.#view.end();
    this.#view = this.#make();
  };

  readonly compare = async () => {
    await this.#view.ready;
    const fresh = await freshObjects(this.#bus, this.#view);
    assert.equal(shownObjects(this.#view), fresh);
  };
}

const Mock = defineInterface('org.bluez.Mock', {
  methods: {
    AddAdapter: { in: 'ss', out: 's' },
    RemoveAdapter: { in: 's' },
    RemoveAdapterWithDevices: { in: 's' },
    AddDevice: { in: 'sss', out: 's' },
    BlockDevice: { in: 'ss' },
    ConnectDevice: { in: 'ss' },
    DisconnectDevice: { in: 'ss' },
  },
});
const Adapter = defineInterface('org.bluez.Adapter1', {
  methods: { RemoveDevice: { in: 'o' }, SetDiscoveryFilter: { in: 'a{sv}' }, StartDiscovery: {}, StopDiscovery: {} },
});
const Device = defineInterface('org.bluez.Device1', {
  properties: { Alias: { type: 's' }, RSSI: { type: 'n' }, Trusted: { type: 'b' }, UUIDs: { type: 'as' } },
});
const AnyObject = defineInterface('org.freedesktop.DBus.Mock', {
  methods: { UpdateProperties: { in: ['interface:s', 'properties:a{sv}'] } },
});

/** All that changes without a signal, or with another value than that of the signal, is a fault of the mock: `Connect`, `PairDevice`. */
async function bluezSteps(bus: MessageBus): Promise<Readonly<Record<string, Step>>> {
  const mock = bus.proxy(Mock, 'org.bluez', '/org/bluez');
  const adapter = (name: string) => bus.proxy(Adapter, 'org.bluez', `/org/bluez/${name}`);
  const device = (path: string) => bus.proxy(Device, 'org.bluez', path);
  // The first one stays.
  await mock.call.AddAdapter('hci0', 'computer');
  await adapter('hci0').call.SetDiscoveryFilter({ Transport: 'le' });
  const adapters = new Set(['hci0']);
  /** The adapter and the address of each device by its path. */
  const devices = new Map<string, readonly [string, string]>();
  const removable = () => [...adapters].slice(1);
  const reachable = () => [...devices.values()].filter(([name]) => adapters.has(name));
  const withOne = <Value>(values: Iterable<Value>, number: number, act: (value: Value) => Promise<unknown>) => {
    const one = chosen(values, number);
    return one === undefined ? undefined : act(one);
  };
  return {
    addAdapter({ first, second }) {
      const name = `hci${first % 4}`;
      if (adapters.has(name)) return undefined;
      adapters.add(name);
      return mock.call.AddAdapter(name, word(second));
    },
    removeAdapter: ({ first }) =>
      withOne(removable(), first, (name) => {
        adapters.delete(name);
        return mock.call.RemoveAdapter(name);
      }),
    removeAdapterWithDevices: ({ first }) =>
      withOne(removable(), first, (name) => {
        adapters.delete(name);
        for (const [path, [of]] of devices) if (of === name) devices.delete(path);
        return mock.call.RemoveAdapterWithDevices(name);
      }),
    async addDevice({ first, second }) {
      const name = chosen(adapters, first) as string;
      const address = `00:11:22:33:44:${10 + (second % 30)}`;
      const path = `/org/bluez/${name}/dev_${address.replaceAll(':', '_')}`;
      if (devices.has(path)) return;
      devices.set(path, [name, address]);
      await mock.call.AddDevice(name, address, word(first + second));
    },
    removeDevice: ({ first }) =>
      withOne(devices.keys(), first, (path) => {
        devices.delete(path);
        return adapter('hci0').call.RemoveDevice(path);
      }),
    block: ({ first }) => withOne(reachable(), first, (one) => mock.call.BlockDevice(...one)),
    connect: ({ first }) => withOne(reachable(), first, (one) => mock.call.ConnectDevice(...one)),
    disconnect: ({ first }) => withOne(reachable(), first, (one) => mock.call.DisconnectDevice(...one)),
    discover: ({ first }) =>
      first % 2 === 0 ? adapter('hci0').call.StartDiscovery() : adapter('hci0').call.StopDiscovery(),
    setAlias: ({ first, second }) => withOne(devices.keys(), first, (path) => device(path).set.Alias(word(second))),
    setStrength: ({ first, second }) =>
      withOne(devices.keys(), first, (path) => device(path).set.RSSI(-(second % 100))),
    setSeveral: ({ first, second }) =>
      withOne(devices.keys(), first, (path) => {
        const changes = {
          RSSI: variant.n(-(second % 100)),
          UUIDs: variant.as(WORDS.slice(second % 5)),
          Trusted: second % 2 === 0,
        };
        return bus.proxy(AnyObject, 'org.bluez', path).call.UpdateProperties('org.bluez.Device1', changes);
      }),
  };
}

const UPower = defineInterface('org.freedesktop.DBus.Mock', {
  methods: {
    AddAC: { in: 'ss', out: 's' },
    AddDischargingBattery: { in: 'ssdx', out: 's' },
    AddChargingBattery: { in: 'ssdx', out: 's' },
    SetupDisplayDevice: { in: 'uuddddxxbsu' },
    SetDeviceProperties: { in: ['path:o', 'properties:a{sv}'] },
    RemoveDevice: { in: 'o' },
  },
});
const ROOT = '/org/freedesktop/UPower';
const DeviceOfUPower = undescribed('org.freedesktop.UPower.Device');

/** The cached objects of UPower, by path. */
class Cached {
  readonly #bus: MessageBus;
  readonly objects = new Map<string, CachedObject<typeof DeviceOfUPower>>();

  constructor(bus: MessageBus) {
    this.#bus = bus;
  }

  async follow(path: string, what = DeviceOfUPower): Promise<void> {
    this.objects.set(path, await this.#bus.cached(what, 'org.freedesktop.UPower', path));
  }

  end(path: string): void {
    this.objects.get(path)?.end();
    this.objects.delete(path);
  }

  readonly compare = async () => {
    for (const [path, object] of this.objects) {
      const all = { path, interface: 'org.freedesktop.DBus.Properties', member: 'GetAll' };
      const [fresh] = await this.#bus.call({
        destination: 'org.freedesktop.UPower',
        ...all,
        signature: 's',
        body: [object.interface],
      });
      assert.equal(object.values, fresh);
    }
  };
}

async function upowerSteps(bus: MessageBus, cached: Cached): Promise<Readonly<Record<string, Step>>> {
  const mock = bus.proxy(UPower, 'org.freedesktop.UPower', ROOT);
  await cached.follow(`${ROOT}/devices/DisplayDevice`);
  await cached.follow(ROOT, undescribed('org.freedesktop.UPower'));
  const removable = () => [...cached.objects.keys()].slice(2);
  const added = (first: number, add: (name: string) => Promise<string>) => {
    const name = `device${first % 8}`;
    return cached.objects.has(`${ROOT}/devices/${name}`) ? undefined : add(name).then((path) => cached.follow(path));
  };
  return {
    addAdapter: ({ first, second }) => added(first, (name) => mock.call.AddAC(name, word(second))),
    addCharging: ({ first, second }) =>
      added(first, (name) => mock.call.AddChargingBattery(name, word(second), second / 3, second)),
    addDischarging: ({ first, second }) =>
      added(first, (name) => mock.call.AddDischargingBattery(name, word(second), second / 3, second)),
    change({ first, second }) {
      const path = chosen(removable(), first);
      const changes = { Model: word(second), PowerSupply: second % 2 === 0 };
      return path === undefined ? undefined : mock.call.SetDeviceProperties(path, changes);
    },
    changeDisplay: ({ first, second }) =>
      mock.call.SetupDisplayDevice(
        2,
        first % 5,
        second % 100,
        1.5,
        50,
        0,
        second,
        first,
        first % 2 === 0,
        word(first),
        1,
      ),
    setOnBattery: ({ first }) =>
      bus
        .proxy(
          defineInterface('org.freedesktop.UPower', { properties: { OnBattery: { type: 'b' } } }),
          'org.freedesktop.UPower',
          ROOT,
        )
        .set.OnBattery(first % 2 === 0),
    async remove({ first }) {
      const path = chosen(removable(), first);
      if (path === undefined) return;
      await mock.call.RemoveDevice(path);
      cached.end(path);
    },
    followAgain({ first }) {
      const path = chosen(removable(), first);
      if (path === undefined) return undefined;
      cached.end(path);
      return cached.follow(path);
    },
  };
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`live views of other services, on ${daemon}`);
  const missing = missingMock(daemon);

  testUnless(missing, test, 'BlueZ: after random steps the view equals a fresh GetManagedObjects', () =>
    playPrograms(RUNS, (play) =>
      withMock(
        'bluez5',
        async (bus) => {
          const steps = await bluezSteps(bus);
          const view = new Viewed(bus, () => bus.objects('org.bluez'));
          await play({ ...steps, renew: view.renew }, view.compare);
        },
        daemon,
      ),
    ),
  );

  testUnless(missing, test, 'NetworkManager: after random steps the view equals a fresh GetManagedObjects', () =>
    playPrograms(RUNS, (play) =>
      withMock(
        'networkmanager',
        async (bus) => {
          const view = new Viewed(bus, () => bus.objects('org.freedesktop.NetworkManager', '/org/freedesktop'));
          await play({ ...networkSteps(bus), renew: view.renew }, view.compare);
        },
        daemon,
      ),
    ),
  );

  testUnless(missing, test, 'UPower: after random steps each cached object equals a fresh GetAll', () =>
    playPrograms(RUNS, (play) =>
      withMock(
        'upower',
        async (bus) => {
          const cached = new Cached(bus);
          await play(await upowerSteps(bus, cached), cached.compare);
        },
        daemon,
      ),
    ),
  );

  test.run();
}
