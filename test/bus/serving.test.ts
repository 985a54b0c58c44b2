// serve() in this process: what it does at the start, for which reasons it ends, and in which order. test/bus/serving-processes
// has what concerns the process: signals, exit codes, the service manager.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  ConnectionClosedError,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  NameTakenError,
  pair,
  type ServeOptions,
  type Service,
  serve,
} from '../../src/index.js';
import { policyFile } from '../helpers/bus-configuration.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('serving');
const NAME = 'org.example.Served';
const PATH = '/org/example/Served';
const Served = defineInterface(NAME, { methods: { Who: { out: 's' }, Wait: { out: 's' } } });
const Second = defineInterface('org.example.Second', { methods: { Two: { out: 'u' } } });

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const proxy = client.proxy(Served, NAME, PATH);
test.after(async () => {
  await client.close();
  await daemon.stop();
});

/** An object whose method `Wait` is answered when `finish` is called. */
function waiting(who: string) {
  let finish: () => void = () => {};
  let isCalled = false;
  const object = implement(Served, {
    Who: () => who,
    Wait: () =>
      new Promise<string>((resolve) => {
        isCalled = true;
        finish = () => resolve(who);
      }),
  });
  return { object, finish: () => finish(), called: () => until(() => isCalled) };
}

const open = () => connect({ address: daemon.address });
/** Signals of this process are for the programs of other tests. */
const start = async (bus: MessageBus, options: Partial<ServeOptions> = {}) =>
  serve(bus, { name: NAME, objects: { [PATH]: waiting('one').object }, handleSignals: false, ...options });

test('objects are exported before the name is requested, several at a path, and an ObjectManager', async () => {
  const bus = await open();
  const order: string[] = [];
  using _watch = client.watchName(NAME, { appeared: () => order.push('name') });
  const objects = { [PATH]: [waiting('one').object, implement(Second, { Two: () => 2 })] as const };
  await using service = await start(bus, {
    objectManager: '/org/example',
    objects: async () => {
      await delay(10);
      order.push(`${bus.stats().ownedNames} names`);
      return objects;
    },
  });
  assert.is(service.state, 'running');
  assert.is(service.bus, bus);
  assert.is(service.name, NAME);
  assert.is(await proxy.call.Who(), 'one');
  assert.is(await client.proxy(Second, NAME, PATH).call.Two(), 2);
  await using view = client.objects(NAME, '/org/example');
  await view.ready;
  assert.equal(
    [...view].map(({ path }) => path),
    [PATH],
  );
  assert.equal(order, ['0 names', 'name']);
});

test('end() answers the calls that have arrived, and then closes the bus', async () => {
  const bus = await open();
  const { object, finish, called } = waiting('one');
  const service = await start(bus, { objects: { [PATH]: object } });
  const answer = proxy.call.Wait();
  await called();
  service.end();
  assert.is(service.state, 'ending');
  await until(() => bus.stats().ownedNames === 0);
  // The bus is open until then: the handler may subscribe and call.
  assert.is(bus.state, 'open');
  assert.not(await client.hasName(NAME));
  finish();
  assert.is(await answer, 'one');
  assert.equal(await service.ended, { reason: 'ended', exitCode: 0 });
  assert.is(service.state, 'ended');
  assert.is(bus.state, 'closed');
});

test('calls that the bus routed to it before the release are answered', async () => {
  const bus = await open();
  const service = await start(bus);
  await using other = await open();
  const call = { destination: NAME, path: PATH, interface: NAME, member: 'Who' };
  const calls = Array.from({ length: 500 }, () => other.call(call));
  // When the bus answers this, it has routed all of them, and the service has answered few.
  await other.listNames();
  service.end();
  const outcomes = await Promise.allSettled(calls);
  await service.ended;
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 500);
});

test('aborting its signal ends it, and disposing of it waits for the end', async () => {
  const abort = new AbortController();
  const service = await start(await open(), { signal: abort.signal });
  abort.abort(new Error('enough'));
  assert.equal(await service.ended, { reason: 'aborted', exitCode: 0 });

  const another = await open();
  {
    await using _service = await start(another);
  }
  assert.is(another.state, 'closed');

  const late = await start(await open(), { signal: abort.signal });
  assert.is(late.state, 'ended', 'it started and ended');
  assert.is((await late.ended).reason, 'aborted');
});

test('a program that closes the bus or releases the name ends the service', async () => {
  const closing = await start(await open());
  await closing.bus.close();
  assert.is((await closing.ended).reason, 'ended');
  const releasing = await start(await open());
  await releasing.bus.releaseName(NAME);
  assert.is((await releasing.ended).reason, 'ended');
  assert.is(releasing.bus.state, 'closed');
});

test('a name that is taken rejects, and the bus is as it was', async () => {
  await using first = await start(await open());
  await using bus = await open();
  assert.instance(await rejection(start(bus)), NameTakenError);
  assert.is(bus.state, 'open');
  assert.is(bus.stats().exportedObjects, 0);
  // A program that is one instance only calls the other one.
  assert.is(await bus.proxy(Served, NAME, PATH).call.Who(), 'one');
  assert.is(first.state, 'running');
});

test('a start that fails leaves nothing: a policy, an object, a function of objects', async () => {
  await using strict = await PrivateBus.start({ daemon: 'dbus-daemon', type: 'system' });
  await using bus = await connect({ address: strict.address });
  if (bus.peerCredentials !== undefined) assert.instance(await rejection(start(bus)), AccessDeniedError);
  const object = waiting('one').object;
  assert.instance(await rejection(start(bus, { objects: { [PATH]: object, odd: object } })), InvalidArgumentError);
  assert.instance(await rejection(start(bus, { objects: (() => undefined) as never })), InvalidArgumentError);
  const failure = new Error('no device');
  assert.is(await rejection(start(bus, { objects: () => Promise.reject(failure) })), failure);
  assert.is(bus.stats().exportedObjects, 0);
  assert.is(bus.state, 'open');
  assert.instance(await rejection(serve({} as MessageBus, { objects: {} })), InvalidArgumentError);
  const given: Service[] = [];
  const objects = (service: Service) => {
    given.push(service);
    throw failure;
  };
  assert.is(await rejection(start(bus, { objects })), failure);
  assert.equal([given[0]?.state, await given[0]?.ended], ['ended', { reason: 'ended', exitCode: 0 }]);
  await given[0]?.[Symbol.asyncDispose]();
});

test('a start whose bus ends is over, although its objects are never made', async () => {
  for (const drain of [60_000, 0]) {
    const bus = await open();
    const failed = rejection(start(bus, { drain, objects: () => new Promise(() => {}) }));
    await bus.close();
    assert.instance(await failed, ConnectionClosedError);
  }
  await using own = await PrivateBus.start();
  const failed = rejection(
    start(await connect({ address: own.address }), { objects: () => own.kill().then(() => new Promise(() => {})) }),
  );
  assert.match(String(await failed), `the connection is closed: ${NAME} was not started: `);
});

test('with queue it runs when it owns the name; its end leaves the queue', async () => {
  const first = await start(await open());
  const queued = start(await open(), { queue: true, objects: { [PATH]: waiting('two').object } });
  const abort = new AbortController();
  const given = start(await open(), { queue: true, signal: abort.signal });
  assert.is(await Promise.race([queued, given, delay(50, 'neither')]), 'neither');
  abort.abort();
  assert.is((await given).state, 'ended');
  first.end();
  await using second = await queued;
  assert.is(second.state, 'running');
  assert.is(await proxy.call.Who(), 'two');
});

test('a replaced service ends with its reason; one that queues stays', async () => {
  const first = await start(await open(), { allowReplacement: true });
  const second = await start(await open(), { replace: true, allowReplacement: true, queue: true });
  assert.equal(await first.ended, { reason: 'replaced', exitCode: 0 });
  const third = await start(await open(), { replace: true, objects: { [PATH]: waiting('three').object } });
  assert.is(await proxy.call.Who(), 'three');
  assert.is(second.state, 'running');
  third.end();
  await third.ended;
  assert.is(await proxy.call.Who(), 'one');
  second.end();
  await second.ended;
});

test('it ends when it was idle for the time, and not while a call, a hold or the queue keeps it', async () => {
  const { object, finish, called } = waiting('one');
  const service = await start(await open(), { exitWhenIdle: 800, objects: { [PATH]: object } });
  // Calls that are answered at once.
  for (let i = 0; i < 20; i++) {
    await proxy.call.Who();
    await delay(80);
  }
  assert.is(service.state, 'running');
  const answer = proxy.call.Wait();
  await called();
  await delay(1200);
  assert.is(service.state, 'running', 'a call is being answered');
  const held = service.hold();
  const another = service.hold();
  finish();
  await answer;
  held.end();
  held.end();
  await delay(1200);
  assert.is(service.state, 'running', 'it is held');
  const before = performance.now();
  another.end();
  assert.equal(await service.ended, { reason: 'idle', exitCode: 0 });
  assert.ok(performance.now() - before >= 600, 'it waited for the time');
  assert.is(service.bus.state, 'closed');

  const first = await start(await open());
  const queued = await start(await open(), { replace: true, exitWhenIdle: 10 }).catch((error: Error) => error);
  assert.instance(queued, NameTakenError);
  const waitsLong = start(await open(), { queue: true, exitWhenIdle: 10 });
  assert.is(await Promise.race([waitsLong, delay(60, 'queued')]), 'queued');
  first.end();
  assert.is((await (await waitsLong).ended).reason, 'idle');
});

test('it is not idle while a handler tracks a caller', async () => {
  const other = await open();
  const object = implement(Served, {
    Who: (context) => {
      context.caller.track(() => {});
      return '';
    },
    Wait: async () => '',
  });
  const service = await start(await open(), { exitWhenIdle: 100, objects: { [PATH]: object } });
  await other.proxy(Served, NAME, PATH).call.Who();
  await delay(400);
  assert.is(service.state, 'running');
  await other.close();
  assert.is((await service.ended).reason, 'idle');
});

test('a call that was routed before an idle service released its name is answered; if it holds the service, that stays', async () => {
  await using own = await PrivateBus.start({ daemon: 'dbus-daemon' });
  const bus = await connect({ address: own.address });
  await using caller = await connect({ address: own.address });
  const holds: Disposable[] = [];
  const service = await serve(bus, {
    name: NAME,
    handleSignals: false,
    exitWhenIdle: 100,
    objects: (serving) => ({
      [PATH]: implement(Served, {
        Who: () => {
          holds.push(serving.hold());
          return serving.state;
        },
        Wait: async () => '',
      }),
    }),
  });
  // The stopped bus reads the call first, and the release, which is sent when the service is idle, second.
  await own.kill('SIGSTOP');
  const answer = caller.proxy(Served, NAME, PATH).call.Who();
  await caller.flush();
  await until(() => service.state === 'ending');
  await own.kill('SIGCONT');
  assert.is(await answer, 'ending');
  await until(() => service.state === 'running');
  assert.is(await caller.nameOwner(NAME), bus.uniqueName);
  await delay(200);
  assert.is(service.state, 'running');
  for (const hold of holds) hold[Symbol.dispose]();
  assert.is((await service.ended).reason, 'idle');
});

test('the end of the bus ends it, unless the bus reconnects', async () => {
  const own = await PrivateBus.start();
  const lost = await serve(await connect({ address: own.address }), {
    name: NAME,
    handleSignals: false,
    objects: {},
  });
  const bus = await connect({ address: own.address, reconnect: { minDelay: 5, maxDelay: 50 } });
  const stays = await serve(bus, {
    name: `${NAME}.Again`,
    handleSignals: false,
    exitWhenIdle: 200,
    objects: { [PATH]: waiting('again').object },
  });
  const { exitCode: before } = process;
  await own.kill();
  const { reason, exitCode, error } = await lost.ended;
  assert.equal([reason, exitCode], ['disconnected', 1]);
  assert.instance(error, ConnectionClosedError);
  assert.is(process.exitCode, before ?? 1);
  process.exitCode = before;
  await delay(400);
  assert.is(stays.state, 'running', 'a service without a bus is not idle');
  await own.restart();
  await using again = await connect({ address: own.address });
  await again.waitForName(`${NAME}.Again`);
  assert.is(await again.proxy(Served, `${NAME}.Again`, PATH).call.Who(), 'again');
  stays.end();
  await stays.ended;
  await own.stop();
});

test('a name that another connection took while the bus was away ends it with code 1', async () => {
  await using own = await PrivateBus.start();
  // The service connects by a link, without which it stays away.
  const folder = mkdtempSync(join(tmpdir(), 'busbar-serving-'));
  const link = join(folder, 'socket');
  const makeLink = () => symlinkSync(own.address.slice('unix:path='.length), link);
  makeLink();
  const bus = await connect({ address: `unix:path=${link}`, reconnect: { minDelay: 5, maxDelay: 50 } });
  const service = await serve(bus, { name: NAME, handleSignals: false, objects: {} });
  const { exitCode: before } = process;
  rmSync(link);
  await own.restart();
  await using taker = await connect({ address: own.address });
  taker.addMessageHandler(() => {});
  await taker.requestName(NAME);
  assert.is(service.state, 'running');
  makeLink();
  assert.equal(await service.ended, { reason: 'replaced', exitCode: 1 });
  process.exitCode = before;
  rmSync(folder, { recursive: true });
});

test('a name that the bus of a new connection refuses ends it with code 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-serving-'));
  const file = join(folder, 'policy.conf');
  const write = (rule: string) => writeFileSync(file, policyFile(`<policy context="default">${rule}</policy>`));
  write(`<allow own="${NAME}"/>`);
  const own = await PrivateBus.start({ daemon: 'dbus-daemon', type: 'system', policy: file });
  const bus = await connect({ address: own.address, reconnect: { minDelay: 5 } });
  const service = await serve(bus, { name: NAME, handleSignals: false, objects: {} });
  await own.kill();
  write(`<deny own="${NAME}"/>`);
  const { exitCode: before } = process;
  await own.restart();
  const { reason, exitCode, error } = await service.ended;
  assert.equal([reason, exitCode], ['refused', 1]);
  assert.instance(error, AccessDeniedError);
  process.exitCode = before;
  await own.stop();
  rmSync(folder, { recursive: true });
});

test('calls that are not answered in time do not delay the end, and are reported', async () => {
  const { object, called } = waiting('never');
  const service = await start(await open(), { objects: { [PATH]: object }, drain: 50 });
  const answer = rejection(proxy.call.Wait());
  await called();
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  service.end();
  await service.ended;
  assert.match((await warned).message, `${NAME} ends before a call is answered`);
  await answer;
});

test('between peers it has no name', async () => {
  const [left, right] = await pair();
  const service = await serve(right, {
    handleSignals: false,
    exitWhenIdle: 30,
    objects: { [PATH]: waiting('peer').object },
  });
  assert.is(await left.proxy(Served, PATH).call.Who(), 'peer');
  assert.is((await service.ended).reason, 'idle');
  await left.close();
});

test.run();
