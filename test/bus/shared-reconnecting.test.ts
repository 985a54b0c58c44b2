// Shared buses that reconnect: which calls share a connection, and what their shares do while it is away.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  sessionBus,
  systemBus,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { QUICK, restoredOf } from '../helpers/reconnecting.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.SharedAgain';
const Shared = defineInterface(NAME, { methods: { Add: { in: 'uu', out: 'u' } } });
const adder = () => implement(Shared, { Add: (a, b) => a + b });

const test = suite('shared buses that reconnect');
const daemon = await PrivateBus.start();
const before = { ...process.env };
Object.assign(process.env, daemon.env);
process.removeAllListeners('warning');
test.after(async () => {
  for (const name of Object.keys(daemon.env)) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await daemon.stop();
});

const closeAll = (buses: readonly MessageBus[]) => Promise.all(buses.map((bus) => bus.close()));

for (const [title, get] of [
  ['sessionBus', sessionBus],
  ['systemBus', systemBus],
] as const) {
  test(`${title}: calls share a connection if they reconnect in the same way`, async () => {
    const alike = [
      [undefined, {}, { reconnect: false }, { reconnect: undefined }],
      [{ reconnect: true }, { reconnect: {} }, { reconnect: { minDelay: 100, maxDelay: 30_000 } }],
      [{ reconnect: QUICK }, { reconnect: { ...QUICK, attempts: Number.POSITIVE_INFINITY } }],
      [{ reconnect: { ...QUICK, attempts: 3 } }],
    ];
    const groups = await Promise.all(alike.map((group) => Promise.all(group.map((options) => get(options)))));
    const names = groups.map((group) => [...new Set(group.map(({ uniqueName }) => uniqueName))]);
    assert.ok(names.every((group) => group.length === 1));
    assert.is(new Set(names.flat()).size, alike.length);
    await closeAll(groups.flat());
  });
}

test('options that are not valid are refused, and nothing is connected', async () => {
  for (const options of [{ reconnect: 5 }, { reconnect: { minDelay: -1 } }, { retry: true }]) {
    assert.instance(await rejection(sessionBus(options as object)), InvalidArgumentError);
  }
});

test('a loss ends the shares without the option, and no others', async () => {
  const [plain, lasting] = [await sessionBus(), await sessionBus({ reconnect: QUICK })];
  const second = await sessionBus({ reconnect: QUICK });
  lasting.export('/adder', adder());
  await lasting.requestName(NAME);
  const restored = Promise.all([restoredOf(lasting), restoredOf(second)]);
  await daemon.kill();
  assert.instance(await plain.disconnected, ConnectionClosedError);
  await until(() => second.state === 'away');
  assert.equal([plain.state, lasting.state], ['closed', 'away']);
  // Without the option there is no bus now.
  assert.instance(await rejection(sessionBus()), ConnectError);

  // With it, a new share waits, as the others do.
  const third = await sessionBus({ reconnect: QUICK });
  assert.is(third.state, 'away');
  const restoredThird = restoredOf(third);
  const answer = third.proxy(Shared, NAME, '/adder').with({ wait: true }).call.Add(1, 2);
  third.subscribe({ interface: NAME }, () => {});
  await daemon.restart();
  const [{ uniqueName }] = await restored;
  assert.is((await restoredThird).uniqueName, uniqueName);
  assert.is(await answer, 3);
  assert.equal(
    [lasting, second, third].map((bus) => [bus.state, bus.uniqueName]),
    Array(3).fill(['open', uniqueName]),
  );
  const fresh = await sessionBus();
  assert.is.not(fresh.uniqueName, uniqueName);
  await closeAll([fresh, lasting, second, third]);
});

test('a share that was made and closed while away leaves the others as they are', async () => {
  const lasting = await sessionBus({ reconnect: QUICK });
  lasting.ref();
  await daemon.kill();
  await until(() => lasting.state === 'away');
  const brief = await sessionBus({ reconnect: QUICK });
  brief.export('/adder', adder());
  const waiting = rejection(brief.listNames());
  await brief.close();
  assert.instance(await waiting, ConnectionClosedError);
  const restored = restoredOf(lasting);
  await daemon.restart();
  await restored;
  assert.ok((await lasting.listNames()).includes(lasting.uniqueName as string));
  assert.is(lasting.stats().exportedObjects, 0);
  await lasting.close();
});

test('the last share ends the attempts, and the next call connects anew', async () => {
  const lasting = await sessionBus({ reconnect: QUICK });
  await daemon.kill();
  await until(() => lasting.state === 'away');
  await lasting.close();
  assert.instance(await rejection(sessionBus({ reconnect: QUICK })), ConnectError);
  await daemon.restart();
  const next = await sessionBus({ reconnect: QUICK });
  assert.is(next.state, 'open');
  await next.close();
});

test('shares that gave up end, and the next call connects anew', async () => {
  const options = { reconnect: { minDelay: 1, maxDelay: 1, attempts: 2 } };
  const [one, two] = [await sessionBus(options), await sessionBus(options)];
  one.ref();
  await daemon.kill();
  assert.instance(await one.disconnected, ConnectionClosedError);
  assert.instance(await two.disconnected, ConnectionClosedError);
  await daemon.restart();
  const next = await sessionBus(options);
  await using other = await connect();
  assert.ok(await other.hasName(next.uniqueName as string));
  await next.close();
});

test.run();
