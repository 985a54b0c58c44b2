// A bus that denies access or has reached a limit, and slow readers: refused operations have a reason, accepted messages
// arrive, and the connection continues, or ends with a reason.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  ConnectionClosedError,
  connect,
  defineInterface,
  implement,
  LimitsExceededError,
  listen,
  type MessageBus,
  type Problem,
} from '../../src/index.js';
import { count, Ledger } from '../helpers/ledger.js';
import { patience } from '../helpers/patience.js';
import { folder } from '../helpers/peers.js';
import { type Daemon, matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip, testUnless } from '../helpers/skip.js';
import { StreamProxy } from '../helpers/stream-proxy.js';

const NAME = 'org.example.Faults';
const Faults = defineInterface(NAME, {
  methods: { Echo: { in: 's', out: 's' }, Never: {}, Take: { in: 'ay' } },
  signals: { Tick: { args: ['number:u', 'data:ay'] } },
});

const faults = () =>
  implement(Faults, {
    Echo: (text) => text,
    Never: () => new Promise(() => {}),
    Take: () => {},
  });

const test = suite('faults: limits');
// Waiting for an end that does not happen here keeps no process alive.
const alive = setInterval(() => {}, 1000);
test.after(() => clearInterval(alive));

/** The connection still works. */
async function assertUsable(bus: MessageBus): Promise<void> {
  assert.ok((await bus.listNames()).includes(bus.uniqueName as string));
  assert.is(bus.stats().pendingCalls, 0);
}

const noDaemon = PrivateBus.missing();

testUnless(noDaemon, test, 'a denial by policy is an error of that operation only', async () => {
  const policy = `<policy context="default">
    <deny own="org.example.Denied"/>
    <deny send_destination="org.example.Faults" send_interface="org.example.Faults" send_member="Take"/>
    <deny receive_interface="org.example.Unheard"/>
  </policy>`;
  await using daemon = await PrivateBus.start({ policy });
  await using service = await connect({ address: daemon.address });
  await using client = await connect({ address: daemon.address });
  service.export('/faults', faults());
  await service.requestName(NAME);
  assert.instance(await rejection(service.requestName('org.example.Denied')), AccessDeniedError);
  const remote = client.proxy(Faults, NAME, '/faults');
  assert.instance(await rejection(remote.call.Take(Uint8Array.of(1))), AccessDeniedError);
  const unheard = { destination: NAME, path: '/faults', interface: 'org.example.Unheard', member: 'Say' };
  assert.instance(await rejection(client.call(unheard)), AccessDeniedError);
  assert.is(await remote.call.Echo('text'), 'text');
  await assertUsable(service);
});

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing === undefined) addLimits(kind);
  else skip(test, kind, missing);
}

function addLimits(kind: Daemon): void {
  const isDaemon = kind === 'dbus-daemon';
  const limited = (
    what: string,
    limits: Readonly<Record<string, number>>,
    run: (daemon: PrivateBus) => Promise<void>,
  ) =>
    test(`${kind}: ${what}`, async () => {
      await using daemon = await PrivateBus.start({ daemon: kind, limits });
      await run(daemon);
      count({ limitsMet: 1 });
    });

  const matches = matchRuleLimit(isDaemon ? 8 : 64, kind);
  limited(
    'a match rule beyond the limit rejects its subscription, and the others continue',
    matches,
    async (daemon) => {
      await using bus = await connect({ address: daemon.address });
      const subscriptions = Array.from({ length: 100 }, (_, i) =>
        bus.subscribe({ interface: NAME, member: `Tick${i}` }, () => {}),
      );
      const results = await Promise.allSettled(subscriptions.map(({ ready }) => ready));
      const refused = results.filter((result) => result.status === 'rejected');
      assert.ok(refused.length > 0 && refused.length < 100, `${refused.length}`);
      for (const { reason } of refused) assert.instance(reason, LimitsExceededError);
      for (const subscription of subscriptions) subscription.end();
      await assertUsable(bus);
      assert.is(bus.stats().matchRules, 0);
      const again = bus.subscribe({ interface: NAME, member: 'Tick' }, () => {});
      await again.ready;
      again.end();
    },
  );

  limited('a name whose owner could not be watched is watched once that is possible', matches, async (daemon) => {
    await using bus = await connect({ address: daemon.address });
    await using first = await connect({ address: daemon.address });
    await using second = await connect({ address: daemon.address });
    for (const service of [first, second]) service.export('/faults', faults());
    const owned = await first.requestName(NAME);
    const remote = bus.proxy(Faults, NAME, '/faults');
    const fill = Array.from({ length: 100 }, (_, i) =>
      bus.subscribe({ interface: NAME, member: `Tick${i}` }, () => {}),
    );
    await Promise.allSettled(fill.map(({ ready }) => ready));
    assert.is(await remote.call.Echo('text'), 'text');
    const loop = remote.watch.Tick();
    assert.instance(await rejection(loop.next()), LimitsExceededError);
    for (const subscription of fill) subscription.end();

    const heard: unknown[] = [];
    const subscription = remote.on.Tick((number) => void heard.push(number));
    await subscription.ready;
    const tick = (from: MessageBus, number: number, destination?: string) =>
      from.emit({
        path: '/faults',
        interface: NAME,
        member: 'Tick',
        signature: 'uay',
        body: [number, []],
        destination,
      });
    tick(first, 1);
    await owned.release();
    await second.requestName(NAME);
    tick(first, 2, bus.uniqueName);
    await first.listNames();
    tick(second, 3);
    await second.listNames();
    await bus.listNames();
    assert.equal(heard, [1, 3]);
    subscription.end();
    await assertUsable(bus);
  });

  const names = isDaemon ? { max_names_per_connection: 4 } : { max_objects: 32 };
  limited('a name beyond the limit is refused', names, async (daemon) => {
    await using bus = await connect({ address: daemon.address });
    bus.export('/faults', faults());
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => bus.requestName(`org.example.Name${i}`)),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    assert.ok(refused.length > 0 && refused.length < 100, `${refused.length}`);
    for (const { reason } of refused) assert.instance(reason, LimitsExceededError);
    assert.is(bus.stats().ownedNames, 100 - refused.length);
    await assertUsable(bus);
  });

  const replies = isDaemon ? { max_replies_per_connection: 10 } : { max_objects: 64 };
  limited('a pending call beyond the limit is refused, and the others wait', replies, async (daemon) => {
    await using bus = await connect({ address: daemon.address });
    await using service = await connect({ address: daemon.address });
    service.export('/faults', faults());
    const ledger = new Ledger();
    const remote = bus.proxy(Faults, service.uniqueName as string, '/faults').with({ timeout: 1000 * patience });
    for (let call = 0; call < 100; call++) ledger.call(remote.call.Never());
    const outcomes = await ledger.outcomes();
    assert.equal(Object.keys(outcomes).sort(), ['LimitsExceededError', 'TimeoutError']);
    assert.is((outcomes.LimitsExceededError ?? 0) + (outcomes.TimeoutError ?? 0), 100);
    await assertUsable(service);
  });
}

testUnless(noDaemon, test, 'a bus at its limit of connections refuses the next one with that reason', async () => {
  await using daemon = await PrivateBus.start({ limits: { max_completed_connections: 3 } });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, () => connect({ address: daemon.address, timeout: 3000 * patience })),
  );
  const connected = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  assert.is(connected.length, 3);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.instance(outcome.reason, LimitsExceededError);
  }
  for (const { value } of connected) {
    await assertUsable(value);
    await value.close();
  }
});

testUnless(noDaemon, test, 'a message that is too large for the bus ends the connection with that reason', async () => {
  await using daemon = await PrivateBus.start({ limits: { max_message_size: 1_000_000 } });
  const bus = await connect({ address: daemon.address });
  const large = { destination: bus.uniqueName, path: '/faults', interface: NAME, member: 'Take' };
  const call = bus.call({ ...large, signature: 'ay', body: [new Uint8Array(2_000_000)] });
  assert.instance(await rejection(call), ConnectionClosedError);
  assert.instance(await bus.disconnected, ConnectionClosedError);
});

testUnless(StreamProxy.missing(), test, 'a slow reader gets everything that was accepted', async () => {
  const ledger = new Ledger();
  const server = await listen({
    address: `unix:tmpdir=${folder}`,
    onConnection: (peer) => void peer.proxy(Faults, '/faults').on.Tick((number) => ledger.arrive(number)),
  });
  await using proxy = await StreamProxy.start(server.address);
  await proxy.sendBuffers(4096);
  await proxy.plan({ up: { read: 16_384, portion: 2000 } });
  const client = await connect({ address: proxy.address, peer: true });
  const data = new Uint8Array(100_000);
  const before = process.memoryUsage().rss;
  let number = 0;
  for (; number < 1500; number++) {
    ledger.emit(number, (tick) =>
      client.emit({ path: '/faults', interface: NAME, member: 'Tick', signature: 'uay', body: [tick, data] }),
    );
  }
  assert.ok(ledger.refused > 500, `${ledger.refused} refused`);
  assert.ok(client.stats().queuedBytes < 70_000_000);
  assert.ok(process.memoryUsage().rss - before < 400_000_000);
  await client.flush();
  assert.is(client.stats().queuedBytes, 0);
  // There is room again: signals are accepted again, in order after the others.
  assert.ok(
    ledger.emit(number, (tick) =>
      client.emit({ path: '/faults', interface: NAME, member: 'Tick', signature: 'uay', body: [tick, data] }),
    ),
  );
  const deadline = Date.now() + 10_000 * patience;
  while (ledger.arrived < ledger.accepted && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
  ledger.assertArrived();
  await client.close();
  await server.close();
});

testUnless(noDaemon, test, 'bytes that a bus has not read in time are lost on closing, and reported', async () => {
  await using daemon = await PrivateBus.start();
  const client = await connect({ address: daemon.address });
  await daemon.kill('SIGSTOP');
  const problems: Problem[] = [];
  const listener = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', listener);
  const head = { path: '/faults', interface: NAME, member: 'Tick', signature: 'uay' };
  // More than the 8 MiB of the kernel that sd-bus asks for.
  client.emit({ ...head, body: [1, new Uint8Array(20_000_000)] });
  await client.close();
  unsubscribe('busbar:problem', listener);
  assert.is(problems.length, 1);
  assert.is(problems[0]?.kind, 'send');
  assert.match(String(problems[0]?.message), /^up to \d+ queued bytes .*were lost/);
});

test.run();
