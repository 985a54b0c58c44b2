// { timeout, signal } of the waits of a program: for flushing, for one signal, and for the bus's answers about names.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, listen, type MessageBus, TimeoutError, type WaitLimits } from '../../src/index.js';
import { folder } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { StoppedReader } from '../helpers/stopped-reader.js';
import { until } from '../helpers/until.js';

const test = suite('limits of waits');
const NAME = 'org.example.Limits';
const Sender = defineInterface(NAME, { signals: { Said: { args: 'u' } } });
const daemon = await PrivateBus.start();

test.after(() => daemon.stop());

/** Every method that asks the bus about names. */
const questions: Readonly<Record<string, (bus: MessageBus, limits: WaitLimits) => Promise<unknown>>> = {
  listNames: (bus, limits) => bus.listNames(limits),
  listActivatableNames: (bus, limits) => bus.listActivatableNames(limits),
  nameOwner: (bus, limits) => bus.nameOwner('org.freedesktop.DBus', limits),
  hasName: (bus, limits) => bus.hasName(NAME, limits),
  startService: (bus, limits) => bus.startService('org.freedesktop.DBus', limits),
  credentials: (bus, limits) => bus.credentials('org.freedesktop.DBus', limits),
};

for (const [name, ask] of Object.entries(questions)) {
  test(`${name} ends at its limits, and has an answer within them`, async () => {
    await using own = await PrivateBus.start();
    await using bus = await connect({ address: own.address });
    const reason = new Error('no longer wanted');
    await ask(bus, { timeout: Number.POSITIVE_INFINITY, signal: new AbortController().signal });
    assert.is(await rejection(ask(bus, { signal: AbortSignal.abort(reason) })), reason);
    own.kill('SIGSTOP');
    assert.instance(await rejection(ask(bus, { timeout: 1 })), TimeoutError);
    const controller = new AbortController();
    const aborted = ask(bus, { signal: controller.signal });
    controller.abort(reason);
    assert.is(await rejection(aborted), reason);
    assert.is(bus.stats().pendingCalls, 0);
    own.kill('SIGCONT');
    await ask(bus, { timeout: 60_000 });
  });
}

test('once ends at its time limit, and leaves no subscription', async () => {
  await using bus = await connect({ address: daemon.address });
  const proxy = bus.proxy(Sender, bus.uniqueName, '/');
  const error = await rejection(proxy.once.Said({ timeout: 1 }));
  assert.instance(error, TimeoutError);
  assert.is(error.message, `no signal ${NAME}.Said within 1 ms`);
  assert.is(bus.stats().subscriptions, 0);
  const next = proxy.once.Said({ timeout: 60_000 });
  bus.emit({ path: '/', interface: NAME, member: 'Said', signature: 'u', body: [7] });
  assert.equal(await next, [7]);
  assert.is(bus.stats().subscriptions, 0);
});

test('flush ends at its limits; what was sent stays queued and is written', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  await using reader = await StoppedReader.start(server.address, [NAME, 'Said']);
  const { value } = await server[Symbol.asyncIterator]().next();
  const bus = value as MessageBus;
  const COUNT = 400;
  for (let i = 0; i < COUNT; i++) {
    bus.emit({ path: '/', interface: NAME, member: 'Said', signature: 'uay', body: [i, new Uint8Array(100_000)] });
  }
  const reason = new Error('no longer wanted');
  assert.is(await rejection(bus.flush({ signal: AbortSignal.abort(reason) })), reason);
  const late = await rejection(bus.flush({ timeout: 1 }));
  assert.instance(late, TimeoutError);
  assert.is(late.message, 'not everything that was sent was written within 1 ms');
  const controller = new AbortController();
  const aborted = bus.flush({ timeout: 60_000, signal: controller.signal });
  controller.abort(reason);
  assert.is(await rejection(aborted), reason);
  assert.ok(bus.stats().queuedBytes > 0);
  bus.emit({ path: '/', interface: NAME, member: 'End' });
  const flushed = bus.flush({ timeout: Number.POSITIVE_INFINITY, signal: new AbortController().signal });
  const heard = await reader.goOn();
  await flushed;
  assert.is(heard.signals, COUNT);
  assert.ok(heard.inOrder);
});

test('an unawaited flush with limits causes no unhandled rejection', async () => {
  await using bus = await connect({ address: daemon.address });
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', hear);
  void bus.flush({ signal: AbortSignal.abort() });
  let isOver = false;
  void bus.flush({ timeout: 'soon' as never });
  void bus.listNames().then(() => {
    isOver = true;
  });
  await until(() => isOver);
  process.off('unhandledRejection', hear);
  assert.equal(unhandled, []);
});

test.run();
