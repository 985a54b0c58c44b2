// A bus that is lost again while everything is declared anew: at each message of Hello, rules, names and calls. The test
// plays the bus and hangs up.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, connect, defineInterface, implement, LimitsExceededError } from '../../src/index.js';
import { BUS, FakeBus, type FakeConnection } from '../helpers/fake-bus.js';
import { patience } from '../helpers/patience.js';
import { QUICK, restoredOf } from '../helpers/reconnecting.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';
import { Bytes, wireMessage } from '../helpers/wire.js';

const NAME = 'org.example.Interrupted';
const Lamp = defineInterface(NAME, { methods: { Ask: {} }, signals: { Said: {} } });

const test = suite('reconnecting with interruptions');

test('everything is declared in order, whatever message the connection is lost at', async () => {
  let current: FakeConnection | undefined;
  /** The members of the calls of the present connection, and the number at which it hangs up. */
  let members: string[] = [];
  let hangsUpAt = Number.POSITIVE_INFINITY;
  let asked = 0;
  await using fake = await FakeBus.start({
    answer(call) {
      if (call.member === 'Hello') members = [];
      members.push(call.member as string);
      if (call.member === 'Ask') asked++;
      if (members.length < hangsUpAt) return undefined;
      hangsUpAt++;
      current?.hangUp();
      return 'silence';
    },
  });
  const accept = async () => {
    for (;;) current = await fake.accepted();
  };
  void accept();
  const bus = await connect({ address: fake.address, reconnect: QUICK });
  bus.export('/', implement(Lamp, { Ask() {} }));
  const owned = await bus.requestName(NAME);
  await bus.subscribe({ sender: NAME, member: 'Said' }, () => {}).ready;
  await bus.subscribe({ path: '/', member: 'Said' }, () => {}).ready;
  const told: string[] = [];
  bus.watchName('org.example.Other', { appeared: () => void told.push('+'), vanished: () => void told.push('-') });
  await until(() => told.length === 1);
  const events: string[] = [];
  bus.watchConnection({ lost: () => void events.push('lost'), restored: () => void events.push('restored') });
  const before = bus.stats();
  // The declarations that a connection begins with, after which the call is sent.
  hangsUpAt = 1;
  current?.hangUp();
  await until(() => bus.state === 'away');
  let settled = 0;
  const count = () => void settled++;
  const calls = [1, 2].map(() =>
    bus.call({ destination: 'org.example.Asked', path: '/', member: 'Ask', timeout: 30_000 }),
  );
  for (const call of calls) call.then(count, count);
  await until(() => settled === 2);
  hangsUpAt = Number.POSITIVE_INFINITY;
  await until(() => events.includes('restored'));
  assert.equal(events, ['lost', 'restored']);
  const expected = ['Hello', ...Array(4).fill('AddMatch'), 'GetNameOwner', 'GetNameOwner', 'RequestName'];
  assert.equal(members.slice(0, expected.length), expected);
  assert.is(asked, 2, 'each call was sent once');
  for (const call of calls) await call.catch((error: Error) => assert.instance(error, ConnectionClosedError));
  assert.is(owned.state, 'owned');
  const after = bus.stats();
  for (const what of ['matchRules', 'subscriptions', 'ownedNames', 'pendingCalls'] as const) {
    assert.is(after[what], before[what], what);
  }
  // Never twice in a row.
  assert.not.match(told.join(''), /--|\+\+/);
  await bus.close({ drain: 0 });
});

test('close ends a bus at once while it waits for the answer to Hello, and while everything is declared', async () => {
  for (const silentAt of ['Hello', 'AddMatch', 'RequestName']) {
    let isSilent = false;
    let isReached = false;
    await using fake = await FakeBus.start({
      answer(call) {
        if (!isSilent || call.member !== silentAt) return undefined;
        isReached = true;
        return 'silence';
      },
    });
    const bus = await connect({ address: fake.address, reconnect: QUICK });
    const current = await fake.accepted();
    bus.export('/', implement(Lamp, { Ask() {} }));
    const owned = await bus.requestName(NAME);
    await bus.subscribe({ member: 'Said' }, () => {}).ready;
    const events: string[] = [];
    const note = (event: string) => () => void events.push(event);
    bus.watchConnection({ lost: note('lost'), restored: note('restored'), gaveUp: note('gave up') });
    isSilent = true;
    current.hangUp();
    await until(() => isReached);
    const start = performance.now();
    await bus.close({ drain: 50 });
    assert.ok(performance.now() - start < 3000 * patience, silentAt);
    assert.equal([bus.state, owned.state, events], ['closed', 'lost', ['lost']]);
    assert.is(await bus.disconnected, undefined);
  }
});

test('a program may close the bus in each function that it is told by', async () => {
  for (const closesIn of ['lost', 'restored', 'gaveUp', 'vanished', 'name lost'] as const) {
    await using fake = await FakeBus.start();
    const bus = await connect({ address: fake.address, reconnect: { ...QUICK, attempts: 1 } });
    const connection = await fake.accepted();
    bus.export('/', implement(Lamp, { Ask() {} }));
    const owned = await bus.requestName(NAME);
    const events: string[] = [];
    const on = (event: string) => () => {
      events.push(event);
      if (event === closesIn) void bus.close({ drain: 0 });
    };
    void owned.lost.then(on('name lost'));
    let isThere = false;
    const appeared = () => {
      isThere = true;
    };
    bus.watchName('org.example.Other', { appeared, vanished: on('vanished') });
    bus.watchConnection({ lost: on('lost'), restored: on('restored'), gaveUp: on('gaveUp') });
    await until(() => isThere);
    if (closesIn === 'gaveUp') await fake.stop();
    else connection.hangUp();
    assert.is(await bus.disconnected, undefined, closesIn);
    await bus.close();
    assert.is(bus.state, 'closed');
    assert.is(owned.state, 'lost');
    assert.is(events.includes('restored'), closesIn === 'restored', `${closesIn}: ${events}`);
    assert.equal([bus.stats().subscriptions, bus.stats().matchRules, bus.stats().ownedNames], [0, 0, 0]);
  }
});

test('connections that were replaced are freed', async () => {
  await using fake = await FakeBus.start();
  const bus = await connect({ address: fake.address, reconnect: QUICK });
  bus.export('/', implement(Lamp, { Ask() {} }));
  await bus.requestName(NAME);
  bus.subscribe({ member: 'Said' }, () => {});
  const connections: WeakRef<object>[] = [];
  const present = () => (bus as unknown as { readonly connection: object }).connection;
  for (let round = 0; round < 20; round++) {
    connections.push(new WeakRef(present()));
    const connection = await fake.accepted();
    const call = rejection(bus.call({ destination: ':1.2', path: '/', member: 'Ask' }));
    const restored = restoredOf(bus);
    connection.hangUp();
    await call;
    await restored;
  }
  const left = () => connections.filter((each) => each.deref() !== undefined).length;
  // The reason of the last loss, by its stack, and the engine may each keep one.
  for (let round = 0; round < 100 && left() > 2; round++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    globalThis.gc?.();
  }
  assert.ok(left() <= 2, `${left()} are left`);
  await bus.close({ drain: 0 });
});

test('a bus that refuses Hello, a rule or a name is reported where it belongs', async () => {
  let refuses = '';
  let current: FakeConnection | undefined;
  const refusal = (serial: number) =>
    wireMessage({
      ...{ type: 3, serial: 99, replySerial: serial, destination: ':1.1', sender: BUS },
      errorName: 'org.freedesktop.DBus.Error.LimitsExceeded',
      signature: 's',
      body: new Bytes().text('too many').buffer,
    });
  await using fake = await FakeBus.start({
    answer: (call) => (call.member === refuses ? refusal(call.serial) : undefined),
  });
  const accept = async () => {
    for (;;) current = await fake.accepted();
  };
  void accept();
  const bus = await connect({ address: fake.address, reconnect: { ...QUICK, attempts: 3 } });
  bus.export('/', implement(Lamp, { Ask() {} }));
  const owned = await bus.requestName(NAME);
  const subscription = bus.subscribe({ member: 'Said' }, () => {});
  await subscription.ready;
  let restored = 0;
  let failure: unknown;
  bus.watchConnection({
    restored: () => void restored++,
    gaveUp(error) {
      failure = error;
    },
  });
  const loseNow = async () => {
    current?.hangUp();
    await until(() => bus.state === 'away');
  };
  refuses = 'RequestName';
  await loseNow();
  await until(() => restored === 1);
  assert.is(owned.state, 'lost');
  assert.is(await owned.lost, 'refused');
  assert.instance(await owned.acquired.catch((error: unknown) => error), LimitsExceededError);
  refuses = 'AddMatch';
  await loseNow();
  await until(() => restored === 2);
  assert.instance(await subscription.ready.catch((error: unknown) => error), LimitsExceededError);
  assert.is(bus.stats().matchRules, 0);
  // The next bus is asked again.
  refuses = '';
  await loseNow();
  await until(() => restored === 3);
  await subscription.ready;
  assert.is(bus.stats().matchRules, 1);
  refuses = 'Hello';
  await loseNow();
  await until(() => failure !== undefined);
  assert.instance(failure, LimitsExceededError);
  assert.is(bus.state, 'closed');
});

test.run();
