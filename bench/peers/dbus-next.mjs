/** dbus-next, by proxy objects; its fork has the same interface. */
import { partOf } from './library.mjs';
import { DEVICE, INTERFACE, OBJECT_MANAGER, PATH, PROPERTIES } from './names.mjs';

/** @type {import('./peer.mjs').PeerOf} */
export function peerOf({ sessionBus, Message, Variant, interface: { Interface } }) {
  class Bench extends Interface {
    #usage;
    constructor(usage) {
      super(INTERFACE);
      this.#usage = usage;
    }
    Echo(text) {
      return text;
    }
    Usage() {
      return this.#usage();
    }
    Changed(rssi) {
      return [DEVICE, { RSSI: new Variant('n', rssi) }, []];
    }
  }
  Bench.configureMembers({
    methods: { Echo: { inSignature: 's', outSignature: 's' }, Usage: { outSignature: 'd' } },
    signals: { Changed: { signature: 'sa{sv}as' } },
  });

  const connect = async (busAddress) => {
    const bus = sessionBus({ busAddress });
    const driver = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };
    const interfaceOf = async (destination, path, name) =>
      (await bus.getProxyObject(destination, path)).getInterface(name);
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
        const call = { destination, path: PATH, interface: INTERFACE, member, signature, body: [value] };
        bus.call(new Message(call)).catch(() => {});
      },
      ping: () => bus.call(new Message({ ...driver, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' })),
      async onDone(destination, listener) {
        (await interfaceOf(destination, PATH, INTERFACE)).on('Done', listener);
        await this.ping();
      },
      async onPropertiesChanged(destination, path, listener) {
        (await interfaceOf(destination, path, PROPERTIES)).on('PropertiesChanged', listener);
        await this.ping();
      },
      addMatch(rule) {
        const call = { ...driver, interface: 'org.freedesktop.DBus', member: 'AddMatch', signature: 's', body: [rule] };
        return bus.call(new Message(call));
      },
      async emitter() {
        const bench = new Bench();
        bus.export(PATH, bench);
        return (rssi) => bench.Changed(rssi);
      },
      async serve(name, paths, usage) {
        for (const path of paths) bus.export(path, new Bench(usage));
        await bus.requestName(name);
      },
    };
  };
  return { connect };
}

/**
 * Values of its users are converted to and from the form that it marshals, so that step is part of the time. Bodies cannot
 * be marshalled alone in that form; the header is included.
 *
 * @type {import('./peer.mjs').CodecOf}
 */
export function codecOf(library, folder) {
  const DBusBuffer = partOf(folder, 'lib/dbus-buffer.js');
  const { endianness } = partOf(folder, 'lib/constants.js');
  const { marshallMessage, messageToJsFmt } = partOf(folder, 'lib/marshall-compat.js');
  return {
    variant: (signature, value) => new library.Variant(signature, value),
    dictionary: Object.fromEntries,
    encoder(signature, values) {
      return this.callEncoder({ path: '/', member: 'M', signature }, values);
    },
    callEncoder: (head, values) => () =>
      marshallMessage({ ...head, type: library.MessageType.METHOD_CALL, serial: 1, body: values }),
    decoder: (signature, bytes) => () =>
      messageToJsFmt({ signature, body: new DBusBuffer(bytes, 0, endianness.le, []).read(signature) }).body,
  };
}
