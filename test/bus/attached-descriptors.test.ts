// File descriptors that no value refers to: a message carries and shows them, and their ownership is that of other
// descriptors.
import { closeSync, openSync, statSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  NotSupportedError,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { peers } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('attached descriptors');
const NAME = 'org.example.Attached';
const PATH = '/attached';
/** sd-bus builds messages from values, so it shows no other descriptors. */
const attaches = transportKind() === 'socket';

const Interface = defineInterface(NAME, {
  methods: { Take: { in: 'u', out: 'u' }, TakeNone: { out: 'u' }, TakeLate: {} },
});

/** Two ends of a connection, through a bus or between peers. */
interface Ends extends AsyncDisposable {
  readonly one: MessageBus;
  readonly other: MessageBus;
}

const surroundings: readonly (readonly [name: string, missing: string | undefined, start: () => Promise<Ends>])[] = [
  ...(['dbus-daemon', 'dbus-broker'] as const).map(
    (daemon) => [daemon, PrivateBus.missing({ daemon }), () => atBus(daemon)] as const,
  ),
  [
    'peers',
    undefined,
    async () => {
      const pair = await peers();
      return { one: pair.client, other: pair.accepted, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
    },
  ],
];

async function atBus(daemon: 'dbus-daemon' | 'dbus-broker'): Promise<Ends> {
  const bus = await PrivateBus.start({ daemon });
  const { address } = bus;
  const [one, other] = [await connect({ address }), await connect({ address })];
  return {
    one,
    other,
    async [Symbol.asyncDispose]() {
      await Promise.all([one.close(), other.close()]);
      await bus.stop();
    },
  };
}

/** By its path: in Deno, node:fs reads no descriptor that it did not open itself. */
const inodeOf = (fd: number) => statSync(`/proc/self/fd/${fd}`).ino;
/** Closes a number that was taken, which node:fs in Deno cannot. */
const closeTaken = (fd: number) => FileDescriptor.adopt(fd).close();
const files = ['/dev/null', '/dev/zero', '/dev/full'];
const open = (index: number) => openSync(files[index % files.length] as string, 'r');

for (const [name, missing, start] of surroundings) {
  if (missing !== undefined || !attaches) {
    skip(
      test,
      `descriptors that no value refers to: ${name}`,
      missing ?? 'sd-bus sends no descriptors but those in values',
    );
    continue;
  }

  test(`a call, its reply and a signal carry them in order, behind the descriptors of values: ${name}`, async () => {
    await using ends = await start();
    const { one, other } = ends;
    const before = openFds();
    const seen: number[][] = [];
    using _answering = other.addMessageHandler((message: Message) => {
      if (message.type === MessageType.Signal && message.member !== 'Carried') return false;
      seen.push(message.fileDescriptors.map(({ fd }) => inodeOf(fd)));
      if (message.signature.includes('h')) assert.is(message.fileDescriptors[0], message.body[0]);
      if (message.type !== MessageType.MethodCall) return true;
      const own = open(2);
      const reply = { type: MessageType.MethodReturn, destination: message.sender, replySerial: message.serial };
      other.send({
        ...reply,
        fileDescriptors: [FileDescriptor.adopt(own).handOver(), message.fileDescriptors[0] as FileDescriptor],
      });
      return true;
    });
    const [a, b] = [open(0), open(1)];
    const call = { destination: other.uniqueName, path: PATH, interface: NAME, member: 'Any' };
    const [inodeA, inodeB] = [inodeOf(a), inodeOf(b)];
    const reply = await one.call({ ...call, signature: 'h', body: [a], fileDescriptors: [b, a], reply: 'message' });
    assert.equal(seen.pop(), [inodeA, inodeB, inodeA]);
    assert.equal(reply.body, []);
    assert.is(reply.fileDescriptors.length, 2);
    assert.is(inodeOf((reply.fileDescriptors[1] as FileDescriptor).fd), inodeA);
    for (const each of reply.fileDescriptors) each.close();

    // Only the values are requested: the other descriptors cannot be reached, and are closed.
    assert.equal(await one.call({ ...call, fileDescriptors: [a] }), []);
    assert.equal(seen.pop(), [inodeA]);

    const rule = { path: PATH, interface: NAME, member: 'Carried' };
    const subscription = other.subscribe(rule, () => {});
    await subscription.ready;
    one.emit({ ...rule, destination: other.uniqueName, fileDescriptors: [b] });
    await until(() => seen.length > 0);
    assert.equal(seen.pop(), [inodeB]);
    subscription.end();
    for (const fd of [a, b]) closeSync(fd);
    await assertNoFdsLeft(before);
  });

  test(`a handler of a service gets them on loan with its call: ${name}`, async () => {
    await using ends = await start();
    const { one, other } = ends;
    const kept: FileDescriptor[] = [];
    const lent: FileDescriptor[] = [];
    const counted = ({ fileDescriptors }: CallContext): number => {
      lent.push(...fileDescriptors);
      kept.push(...fileDescriptors.slice(0, 1).map((each) => each.dup()));
      return fileDescriptors.length;
    };
    using _export = other.export(
      PATH,
      implement(Interface, {
        Take: (_number, context) => counted(context),
        TakeNone: counted,
        async TakeLate(context) {
          await Promise.resolve();
          lent.push(...context.fileDescriptors);
        },
      }),
    );
    const before = openFds();
    const fd = open(0);
    const call = { destination: other.uniqueName, path: PATH, interface: NAME, fileDescriptors: [fd, fd, fd] };
    assert.equal(await one.call({ ...call, member: 'Take', signature: 'u', body: [5] }), [3]);
    assert.equal(await one.call({ ...call, member: 'TakeNone' }), [3]);
    assert.equal(await one.call({ ...call, member: 'TakeLate' }), []);
    assert.equal(await one.call({ ...call, member: 'TakeNone', fileDescriptors: [] }), [0]);
    assert.ok(lent.every(({ closed }) => closed));
    assert.equal(
      kept.map(({ closed }) => closed),
      [false, false],
    );
    for (const each of kept) each.close();
    closeSync(fd);
    await assertNoFdsLeft(before);
  });

  test(`no descriptor is left open or closed twice, whatever is sent and read: ${name}`, async () => {
    await using ends = await start();
    const { one, other } = ends;
    const looks: ((message: Message) => unknown)[] = [
      () => undefined,
      (message) => message.fileDescriptors,
      (message) => message.body,
      (message) => [message.body, message.fileDescriptors],
      (message) => [message.fileDescriptors, message.decode({ variants: 'wrap' })],
      (message) => message.fileDescriptors[0]?.dup().close(),
      (message) => closeTaken(message.fileDescriptors.at(-1)?.take() ?? open(0)),
      async (message) => {
        await Promise.resolve();
        return message.fileDescriptors.length + message.body.length;
      },
    ];
    let look: (message: Message) => unknown = () => undefined;
    let handled = 0;
    const handler = async (message: Message) => {
      if (message.interface !== NAME) return;
      await look(message);
      handled++;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          values: fc.nat({ max: 2 }),
          attached: fc.nat({ max: 3 }),
          handsOver: fc.boolean(),
          listeners: fc.nat({ max: 2 }),
          how: fc.nat({ max: looks.length - 1 }),
        }),
        async ({ values, attached, handsOver, listeners, how }) => {
          const before = openFds();
          look = looks[how] as typeof look;
          handled = 0;
          const rule = { path: PATH, interface: NAME, member: 'S' };
          const subscriptions = Array.from({ length: listeners }, () => other.subscribe(rule, handler));
          await Promise.all(subscriptions.map(({ ready }) => ready));
          const given = Array.from({ length: values + attached }, (_, index) => FileDescriptor.adopt(open(index)));
          if (handsOver) for (const each of given) each.handOver();
          const [body, fileDescriptors] = [given.slice(0, values), given.slice(values)];
          one.emit({ ...rule, signature: 'h'.repeat(values), body, fileDescriptors });
          await one.flush();
          await until(() => handled === listeners);
          assert.ok(given.every(({ closed }) => closed === handsOver));
          for (const each of given) each.close();
          for (const each of subscriptions) each.end();
          // A peer that does not listen still has descriptors on their way.
          await other.call({
            destination: one.uniqueName,
            path: '/',
            interface: 'org.freedesktop.DBus.Peer',
            member: 'Ping',
          });
          await assertNoFdsLeft(before);
        },
      ),
      { numRuns: 40 },
    );
  });

  test(`an invalid descriptor is refused, and nothing is sent or closed: ${name}`, async () => {
    await using ends = await start();
    const { one } = ends;
    const before = openFds();
    const mine = FileDescriptor.adopt(open(0)).handOver();
    const signal = { path: PATH, interface: NAME, member: 'S' };
    const closed = FileDescriptor.adopt(open(0));
    closed.close();
    const { messagesSent } = one.stats();
    const refused: readonly (readonly [unknown, RegExp])[] = [
      [[mine, 'text'], /^fileDescriptors\[1\]: expected h \(a FileDescriptor or its number\), got string/],
      [[mine, -1], /^fileDescriptors\[1\]: expected h/],
      [[closed], /^fileDescriptors\[0\]: expected h .*, got one that is closed/],
      [[mine, 1_000_000], /file descriptor 1000000 is not open/],
      [5, /^fileDescriptors: expected an array, got number/],
      [Array.from({ length: 300 }, () => mine), /a message carries at most/],
    ];
    for (const [fileDescriptors, text] of refused) {
      const error = thrown(() => one.emit({ ...signal, fileDescriptors: fileDescriptors as [] }));
      assert.instance(error, InvalidArgumentError);
      assert.match(error.message, text);
      const call = { destination: one.uniqueName, path: '/', member: 'M', fileDescriptors: fileDescriptors as [] };
      assert.instance(await rejection(one.call(call)), InvalidArgumentError);
    }
    assert.is(one.stats().messagesSent, messagesSent);
    assert.not(mine.closed);
    mine.close();
    await assertNoFdsLeft(before);
  });
}

if (!attaches) {
  test('on sd-bus, sending descriptors that no value refers to is refused with an error', async () => {
    await using ends = await atBus('dbus-daemon');
    const fd = open(0);
    const signal = { path: PATH, interface: NAME, member: 'S', fileDescriptors: [fd] };
    assert.instance(
      thrown(() => ends.one.emit(signal)),
      NotSupportedError,
    );
    const call = { destination: ends.other.uniqueName, path: '/', interface: NAME, member: 'M', fileDescriptors: [fd] };
    assert.instance(await rejection(ends.one.call(call)), NotSupportedError);
    closeSync(fd);
  });

  test('on sd-bus, the descriptors of values are shown', async () => {
    await using ends = await atBus('dbus-daemon');
    const seen: number[] = [];
    using _handler = ends.other.addMessageHandler(({ fileDescriptors, interface: name }) => {
      if (name === NAME) seen.push(fileDescriptors.length);
    });
    const fd = open(0);
    ends.one.emit({
      path: PATH,
      interface: NAME,
      member: 'S',
      destination: ends.other.uniqueName,
      signature: 'hh',
      body: [fd, fd],
    });
    await until(() => seen.length > 0);
    assert.equal(seen, [2]);
    closeSync(fd);
  });
}

test.run();
