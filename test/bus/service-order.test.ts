// Messages are sent in the order of the actions: changes of properties, exports and unexports, signals and replies arrive
// in the order in which a handler or function caused them, however it is written.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Export, type MessageBus, property, ServiceInterface } from '../../src/index.js';
import { kinds, Lamp, type LampObject, observe } from '../helpers/lamps.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

const MANAGER = 'org.freedesktop.DBus.ObjectManager';

/** What a test may do in a handler, or outside of one. */
interface Scene {
  readonly service: MessageBus;
  readonly lamp: LampObject;
  readonly other: LampObject;
  readonly child: LampObject;
  readonly handle: Export;
}

interface Case {
  readonly act: (scene: Scene) => void;
  /** The messages besides the reply, which is the last. */
  readonly expected: readonly string[];
}

const fresh = '{"Level":0,"Mode":"","Ticks":0}';
const cases: Readonly<Record<string, Case>> = {
  'an assignment, then the reply': {
    act: ({ lamp }) => {
      lamp.level = 7;
    },
    expected: ['changed /lamp {"Level":7}'],
  },
  'an assignment, then a signal': {
    act: ({ lamp }) => {
      lamp.level = 7;
      lamp.switched(7);
    },
    expected: ['changed /lamp {"Level":7}', 'Switched /lamp [7]'],
  },
  'a signal, then an assignment': {
    act: ({ lamp }) => {
      lamp.switched(7);
      lamp.level = 7;
    },
    expected: ['Switched /lamp [7]', 'changed /lamp {"Level":7}'],
  },
  'an assignment, then a signal of another object': {
    act: ({ lamp, other }) => {
      lamp.level = 7;
      other.switched(1);
    },
    expected: ['changed /lamp {"Level":7}', 'Switched /other [1]'],
  },
  'an export of a child': {
    act: ({ service, child }) => {
      service.export('/child', child.object);
    },
    expected: [`added /child ${fresh}`],
  },
  'an export of a child, and a signal of it': {
    act: ({ service, child }) => {
      service.export('/child', child.object);
      child.switched(3);
    },
    expected: [`added /child ${fresh}`, 'Switched /child [3]'],
  },
  'an assignment, an export of a child, an assignment': {
    act: ({ service, lamp, other, child }) => {
      lamp.level = 1;
      service.export('/child', child.object);
      other.level = 2;
    },
    expected: ['changed /lamp {"Level":1}', `added /child ${fresh}`, 'changed /other {"Level":2}'],
  },
  'an assignment, then an unexport': {
    act: ({ lamp, handle }) => {
      lamp.level = 8;
      handle.end();
    },
    expected: ['changed /lamp {"Level":8}', 'removed /lamp'],
  },
  'assignments with nothing between them': {
    act: ({ lamp }) => {
      lamp.level = 1;
      lamp.level = 2;
    },
    expected: ['changed /lamp {"Level":2}'],
  },
  'assignments with another object between them': {
    act: ({ lamp, other }) => {
      lamp.level = 1;
      other.level = 2;
      lamp.level = 3;
    },
    expected: ['changed /lamp {"Level":1}', 'changed /other {"Level":2}', 'changed /lamp {"Level":3}'],
  },
  'a child that is exported, changed, and unexported': {
    act: ({ service, child }) => {
      const handle = service.export('/child', child.object);
      child.level = 4;
      handle.end();
      child.level = 5;
    },
    expected: ['added /child {"Level":4,"Mode":"","Ticks":0}', 'removed /child'],
  },
  'a manager that is unexported after a child was exported': {
    act: ({ service, child }) => {
      const manager = service.exportObjectManager('/sub');
      service.export('/sub/child', child.object);
      manager.end();
    },
    // By the manager at the root as well.
    expected: [`added /sub/child ${fresh}`, `added /sub/child ${fresh}`],
  },
  'a signal without an object': {
    act: ({ service, lamp }) => {
      lamp.level = 7;
      service.emit({ path: '/none', interface: 'org.example.None', member: 'Said' });
    },
    expected: ['changed /lamp {"Level":7}', 'Said /none []'],
  },
};

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`the order of the messages of a service, on ${daemon}`);
  let bus: PrivateBus;
  let client: MessageBus;

  test.before(async () => {
    if (missing !== undefined) return;
    bus = await PrivateBus.start({ daemon });
    client = await connect({ address: bus.address });
  });

  test.after(async () => {
    await client?.close();
    await bus?.stop();
  });

  for (const [kind, make] of Object.entries(kinds)) {
    for (const [name, { act, expected }] of Object.entries(cases)) {
      testUnless(missing, test, `${kind}: ${name}`, async () => {
        for (const Member of ['Run', 'RunLater'] as const) {
          await using service = await connect({ address: bus.address });
          service.exportObjectManager('/');
          const lamp = make(() => act(scene));
          const other = make();
          const handle = service.export('/lamp', lamp.object);
          service.export('/other', other.object);
          const scene: Scene = { service, lamp, other, child: make(), handle };
          const sender = service.uniqueName as string;
          const { log, end } = await observe(client, sender);
          await service.listNames();
          await client.listNames();
          log.length = 0;
          await client.proxy(Lamp, sender, '/lamp').call[Member]('');
          await client.listNames();
          assert.equal(log, [...expected, 'reply'], Member);
          end();
        }
      });
    }

    testUnless(missing, test, `${kind}: actions outside of handlers`, async () => {
      for (const { act, expected } of Object.values(cases)) {
        await using service = await connect({ address: bus.address });
        service.exportObjectManager('/');
        const [lamp, other] = [make(), make()];
        const handle = service.export('/lamp', lamp.object);
        service.export('/other', other.object);
        const { log, end } = await observe(client, service.uniqueName as string);
        await service.listNames();
        await client.listNames();
        log.length = 0;
        act({ service, lamp, other, child: make(), handle });
        // No later message makes it leave: the end of the tick does.
        await new Promise((resolve) => setImmediate(resolve));
        await service.listNames();
        await client.listNames();
        assert.equal(log, expected);
        end();
      }
    });

    testUnless(missing, test, `${kind}: Properties.Set, and its reply`, async () => {
      await using service = await connect({ address: bus.address });
      service.export('/lamp', make().object);
      const sender = service.uniqueName as string;
      const { log, end } = await observe(client, sender);
      const { set } = client.proxy(Lamp, sender, '/lamp');
      await Promise.all([set.Level(1), set.Mode('on'), set.Level(2)]);
      await client.listNames();
      assert.equal(log, [
        'changed /lamp {"Level":1}',
        'reply',
        'changed /lamp {"Mode":"on"}',
        'reply',
        'changed /lamp {"Level":2}',
        'reply',
      ]);
      end();
    });

    testUnless(missing, test, `${kind}: one instance at several paths of several connections`, async () => {
      const services = await Promise.all([1, 2].map(() => connect({ address: bus.address })));
      const act = () => {
        lamp.level = 1;
        lamp.level = 2;
        lamp.switched(2);
        lamp.level = 3;
      };
      const lamp = make(act);
      const observers = [];
      for (const service of services) {
        for (const path of ['/a', '/b']) service.export(path, lamp.object);
        observers.push(await observe(client, service.uniqueName as string));
      }
      await client.proxy(Lamp, services[0]?.uniqueName as string, '/a').call.Run('');
      for (const service of services) await service.listNames();
      await client.listNames();
      const both = (what: string, more: string) => ['/a', '/b'].map((path) => `${what} ${path} ${more}`);
      const expected = [
        ...both('changed', '{"Level":2}'),
        ...both('Switched', '[2]'),
        ...both('changed', '{"Level":3}'),
      ];
      assert.equal(observers[0]?.log, [...expected, 'reply']);
      assert.equal(observers[1]?.log, expected);
      for (const { end } of observers) end();
      for (const service of services) await service.close();
    });

    testUnless(missing, test, `${kind}: no reply overtakes a change under load`, async () => {
      await using service = await connect({ address: bus.address });
      const lamp: LampObject = make(() => {
        lamp.level++;
      });
      service.export('/lamp', lamp.object);
      const sender = service.uniqueName as string;
      const { log, end } = await observe(client, sender);
      const { call } = client.proxy(Lamp, sender, '/lamp');
      const count = 500;
      await Promise.all(Array.from({ length: count }, (_, index) => (index % 3 === 0 ? call.RunLater : call.Run)('')));
      await client.listNames();
      // Each call changes the level once: when a reply arrives, there were at least as many changes as replies.
      let [changes, replies] = [0, 0];
      for (const event of log) {
        if (event === 'reply') replies++;
        else if (event.startsWith('changed')) changes = JSON.parse(event.split(' ')[2] as string).Level;
        assert.ok(changes >= replies, `${replies} replies, and the level was told to be ${changes}`);
      }
      assert.equal([changes, replies], [count, count]);
      end();
    });
  }

  testUnless(
    missing,
    test,
    'an object that exports itself before its class has defined its fields is reported',
    async () => {
      await using service = await connect({ address: bus.address });
      service.exportObjectManager('/');
      class Early extends ServiceInterface {
        constructor() {
          super('org.example.Lamp');
          service.export('/early', this);
        }
      }
      class Late extends Early {
        Level = 1;
      }
      const level: unknown = property({ type: 'u' });
      (level as (prototype: object, key: string) => void)(Late.prototype, 'Level');
      const { log, end } = await observe(client, service.uniqueName as string);
      const late = new Late();
      late.Level = 2;
      await new Promise((resolve) => setImmediate(resolve));
      late.Level = 3;
      await service.listNames();
      await client.listNames();
      assert.equal(log, ['added /early {"Level":2}', 'changed /early {"Level":3}']);
      end();
    },
  );

  testUnless(missing, test, 'GetManagedObjects and the signals after it agree', async () => {
    await using service = await connect({ address: bus.address });
    service.exportObjectManager('/');
    const lamp = kinds.implement?.() as LampObject;
    service.export('/lamp', lamp.object);
    await service.listNames();
    const destination = service.uniqueName as string;
    const { log, end } = await observe(client, destination);
    const asked = client.call({ destination, path: '/', interface: MANAGER, member: 'GetManagedObjects' });
    lamp.level = 9;
    const [objects] = (await asked) as [Record<string, Record<string, Record<string, unknown>>>];
    await client.listNames();
    assert.is(objects['/lamp']?.['org.example.Lamp']?.Level, 9);
    assert.equal(log, ['changed /lamp {"Level":9}', 'reply']);
    end();
  });

  test.run();
}
