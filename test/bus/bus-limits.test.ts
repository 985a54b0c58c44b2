// Messages that make a bus disconnect: the reason of the loss names the message, and messages beyond a known limit are not
// sent.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  type ConnectOptions,
  connect,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  type MessageBus,
} from '../../src/index.js';
import { type Daemon, PrivateBus, type PrivateBusOptions } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('limits of buses');

const signal = { path: '/', interface: 'org.example.Limits', member: 'Sent' };

const fds: number[] = Array.from({ length: 253 }, () => openSync('/dev/null', 'r'));
test.after(() => {
  for (const fd of fds) closeSync(fd);
});

/** Sends one signal over a new connection, and returns why that connection is lost; `undefined` if it is not lost. */
async function lossBy(
  options: PrivateBusOptions,
  signature: string,
  value: unknown,
  limits: ConnectOptions['limits'],
): Promise<string | undefined> {
  await using daemon = await PrivateBus.start(options);
  await using bus = await connect({ address: daemon.address, limits });
  bus.emit({ ...signal, signature, body: [value] });
  const names = await bus.listNames().catch((error: unknown) => error);
  if (Array.isArray(names)) return undefined;
  const reason = await bus.disconnected;
  assert.instance(reason, ConnectionClosedError);
  return (reason as Error).message;
}

/** The largest number that the kernel takes; the limit of a bus, if the program knows it. */
const unlimited = { messageDescriptors: 253 };

for (const { limits = undefined, ...lost } of [
  {
    what: 'dbus-daemon: a message of more than it takes',
    options: { limits: { max_message_size: 1_000_000 } },
    signature: 'ay',
    value: Buffer.alloc(1_000_000),
    text: /^the connection was lost: E[A-Z]+ \(a message of 1000\d\d\d bytes was sent shortly before, which may be more than the/,
  },
  {
    what: 'dbus-broker: a message of more than a user may have under way',
    options: { daemon: 'dbus-broker' as Daemon, limits: { max_bytes: 1_000_000 } },
    signature: 'ay',
    value: Buffer.alloc(1_000_000),
    text: /^the connection was lost: E[A-Z]+ \(a message of 1000\d\d\d bytes was sent/,
  },
  {
    what: 'dbus-daemon: 17 descriptors',
    options: {},
    signature: 'ah',
    value: fds.slice(0, 17),
    limits: unlimited,
    text: /^the connection was lost: E[A-Z]+ \(a message of \d+ bytes with 17 file descriptors was sent shortly before/,
  },
]) {
  testUnless(PrivateBus.missing(lost.options), test, `${lost.what} is named by the reason of the loss`, async () => {
    const message = await lossBy(lost.options, lost.signature, lost.value, limits);
    assert.match(message ?? 'not lost', lost.text);
  });
}

test('without such a message, the reason of the loss names no message', async () => {
  const daemon = await PrivateBus.start();
  const bus = await connect({ address: daemon.address });
  // Awaiting `disconnected` does not keep the process alive.
  bus.ref();
  bus.emit({ ...signal, signature: 'ay', body: [Buffer.alloc(100_000)] });
  for (let i = 0; i < 64; i++) bus.emit(signal);
  await bus.listNames();
  await daemon.stop();
  assert.match(((await bus.disconnected) as Error).message, /^the connection was lost: E[A-Z]+$/);
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon });

  testUnless(
    missing,
    test,
    `${daemon} accepts 16 descriptors; 17 are not sent unless the program raises the limit`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      await using bus = await connect({ address: server.address });
      const send = (count: number) => bus.emit({ ...signal, signature: 'ah', body: [fds.slice(0, count)] });
      send(16);
      const error = thrown(() => send(17));
      assert.instance(error, InvalidArgumentError);
      assert.match((error as Error).message, 'at most 16 file descriptors (limits.messageDescriptors), not 17');
      await bus.listNames();
      const more = daemon === 'dbus-broker' ? {} : { limits: { max_message_unix_fds: 253 } };
      await using wide = await PrivateBus.start({ daemon, ...more });
      await using knowing = await connect({ address: wide.address, limits: unlimited });
      knowing.emit({ ...signal, signature: 'ah', body: [fds] });
      await knowing.listNames();
    },
  );

  for (const slow of [false, true]) {
    const how = slow ? 'getters that take time' : 'stored values';
    testUnless(
      missing,
      test,
      `${daemon}: 17 objects with a descriptor each are collected by ${how} as far as the limit allows`,
      async () => {
        const problems: string[] = [];
        const note = (problem: unknown) => problems.push((problem as { message: string }).message);
        subscribe('busbar:problem', note);
        await using server = await PrivateBus.start({ daemon });
        await using service = await connect({ address: server.address });
        await using client = await connect({ address: server.address });
        const Held = defineInterface('org.example.Held', {
          properties: { File: { type: 'h', access: 'read' }, Name: { type: 's' } },
        });
        const Group = defineInterface('org.example.Group', {
          properties: Object.fromEntries(
            fds.slice(0, 17).map((_, i) => [`File${i}`, { type: 'h', access: 'read' } as const]),
          ),
        });
        const file = FileDescriptor.adopt(openSync('/dev/null', 'r'));
        const held = (i: number) =>
          implement(
            Held,
            slow
              ? ({ File: { get: async () => file }, Name: `number ${i}` } as never)
              : ({ File: file, Name: `number ${i}` } as never),
          );
        service.exportObjectManager('/');
        for (let i = 0; i < 17; i++) service.export(`/held/${i}`, held(i));
        const name = service.uniqueName as string;
        const manager = { destination: name, path: '/', interface: 'org.freedesktop.DBus.ObjectManager' };
        const [objects] = (await client.call({ ...manager, member: 'GetManagedObjects' })) as [
          Record<string, Record<string, Record<string, unknown>>>,
        ];
        const all = Object.values(objects).map((interfaces) => interfaces['org.example.Held'] ?? {});
        assert.is(all.length, 17);
        assert.is(all.filter(({ Name }) => Name !== undefined).length, 17);
        const files = all.flatMap(({ File }) => (File === undefined ? [] : [File as FileDescriptor]));
        assert.is(files.length, 16);
        for (const each of files) each.close();
        assert.match(
          problems.join('\n'),
          '1 property was left out of an answer: a message carries at most 16 file descriptors',
        );
        // The property that was left out can be read by Get.
        const one = (await client.proxy(Held, name, '/held/16').get.File()) as unknown as FileDescriptor;
        one.close();
        await assertGroup(service, client, Group, file, slow);
        assert.is(service.state, 'open');
        file.close();
        unsubscribe('busbar:problem', note);
      },
    );
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `${daemon}: announcements of one object with 17 descriptors contain as many as the limit allows`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      await using service = await connect({ address: server.address });
      await using client = await connect({ address: server.address });
      const names = Array.from({ length: 17 }, (_, i) => `File${i}`);
      const Group = defineInterface('org.example.Group', {
        properties: Object.fromEntries(names.map((name) => [name, { type: 'h', access: 'read' } as const])),
      });
      const told: Record<string, readonly unknown[]> = {};
      const rule = { sender: service.uniqueName, path: '/' };
      const arrived = ['InterfacesAdded', 'PropertiesChanged'].map(async (member) => {
        const path = member === 'PropertiesChanged' ? '/group' : '/';
        let resolve = () => {};
        const promise = new Promise<void>((go) => {
          resolve = go;
        });
        await client.subscribe({ ...rule, member, path }, ({ body }) => {
          told[member] = body;
          resolve();
        }).ready;
        return promise;
      });
      await client.listNames();
      service.exportObjectManager('/');
      const file = FileDescriptor.adopt(openSync('/dev/null', 'r'));
      const object = implement(Group, Object.fromEntries(names.map((name) => [name, file])) as never);
      service.export('/group', object);
      await service.listNames();
      const other = FileDescriptor.adopt(openSync('/dev/null', 'r'));
      for (const name of names) (object.properties as Record<string, unknown>)[name] = other;
      await Promise.all(arrived);
      const added = told.InterfacesAdded?.[1] as Record<string, object>;
      assert.is(Object.keys(added['org.example.Group'] ?? {}).length, 16);
      const [, changed, invalidated] = told.PropertiesChanged as [string, object, string[]];
      assert.is(Object.keys(changed).length, 16);
      assert.equal(invalidated, ['File16']);
      assert.is(service.state, 'open');
      file.close();
      other.close();
    },
  );
}

/** One object with 17 descriptors: GetAll, and the announcement of the object. */
async function assertGroup(
  service: MessageBus,
  client: MessageBus,
  Group: never | ReturnType<typeof defineInterface>,
  file: FileDescriptor,
  slow: boolean,
): Promise<void> {
  const members = Array.from({ length: 17 }, (_, i) => [`File${i}`, slow ? { get: async () => file } : file]);
  service.export('/group', implement(Group as never, Object.fromEntries(members) as never));
  const call = { destination: service.uniqueName, path: '/group', interface: 'org.freedesktop.DBus.Properties' };
  const [values] = (await client.call({ ...call, member: 'GetAll', signature: 's', body: ['org.example.Group'] })) as [
    Record<string, FileDescriptor>,
  ];
  assert.is(Object.keys(values).length, 16);
  for (const each of Object.values(values)) each.close();
}

test('a limit above that of the kernel is refused', async () => {
  const error = await rejection(connect({ address: 'unix:path=/nonexistent', limits: { messageDescriptors: 254 } }));
  assert.instance(error, InvalidArgumentError);
  assert.match(error.message, 'limits.messageDescriptors: the kernel accepts at most 253, not 254');
});

test.run();
