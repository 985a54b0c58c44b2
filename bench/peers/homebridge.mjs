/** @homebridge/dbus-native, by interfaces with callbacks. Dictionaries arrive as lists of pairs. */
import { EventEmitter } from 'node:events';
import { promisify } from 'node:util';
import { partOf } from './library.mjs';
import { DEVICE, INTERFACE, OBJECT_MANAGER, PATH, PROPERTIES } from './names.mjs';

/** @type {import('./peer.mjs').PeerOf} */
export const peerOf = (library) => ({
  connect: async (busAddress) => {
    const bus = library.createClient({ busAddress });
    const invokeDbus = promisify(bus.invokeDbus).bind(bus);
    const ping = () => invokeDbus({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
    const interfaceOf = (destination, path, name) => {
      const service = bus.getService(destination);
      return promisify(service.getInterface).call(service, path, name);
    };
    return {
      ping,
      async echo(destination, path) {
        const bench = await interfaceOf(destination, path, INTERFACE);
        return promisify(bench.Echo).bind(bench);
      },
      async managedObjects(destination) {
        const manager = await interfaceOf(destination, '/', OBJECT_MANAGER);
        const getManagedObjects = promisify(manager.GetManagedObjects).bind(manager);
        return async () => (await getManagedObjects()).length;
      },
      send(destination, member, signature, value) {
        const call = { destination, path: PATH, interface: INTERFACE, member, signature, body: [value] };
        bus.invoke(call, () => {});
      },
      async onDone(destination, listener) {
        (await interfaceOf(destination, PATH, INTERFACE)).on('Done', listener);
        await ping();
      },
      async onPropertiesChanged(destination, path, listener) {
        (await interfaceOf(destination, path, PROPERTIES)).on('PropertiesChanged', listener);
        await ping();
      },
      addMatch: promisify(bus.addMatch).bind(bus),
      async emitter() {
        const bench = new EventEmitter();
        bus.exportInterface(bench, PATH, description);
        return (rssi) => bench.emit('Changed', DEVICE, [['RSSI', ['n', rssi]]], []);
      },
      async serve(name, paths, usage) {
        const bench = { Echo: (text) => text, Usage: usage };
        for (const path of paths) bus.exportInterface(bench, path, description);
        await promisify(bus.requestName).call(bus, name, 0);
      },
    };
  },
});

const description = {
  name: INTERFACE,
  methods: { Echo: ['s', 's', ['text'], ['text']], Usage: ['', 'd', [], ['microseconds']] },
  signals: { Changed: ['sa{sv}as', 'interface', 'changed', 'invalidated'] },
};

/**
 * Variants and dictionaries as pairs, both ways.
 *
 * @type {import('./peer.mjs').CodecOf}
 */
export function codecOf(_library, folder) {
  const [marshall, unmarshall, message, { messageType }] = ['marshall', 'unmarshall', 'message', 'constants'].map(
    (part) => partOf(folder, `lib/${part}.js`),
  );
  return {
    variant: (signature, value) => [signature, typeof value === 'bigint' ? Number(value) : value],
    dictionary: (entries) => [...entries],
    encoder: (signature, values) => () => marshall(signature, values),
    callEncoder: (head, values) => () =>
      message.marshall({ ...head, type: messageType.methodCall, serial: 1, body: values }),
    decoder: (signature, bytes) => () => unmarshall(bytes, signature, 0),
  };
}
