/** busbar, by proxies made from definitions. The transport is a parameter. */
import { defineInterface, implement, connect as open, listen as openServer, variant } from '../../dist/index.js';
import { DEVICE, INTERFACE, MANAGER_PATH, OBJECT_MANAGER, PATH, PROPERTIES, WIDE, WIDE_PATH } from './names.mjs';

const Bench = defineInterface(INTERFACE, {
  methods: {
    Echo: { in: ['text:s'], out: ['text:s'] },
    EchoBytes: { in: ['bytes:ay'], out: ['bytes:ay'] },
    Hold: { in: ['text:s'], out: ['text:s'] },
    Emit: { in: ['count:u'] },
    Usage: { out: ['microseconds:d'] },
  },
  signals: { Done: {}, Changed: { args: ['interface:s', 'changed:a{sv}', 'invalidated:as'] } },
});

const Properties = defineInterface(PROPERTIES, {
  signals: { PropertiesChanged: { args: ['interface:s', 'changed:a{sv}', 'invalidated:as'] } },
});

const Lamp = defineInterface('org.example.Lamp', { properties: { Level: { type: 'u' } } });

/** Some of what BlueZ says of a device. */
const Device = defineInterface(DEVICE, {
  properties: { Address: { type: 's', access: 'read' }, RSSI: { type: 'n', access: 'read' } },
});

/** Ten texts, six numbers and four flags. */
const wideTypes = [...Array(10).fill('s'), ...Array(6).fill('u'), ...Array(4).fill('b')];
const wideNames = wideTypes.map((type, i) => `${{ s: 'Text', u: 'Number', b: 'Flag' }[type]}${i}`);
const Wide = defineInterface(WIDE, {
  properties: Object.fromEntries(wideNames.map((name, i) => [name, { type: wideTypes[i], access: 'read' }])),
});

const ObjectManager = defineInterface(OBJECT_MANAGER, {
  methods: { GetManagedObjects: { out: ['objects:a{oa{sa{sv}}}'] } },
});

export const peerOf = () => ({ connect, listen });

/** @type {import('./peer.mjs').Connect} */
async function connect(address, parameters) {
  const bus = await open({
    address,
    transport: parameters.get('transport') ?? undefined,
    peer: parameters.has('peer'),
  });
  return {
    async echo(destination, path) {
      return bus.proxy(Bench, destination, path).call.Echo;
    },
    async echoBytes(destination, path) {
      return bus.proxy(Bench, destination, path).call.EchoBytes;
    },
    async watcher(destination, path, limit, onDone) {
      const queue = bus.proxy(Properties, destination, path).watch.PropertiesChanged({ limit });
      const done = bus.proxy(Bench, destination, path).on.Done(onDone);
      await done.ready;
      return {
        next: () => queue.next(),
        end() {
          done.end();
          queue.end();
        },
      };
    },
    async subscriber(destination, path) {
      const { on } = bus.proxy(Properties, destination, path);
      return () => on.PropertiesChanged(() => {}).end;
    },
    async managedObjects(destination) {
      const { call } = bus.proxy(ObjectManager, destination, '/');
      return async () => Object.keys(await call.GetManagedObjects()).length;
    },
    async view(destination) {
      const view = bus.objects(destination, '/', { timeout: Infinity });
      await view.ready;
      return {
        size: view.size,
        watch: (changed) => view.of(Device).watch({ changed: ({ values }) => changed(values.RSSI) }),
        read: () => [...view.of(Device)].filter(({ values }) => values.Address !== undefined).length,
        end: () => view.end(),
      };
    },
    send(destination, member, signature, value) {
      const call = {
        destination,
        path: PATH,
        interface: INTERFACE,
        member,
        signature,
        body: [value],
        timeout: Infinity,
      };
      bus.call(call).catch(() => {});
    },
    ping() {
      const destination = 'org.freedesktop.DBus';
      return bus.call({ destination, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
    },
    async onDone(destination, listener) {
      await bus.proxy(Bench, destination, PATH).on.Done(listener).ready;
    },
    async onPropertiesChanged(destination, path, listener) {
      await bus.proxy(Properties, destination, path).on.PropertiesChanged(listener).ready;
    },
    addMatch(rule) {
      const driver = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };
      return bus.call({
        ...driver,
        interface: 'org.freedesktop.DBus',
        member: 'AddMatch',
        signature: 's',
        body: [rule],
      });
    },
    async emitter() {
      const bench = serviceObject(() => 0);
      bus.export(PATH, bench);
      return (rssi) => bench.emit.Changed(DEVICE, { RSSI: variant.n(rssi) }, []);
    },
    async announcer() {
      return (level) =>
        bus.emit({
          path: PATH,
          interface: PROPERTIES,
          member: 'PropertiesChanged',
          signature: 'sa{sv}as',
          body: ['org.example.Lamp', { Level: variant.u(level) }, []],
        });
    },
    async assigner() {
      const lamp = implement(Lamp, { Level: 0 });
      bus.export(PATH, lamp);
      return (level) => {
        lamp.properties.Level = level;
      };
    },
    async serve(name, paths, usage) {
      for (const path of paths) bus.export(path, serviceObject(usage));
      if (parameters.has('managed')) exportWide(bus, Number(parameters.get('managed')));
      await bus.requestName(name);
    },
  };
}

/** @type {import('./peer.mjs').Listen} */
async function listen(address, usage, parameters) {
  const transport = parameters.get('transport') ?? undefined;
  await openServer({ address, transport, onConnection: (bus) => bus.export(PATH, serviceObject(usage)) });
}

function exportWide(bus, managed) {
  bus.export(WIDE_PATH, wideObject(0));
  bus.exportObjectManager(MANAGER_PATH);
  for (let i = 0; i < managed; i++) bus.export(`${MANAGER_PATH}/${i}`, wideObject(i));
}

function wideObject(number) {
  const values = { s: (i) => `text ${i} of object ${number}`, u: (i) => number + i, b: (i) => i % 2 === 1 };
  return implement(Wide, Object.fromEntries(wideNames.map((name, i) => [name, values[wideTypes[i]](i)])));
}

function serviceObject(usage) {
  return implement(Bench, {
    Echo: (text) => text,
    EchoBytes: (bytes) => bytes,
    Hold: () => new Promise(() => {}),
    Emit() {},
    Usage: usage,
  });
}
