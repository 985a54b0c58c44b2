// Answers to callers that do not read in time: they are queued, and the calls that would cause more answers wait.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BackpressureError,
  connect,
  DBusError,
  defineInterface,
  implement,
  LimitsExceededError,
  listen,
  type MessageBus,
  MessageType,
} from '../../src/index.js';
import { callLate } from '../helpers/late-caller.js';
import { folder, PATH, peers } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('slow readers');
const MEBIBYTE = 1024 * 1024;
const NAME = 'org.example.Answers';
const PROPERTIES = 'org.freedesktop.DBus.Properties';

const Answers = defineInterface(NAME, {
  methods: {
    Bytes: { in: 'u', out: 'ay' },
    Ten: { out: 'ay' },
    Sixty: { out: 'ay' },
    Later: { out: 'ay' },
    Nothing: {},
  },
});

const ten = new Uint8Array(10_000);
const sixty = new Uint8Array(64 * 1024);

function answers() {
  return implement(Answers, {
    Bytes: (size) => new Uint8Array(size),
    Ten: () => ten,
    Sixty: () => sixty,
    Later: async () => {
      await delay(1);
      return ten;
    },
    Nothing: () => {},
  });
}

test('a hundred answers of 1 MiB and one without values arrive', async () => {
  await using both = await peers();
  both.accepted.export(PATH, answers());
  const { call } = both.client.proxy(Answers, PATH);
  const large = Array.from({ length: 100 }, () => call.Bytes(MEBIBYTE));
  const small = call.Nothing();
  const sizes = (await Promise.all(large)).map(({ length }) => length);
  await small;
  assert.equal(sizes, new Array(100).fill(MEBIBYTE));
  const { queuedBytes, readingPaused } = both.accepted.stats();
  assert.equal([queuedBytes, readingPaused], [0, false]);
});

test('answers of running handlers may use four times the limit, and further callers get an error', async () => {
  const queuedBytes = 100_000;
  await using both = await peers({ limits: { queuedBytes } });
  const { accepted, client } = both;
  const ends: ((bytes: Uint8Array) => void)[] = [];
  accepted.export(
    PATH,
    implement(defineInterface(NAME, { methods: { Wait: { out: 'ay' } } }), {
      Wait: () => new Promise<Uint8Array>((resolve) => ends.push(resolve)),
    }),
  );
  // More than the 8 MiB that the kernel takes if sd-bus may ask for them.
  const calls = Array.from({ length: 400 }, () => client.call({ path: PATH, interface: NAME, member: 'Wait' }));
  await until(() => ends.length === calls.length);
  for (const end of ends) end(sixty);
  let most = 0;
  for (let i = 0; i < 100; i++) {
    await undefined;
    most = Math.max(most, accepted.stats().queuedBytes);
  }
  assert.ok(most > 4 * queuedBytes, `${most} bytes waited`);
  assert.ok(most < 4 * queuedBytes + sixty.length + 200 * calls.length, `${most} bytes waited`);
  assert.ok(accepted.stats().readingPaused);
  // Answers that the program sends have the same room, and are not replaced by an error; its other messages have less.
  const answer = { type: MessageType.MethodReturn, replySerial: 1 };
  for (const message of [answer, { type: MessageType.Signal, path: PATH, interface: NAME, member: 'Said' }]) {
    assert.throws(
      () => accepted.send(message),
      (error: unknown) => error instanceof BackpressureError,
    );
  }
  const settled = await Promise.allSettled(calls);
  const refused = settled.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  assert.ok(refused.length > 0 && refused.length < calls.length, `${refused.length} refused`);
  for (const { reason } of refused) assert.instance(reason, LimitsExceededError);
  assert.equal([accepted.state, accepted.stats().queuedBytes], ['open', 0]);
});

for (const [kind, call] of [
  ['errors of handlers', { interface: NAME, member: 'Fail' }],
  ['GetAll', { interface: PROPERTIES, member: 'GetAll', signature: 's', body: [NAME] }],
  ['GetManagedObjects', { interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' }],
] as const) {
  test(`answers of ${kind} have the limits of results`, async () => {
    const queuedBytes = 100_000;
    const text = 'x'.repeat(64 * 1024);
    await using both = await peers({ limits: { queuedBytes } });
    const { accepted, client } = both;
    const ends: (() => void)[] = [];
    const ended = () => new Promise<void>((resolve) => ends.push(resolve));
    const large =
      kind === 'errors of handlers'
        ? implement(defineInterface(NAME, { methods: { Fail: {} } }), {
            Fail: () => ended().then(() => Promise.reject(new DBusError('org.example.Error.Large', text))),
          })
        : implement(defineInterface(NAME, { properties: { Text: { type: 's', access: 'read' } } }), {
            Text: { get: () => ended().then(() => text) },
          });
    accepted.exportObjectManager('/');
    accepted.export(PATH, large);
    const count = 400;
    const calls = Array.from({ length: count }, () =>
      client.call({ path: call.member === 'GetManagedObjects' ? '/' : PATH, timeout: 120_000, ...call }),
    );
    const settling = Promise.allSettled(calls);
    await until(() => accepted.stats().callsInProgress === count);
    let most = 0;
    let isOver = false;
    void settling.then(() => {
      isOver = true;
    });
    while (!isOver) {
      for (const end of ends.splice(0)) end();
      // The client reads in rounds of the event loop, of which there are none here.
      for (let tick = 0; tick < 50; tick++) {
        await undefined;
        most = Math.max(most, accepted.stats().queuedBytes);
      }
      await new Promise(setImmediate);
    }
    const outcomes = (await settling).map((settled) => (settled.status === 'fulfilled' ? undefined : settled.reason));
    const refused = outcomes.filter((reason) => reason instanceof LimitsExceededError).length;
    assert.ok(refused > 0 && refused < count, `${refused} of ${count} were refused`);
    const others = outcomes.filter((reason) => reason !== undefined && !(reason instanceof LimitsExceededError));
    assert.is(others.length, kind === 'errors of handlers' ? count - refused : 0);
    assert.ok(most > 4 * queuedBytes, `${most} bytes waited`);
    assert.ok(most < 4 * queuedBytes + text.length + 400 * count, `${most} bytes waited`);
    assert.equal([accepted.state, accepted.stats().queuedBytes], ['open', 0]);
  });
}

/** The largest amount that was queued in a connection, sampled often, and whether it ever paused. */
class Watched implements Disposable {
  most = 0;
  paused = false;
  readonly #timer: NodeJS.Timeout;

  constructor(bus: MessageBus) {
    this.#timer = setInterval(() => {
      const { queuedBytes, readingPaused } = bus.stats();
      this.most = Math.max(this.most, queuedBytes);
      this.paused ||= readingPaused;
    }, 5);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const floods = [
  ['Ten', 12_000, ten.length],
  ['Later', 12_000, ten.length],
  ['Sixty', 2_000, sixty.length],
] as const;

for (const [member, calls, bytes] of floods) {
  const all = { answered: calls, bytes: calls * bytes, errors: {} };
  const flood = { path: PATH, interface: NAME, member, calls, idle: 3000 };

  test(`${calls} calls of ${member} of a peer that does not read for three seconds are all answered`, async () => {
    const welcomed: Watched[] = [];
    await using server = await listen({
      address: `unix:tmpdir=${folder}`,
      onConnection: (bus) => {
        bus.export(PATH, answers());
        welcomed.push(new Watched(bus));
      },
    });
    const told = await callLate({ address: server.address, ...flood });
    const [seen] = welcomed as [Watched];
    seen[Symbol.dispose]();
    assert.equal(told, all);
    assert.ok(seen.paused, 'more than the limit was queued');
    // The limit of 64 MiB, and the answers in progress when it was reached.
    assert.ok(seen.most < 80 * MEBIBYTE, `${seen.most} bytes waited`);
  });

  testUnless(
    PrivateBus.missing(),
    test,
    `${calls} calls of ${member} through a bus, of a caller that does not read for three seconds, are all answered`,
    async () => {
      await using daemon = await PrivateBus.start();
      await using bus = await connect({ address: daemon.address });
      bus.export(PATH, answers());
      using seen = new Watched(bus);
      const destination = bus.uniqueName as string;
      assert.equal(await callLate({ address: daemon.address, destination, ...flood }), all);
      assert.ok(seen.most < 80 * MEBIBYTE, `${seen.most} bytes waited`);
    },
  );
}

test.run();
