/** dbus-next, by proxy objects; its fork has the same interface. */
import library from 'dbus-next';
import { DEVICE, INTERFACE, OBJECT_MANAGER, PATH, PROPERTIES } from '../harness/names.mjs';

export const connect = connectWith(library);

/** @returns {import('../harness/peer.mjs').Connect} */
export function connectWith({ sessionBus, Message, Variant, interface: { Interface } }) {
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

  return async (busAddress) => {
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
}
