/** dbus-native, with its promise-based interfaces; it needs a newer Node.js than others. */
import { partOf } from './library.mjs';
import { DEVICE, INTERFACE, OBJECT_MANAGER, PATH, PROPERTIES } from './names.mjs';

/** @type {import('./peer.mjs').PeerOf} */
export const peerOf = ({ createClient, defineInterface, Variant }) => ({
  connect: async (busAddress) => {
    const bus = createClient({ busAddress });
    const interfaceOf = (destination, path, name) => bus.getService(destination).getInterface(path, name);
    return {
      async echo(destination, path) {
        const bench = await interfaceOf(destination, path, INTERFACE);
        return (text) => bench.Echo(text);
      },
      async managedObjects(destination) {
        const manager = await interfaceOf(destination, '/', OBJECT_MANAGER);
        return async () => Object.keys(await manager.GetManagedObjects()).length;
      },
      send(destination, member, signature, value) {
        // It is not awaited, so its rejection is handled here.
        bus.invoke({ destination, path: PATH, interface: INTERFACE, member, signature, body: [value] }, { timeout: 0 });
      },
      async ping() {
        await bus.invokeDbus({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
      },
      async onDone(destination, listener) {
        await (await interfaceOf(destination, PATH, INTERFACE)).$subscribe('Done', listener);
      },
      async onPropertiesChanged(destination, path, listener) {
        await (await interfaceOf(destination, path, PROPERTIES)).$subscribe('PropertiesChanged', listener);
      },
      async addMatch(rule) {
        await bus.addMatch(rule);
      },
      async emitter() {
        const bench = defineInterface(described(() => 0));
        await bus.export(PATH, bench);
        return (rssi) => bench.emit.Changed(DEVICE, { RSSI: new Variant('n', rssi) }, []);
      },
      async serve(name, paths, usage) {
        for (const path of paths) await bus.export(path, defineInterface(described(usage)));
        await bus.ownName(name);
      },
    };
  },
});

function described(usage) {
  return {
    name: INTERFACE,
    methods: {
      Echo: { in: { text: 's' }, out: { echo: 's' }, handler: ({ text }) => text },
      Usage: { out: { microseconds: 'd' }, handler: usage },
    },
    signals: { Changed: { args: { name: 's', changed: 'a{sv}', invalidated: 'as' } } },
  };
}

/**
 * Plain objects and `Variant`s to bytes, and back to plain values.
 *
 * @type {import('./peer.mjs').CodecOf}
 */
export function codecOf(library, folder) {
  const [marshall, unmarshall, message] = ['marshall', 'unmarshall', 'message'].map((part) =>
    partOf(folder, `lib/${part}.js`),
  );
  return {
    variant: (signature, value) => new library.Variant(signature, value),
    dictionary: Object.fromEntries,
    encoder: (signature, values) => () => marshall(signature, values),
    callEncoder: (head, values) => () =>
      message.marshall({ ...head, type: library.messageType.methodCall, serial: 1, body: values }),
    decoder: (signature, bytes) => () => unmarshall(bytes, signature, 0),
  };
}
