// Values are read once for each use: each read runs the getter once, and its value is checked and encoded at that time for
// all paths and clients.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, type MessageBus, property, ServiceInterface } from '../../src/index.js';
import type { ExportedObject } from '../../src/service/objects/exports.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

const Looked = defineInterface('org.example.Looked', { properties: { Kept: { type: 'a{ss}' }, Read: { type: 'u' } } });

type Kept = Record<string, string>;

/** An object whose values count how often they are read. */
interface Counting {
  readonly object: ExportedObject;
  assign(kept: Kept): void;
  assignRead(read: number): void;
  announce(): void;
}

/** The number of runs of the getter since the test asked last. */
let reads = 0;
let read = 0;

class LookedClass extends ServiceInterface {
  static override readonly interfaceName = 'org.example.Looked';
  @property({ type: 'a{ss}' })
  accessor Kept: Kept = {};
  @property({ type: 'u' })
  get Read(): number {
    reads++;
    return read;
  }
  set Read(value: number) {
    read = value;
  }
}

const kinds: Readonly<Record<string, () => Counting>> = {
  'a class': () => {
    const object = new LookedClass();
    return {
      object,
      assign: (kept) => {
        object.Kept = kept;
      },
      assignRead: (value) => {
        object.Read = value;
      },
      announce: () => object.emitPropertiesChanged(['Read']),
    };
  },
  implement: () => {
    const get = (): number => {
      reads++;
      return read;
    };
    const set = (value: number): void => {
      read = value;
    };
    const object = implement(Looked, { Kept: {}, Read: { get, set } });
    return {
      object,
      assign: (kept) => {
        object.properties.Kept = kept;
      },
      assignRead: (value) => {
        object.properties.Read = value;
      },
      announce: () => object.emitPropertiesChanged(['Read']),
    };
  },
};

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`how often values are read, on ${daemon}`);
  let bus: PrivateBus;
  let client: MessageBus;
  let service: MessageBus;
  let second: MessageBus;

  test.before(async () => {
    if (missing !== undefined) return;
    bus = await PrivateBus.start({ daemon });
    client = await connect({ address: bus.address });
    service = await connect({ address: bus.address });
    second = await connect({ address: bus.address });
    service.exportObjectManager('/');
  });
  test.after(() => Promise.all([client, service, second].map((each) => each?.close())).then(() => bus?.stop()));

  for (const [kind, make] of Object.entries(kinds)) {
    testUnless(missing, test, `${kind}: a value is read once for all paths and for each answer`, async () => {
      const counting = make();
      // Two paths and two connections.
      const exports = [
        service.export('/one', counting.object),
        service.export('/two', counting.object),
        second.export('/one', counting.object),
      ];
      const settle = async () => {
        for (const each of [service, second, client]) await each.listNames();
      };
      await settle();
      let looks = 0;
      const kept = (): Kept => ({
        get some() {
          looks++;
          return 'text';
        },
      });
      const counted = async (act: () => unknown): Promise<{ looks: number; reads: number }> => {
        looks = 0;
        reads = 0;
        await act();
        await settle();
        return { looks, reads };
      };
      const call = (path: string, name: string, member: string, ...body: string[]) =>
        client.call({
          destination: service.uniqueName as string,
          path,
          interface: `org.freedesktop.DBus.${name}`,
          member,
          ...(body.length > 0 && { signature: 's'.repeat(body.length), body }),
        });
      const changes: string[] = [];
      const subscription = client.subscribe({ member: 'PropertiesChanged' }, ({ sender, path, body }) => {
        changes.push(`${sender} ${path} ${JSON.stringify(body[1])}`);
      });
      await subscription.ready;
      const told = (values: object) =>
        [`${service.uniqueName} /one`, `${service.uniqueName} /two`, `${second.uniqueName} /one`].map(
          (place) => `${place} ${JSON.stringify(values)}`,
        );
      assert.equal(await counted(() => counting.assign(kept())), { looks: 1, reads: 0 });
      assert.equal(changes.splice(0).sort(), told({ Kept: { some: 'text' } }).sort());
      const name = 'org.example.Looked';
      assert.equal(await counted(() => call('/one', 'Properties', 'Get', name, 'Kept')), { looks: 1, reads: 0 });
      assert.equal(await counted(() => call('/one', 'Properties', 'Get', name, 'Read')), { looks: 0, reads: 1 });
      assert.equal(await counted(() => call('/one', 'Properties', 'GetAll', name)), { looks: 1, reads: 1 });
      // The object is exported twice.
      assert.equal(await counted(() => call('/', 'ObjectManager', 'GetManagedObjects')), { looks: 2, reads: 2 });
      assert.equal(await counted(() => counting.announce()), { looks: 0, reads: 1 });
      assert.equal(changes.splice(0).length, 3);
      // Before and after the setter, to find whether the value has changed.
      assert.equal(await counted(() => counting.assignRead(read + 1)), { looks: 0, reads: 2 });
      assert.equal(changes.splice(0).sort(), told({ Read: read }).sort());
      subscription.end();
      for (const each of exports) each.end();
    });
  }

  testUnless(
    missing,
    test,
    'an answer has the value that a getter gave another property while the answer was made',
    async () => {
      const Moved = defineInterface('org.example.Moved', {
        properties: { Reads: { type: 'u' }, Level: { type: 'u', access: 'read' }, Last: { type: 'u' } },
      });
      const moved = implement(Moved, {
        Reads: 0,
        Level: {
          get: () => {
            reads++;
            moved.properties.Reads = reads;
            moved.properties.Last = reads;
            return 7;
          },
        },
        Last: 0,
      });
      const exported = service.export('/moved', moved);
      const told: unknown[] = [];
      const subscription = client.subscribe({ member: 'PropertiesChanged', path: '/moved' }, ({ body }) => {
        told.push(body[1]);
      });
      await subscription.ready;
      const ask = (path: string, name: string, member: string, ...body: string[]) =>
        client.call({
          destination: service.uniqueName as string,
          ...{ path, interface: `org.freedesktop.DBus.${name}`, member },
          ...(body.length > 0 && { signature: 's', body }),
        });
      const name = 'org.example.Moved';
      for (const answer of [
        async () => (await ask('/moved', 'Properties', 'GetAll', name))[0],
        async () => {
          const [objects] = (await ask('/', 'ObjectManager', 'GetManagedObjects')) as [Record<string, object>];
          return (objects['/moved'] as Record<string, unknown>)[name];
        },
      ]) {
        // Earlier changes have reached the bus, and then the client.
        await service.listNames();
        await client.listNames();
        const before = reads;
        told.splice(0);
        const values = await answer();
        // It is read once even so.
        assert.equal(values, { Reads: before + 1, Level: 7, Last: before + 1 });
        assert.equal(told, [{ Reads: before + 1, Last: before + 1 }]);
      }
      subscription.end();
      exported.end();
    },
  );

  test.run();
}
