// The limit of received descriptors: those that handlers have and that wait for a loop count as the sender's.
import { subscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type FileDescriptor,
  implement,
  LimitsExceededError,
  type MessageBus,
  Variant,
} from '../../src/index.js';
import { Loans, NAME, PATH, pair, source } from '../helpers/descriptor-loans.js';
import { assertFdsLeft, assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('limits of descriptors');

// A listener keeps the intended failures of these tests from being printed.
subscribe('busbar:problem', () => {});

test('descriptors that wait for a loop count as the sender’s, so a sender cannot use up descriptors', async () => {
  await using both = await pair({ descriptors: 3 });
  const before = openFds();
  const watch = both.proxy.watch.Here();
  const emit = async (count: number) => {
    for (let i = 0; i < count; i++) both.emit();
    await both.ping();
  };
  const take = async () => ((await watch.next()).value as [FileDescriptor])[0].close();
  await emit(8);
  await assertFdsLeft(before, 3);
  assert.equal([watch.dropped, both.client.stats().droppedSignals], [0, 5]);
  await take();
  await emit(8);
  await assertFdsLeft(before, 3);
  assert.is(both.client.stats().droppedSignals, 12);
  for (let i = 0; i < 3; i++) await take();
  // A loop that already waits gets it at once.
  for (let i = 0; i < 8; i++) {
    const next = take();
    await emit(1);
    await next;
  }
  await assertNoFdsLeft(before);
  await emit(3);
  await watch.return?.();
  await assertNoFdsLeft(before);
  // Descriptors of signals that were dropped for newer ones do not count any more.
  using short = both.proxy.watch.Here({ limit: 1 });
  await emit(10);
  assert.equal([short.dropped, both.client.stats().droppedSignals], [9, 12]);
  await assertFdsLeft(before, 1);
});

test('a refused message does not wait for a promise before its descriptors are closed', async () => {
  await using both = await pair({ descriptors: 1 });
  const before = openFds();
  both.client.addMessageHandler((message) => new Promise<void>(() => message) as unknown as boolean);
  both.accepted.emit({ path: PATH, interface: NAME, member: 'Here', signature: 'ah', body: [[source, source]] });
  await both.accepted.flush();
  await both.ping();
  await assertNoFdsLeft(before);
});

test('a message that exceeds the descriptor limit is refused alone', async () => {
  await using both = await pair({ descriptors: 3 });
  const before = openFds();
  const ends: (() => void)[] = [];
  both.handling.handle = () => new Promise<void>((resolve) => ends.push(resolve));
  const calls = [both.proxy.call.Later(source), both.proxy.call.Later(source), both.proxy.call.Later(source)];
  await both.ping();
  await assertFdsLeft(before, 3);
  const refused = await rejection(both.proxy.call.Later(source));
  assert.instance(refused, LimitsExceededError);
  assert.match((refused as Error).message, 'limits.descriptors is 3');
  await assertFdsLeft(before, 3);
  assert.is(ends.length, 3, 'no handler ran');
  for (const end of ends) end();
  await Promise.all(calls);
  await assertNoFdsLeft(before);
  both.handling.handle = () => {};
  await both.proxy.call.Give(source);

  // Signals, and replies with more descriptors than allowed.
  const heard: unknown[] = [];
  const listener = both.client.subscribe({ member: 'Many' }, (message) => void heard.push(message));
  const many = { path: PATH, interface: NAME, member: 'Many', signature: 'ah' };
  both.accepted.emit({ ...many, body: [[source, source, source, source]] });
  both.accepted.emit({ ...many, body: [[source, source, source]] });
  await both.ping();
  assert.is(heard.length, 1);
  assert.is(both.client.stats().droppedSignals, 1);
  listener.end();
  both.accepted.addMessageHandler(({ path, serial: replySerial }) => {
    if (path !== '/many') return false;
    both.accepted.send({ type: 2, replySerial, signature: 'ah', body: [[source, source, source, source]] });
    return true;
  });
  const reply = await rejection(both.client.call({ path: '/many', interface: NAME, member: 'Many' }));
  assert.instance(reply, LimitsExceededError);
  await assertNoFdsLeft(before);
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `a sender at its limit does not affect other senders, on ${daemon}`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      const service = await connect({ address: bus.address, limits: { descriptors: 2 } });
      const greedy = await connect({ address: bus.address });
      const honest = await connect({ address: bus.address });
      const before = openFds();
      const ends: (() => void)[] = [];
      service.export(
        PATH,
        implement(Loans, {
          Give: () => {},
          GiveAny: () => {},
          GiveKeys: () => {},
          Later: () => new Promise<void>((resolve) => ends.push(resolve)),
          Echo: (file) => file,
          Log: source as unknown as FileDescriptor,
          Any: new Variant('s', ''),
        }),
      );
      const of = (client: MessageBus) => client.proxy(Loans, service.uniqueName as string, PATH).call;
      const calls = [of(greedy).Later(source), of(greedy).Later(source)];
      assert.instance(await rejection(of(greedy).Later(source)), LimitsExceededError);
      await of(honest).Give(source);
      const back = await of(honest).Echo(source);
      back.close();
      await assertFdsLeft(before, 2);
      for (const end of ends) end();
      await Promise.all(calls);
      await assertNoFdsLeft(before);
      await of(greedy).Give(source);
      await Promise.all([service.close(), greedy.close(), honest.close()]);
    },
  );
}

test.run();
