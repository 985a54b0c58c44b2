// A value is read once for each use, wherever the program gives it: its getters are called once, and may return another
// value, or open another file descriptor, each time.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { closeDescriptors } from '../../src/codec/close-descriptors.js';
import { defineInterface, FileDescriptor, implement, type MessageBus, Variant } from '../../src/index.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { PATH, peers } from '../helpers/peers.js';
import { until } from '../helpers/until.js';

const test = suite('reads of values');
const NAME = 'org.example.Reads';

const definition = defineInterface(NAME, {
  methods: { Take: { in: 'v' } },
  signals: { Said: { args: 'v' } },
});

let reads = 0;

/** Values with a getter that counts how often it is called. */
const values: Readonly<Record<string, () => unknown>> = {
  'a dictionary': () => ({
    get a() {
      reads++;
      return 'x';
    },
  }),
  'an array of strings': () =>
    Object.defineProperty([] as string[], 0, {
      enumerable: true,
      get() {
        reads++;
        return 'x';
      },
    }),
  'a dictionary in a Variant': () =>
    new Variant('a{ss}', {
      get a() {
        reads++;
        return 'x';
      },
    }),
  'a dictionary of descriptors': () =>
    new Variant('a{sh}', {
      get a() {
        reads++;
        return FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
      },
    }),
  'descriptors in an array': () =>
    new Variant('(ah)', [
      Object.defineProperty([] as FileDescriptor[], 0, {
        enumerable: true,
        get() {
          reads++;
          return FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
        },
      }),
    ]),
};

interface Ends {
  readonly service: MessageBus;
  readonly client: MessageBus;
}

const head = { path: PATH, interface: NAME, member: 'Said', signature: 'v' };

/** Gives a value at one place. The number of reads until it has been sent is counted. */
const places: Readonly<Record<string, (ends: Ends, value: unknown) => unknown>> = {
  'an argument': ({ client }, value) => client.proxy(definition, PATH).call.Take(value),
  'an argument of a call without a proxy': ({ client }, value) =>
    client.call({ ...head, member: 'Take', body: [value] }),
  'a call that wants no reply': ({ client }, value) =>
    client.call({ ...head, member: 'Take', body: [value], noReply: true }),
  'a signal of a connection': ({ service }, value) => service.emit({ ...head, body: [value] }),
  'a message': ({ service }, value) => void service.send({ type: 4, ...head, body: [value] }),
  'a result': async ({ client, service }, value) => {
    using _exported = service.export('/given', implement(giving, { Give: () => value }));
    closeDescriptors(await client.proxy(giving, '/given').call.Give());
  },
  'a later result': async ({ client, service }, value) => {
    using _exported = service.export('/given', implement(giving, { Give: async () => value }));
    closeDescriptors(await client.proxy(giving, '/given').call.Give());
  },
  'a signal of an object': ({ service }, value) => {
    const object = implement(saying, {});
    using _exported = service.export('/saying', object);
    object.emit.Said(value);
  },
  'a signal of an object at two paths': ({ service }, value) => {
    const object = implement(saying, {});
    using _one = service.export('/one', object);
    using _two = service.export('/two', object);
    object.emit.Said(value);
  },
  'a signal of an object that is exported nowhere': (_ends, value) => implement(saying, {}).emit.Said(value),
  'the first value of a property': (_ends, value) => implement(holding, { P: value }),
  'an assigned value': ({ service }, value) => {
    const object = implement(holding, { P: 0 });
    using _exported = service.export('/holding', object);
    object.properties.P = value;
  },
  'a value assigned at two paths': ({ service }, value) => {
    const object = implement(holding, { P: 0 });
    using _one = service.export('/one', object);
    using _two = service.export('/two', object);
    object.properties.P = value;
  },
  'an announced value': ({ service }, value) => {
    const object = implement(holding, { P: 0 });
    using _exported = service.export('/holding', object);
    object.emitPropertiesChanged({ P: value });
  },
  'a value that a client sets': async ({ client, service }, value) => {
    using _exported = service.export('/holding', implement(holding, { P: 0 }));
    await client.proxy(holding, '/holding').set.P(value);
  },
};

const giving = defineInterface(NAME, { methods: { Give: { out: 'v' } } });
const saying = defineInterface(NAME, { signals: { Said: { args: 'v' } } });
const holding = defineInterface(NAME, { properties: { P: { type: 'v' } } });

for (const [kind, make] of Object.entries(values)) {
  test(`${kind} is read once, wherever it is given`, async () => {
    await using both = await peers();
    const { client, accepted: service } = both;
    service.addMessageHandler(({ member, serial }) => {
      if (member !== 'Take') return false;
      service.send({ type: 2, replySerial: serial });
      return true;
    });
    for (const [place, give] of Object.entries(places)) {
      await client.call({ path: PATH, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
      const before = openFds();
      reads = 0;
      await give({ service, client }, make());
      await until(() => reads > 0);
      // What is sent later in the tick is sent by then.
      await client.call({ path: PATH, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
      assert.is(reads, 1, place);
      // The property keeps what a client has set.
      if (place !== 'a value that a client sets') await assertNoFdsLeft(before);
    }
  });

  for (const how of ['Get', 'GetAll'] as const) {
    test(`${kind} of a property is read once for each ${how}`, async () => {
      await using both = await peers();
      const { client, accepted } = both;
      for (const member of [make(), { get: make, set() {} }]) {
        const object = implement(holding, { P: member as never });
        using _exported = accepted.export('/holding', object);
        const proxy = client.proxy(holding, '/holding');
        for (let time = 0; time < 3; time++) {
          reads = 0;
          closeDescriptors(await (how === 'Get' ? proxy.get.P() : proxy.getAll()));
          assert.is(reads, 1);
        }
      }
    });
  }
}

test.run();
