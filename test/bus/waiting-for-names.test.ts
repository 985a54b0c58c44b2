// Following the names of a namespace, waiting for a name, and proxies that wait for their service.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  LimitsExceededError,
  type MessageBus,
  NotSupportedError,
  ServiceUnknownError,
  TimeoutError,
} from '../../src/index.js';
import { programArguments } from '../helpers/own-runtime.js';
import { peers } from '../helpers/peers.js';
import { matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { roundTrips } from '../helpers/round-trips.js';
import { until } from '../helpers/until.js';

const test = suite('waiting for names');
const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const other = await connect({ address: daemon.address });
// A connection with a message handler may own names without a warning.
for (const bus of [client, other]) bus.addMessageHandler(() => {});
const SPACE = 'org.example.Player';
const Player = defineInterface('org.example.Player1', {
  methods: { Play: { out: 's' } },
  properties: { Title: { type: 's' } },
});
const player = () => implement(Player, { Play: () => 'playing', Title: 'song' });

/** Waits until what a connection sent before has arrived. */
const settled = (from: MessageBus) => roundTrips(from, client);

test.after(async () => {
  await Promise.all([client.close(), other.close()]);
  await daemon.stop();
});

test('a watcher of a namespace is told of the names that have an owner, and of every change', async () => {
  const there = await other.requestName(`${SPACE}.one`, { allowReplacement: true });
  await using _outside = await other.requestName('org.example.Players');
  const told: unknown[] = [];
  const watch = client.watchNames(SPACE, {
    appeared: (...values) => told.push(['appeared', ...values]),
    vanished: (...values) => told.push(['vanished', ...values]),
    changed: (...values) => told.push(['changed', ...values]),
  });
  await until(() => told.length === 1);
  const itself = await client.requestName(SPACE);
  const taken = await client.requestName(`${SPACE}.one`, { replace: true });
  await taken.release();
  await itself.release();
  await settled(other);
  watch.end();
  await (await other.requestName(`${SPACE}.late`)).release();
  await settled(other);
  await there.release();
  const [mine, its] = [client.uniqueName, other.uniqueName];
  assert.equal(told, [
    ['appeared', `${SPACE}.one`, its],
    ['appeared', SPACE, mine],
    ['changed', `${SPACE}.one`, mine, its],
    ['vanished', `${SPACE}.one`],
    ['vanished', SPACE],
  ]);
});

test('a watcher of a namespace ends with its connection: after a loss all names have vanished', async () => {
  const server = await PrivateBus.start();
  const bus = await connect({ address: server.address });
  const told: unknown[] = [];
  bus.watchNames(SPACE, { vanished: (name) => told.push(name) });
  let isThere = false;
  bus.watchNames('org.example', { appeared: () => (isThere = true) });
  await bus.requestName(`${SPACE}.one`);
  await until(() => isThere);
  const lost = bus.disconnected;
  await server.stop();
  await lost;
  assert.equal(told, [`${SPACE}.one`]);
  assert.instance(
    thrown(() => bus.watchNames(SPACE, {})),
    ConnectionClosedError,
  );
});

test('a refused watch of a namespace is told to the watcher', async () => {
  await using limited = await PrivateBus.start({ limits: matchRuleLimit(1) });
  await using bus = await connect({ address: limited.address });
  await bus.subscribe({ member: 'Some' }, () => {}).ready;
  const reason = await new Promise((resolve) => bus.watchNames(SPACE, { refused: resolve }));
  assert.instance(reason, LimitsExceededError);
});

test('waiting for a name resolves with its owner, at once or later', async () => {
  const { matchRules } = client.stats();
  const later = client.waitForName(`${SPACE}.later`, { timeout: 60_000 });
  const owned = await other.requestName(`${SPACE}.later`);
  assert.is(await later, other.uniqueName);
  assert.is(await client.waitForName(`${SPACE}.later`), other.uniqueName);
  assert.is(await client.waitForName(String(other.uniqueName)), other.uniqueName);
  assert.is(client.stats().matchRules, matchRules);
  await owned.release();
});

test('waiting for a name rejects after its time, an abort, and the end of the connection', async () => {
  assert.instance(await rejection(client.waitForName(SPACE, { timeout: 1 })), TimeoutError);
  const reason = new Error('enough');
  assert.is(await rejection(client.waitForName(SPACE, { signal: AbortSignal.abort(reason) })), reason);
  const abort = new AbortController();
  const aborted = rejection(client.waitForName(SPACE, { signal: abort.signal }));
  abort.abort(reason);
  assert.is(await aborted, reason);
  const bus = await connect({ address: daemon.address });
  const closed = rejection(bus.waitForName(SPACE));
  await bus.close();
  assert.instance(await closed, ConnectionClosedError);
  assert.instance(await rejection(client.waitForName('no name')), InvalidArgumentError);
  assert.instance(await rejection(client.waitForName(SPACE, { begin: true } as object)), InvalidArgumentError);
});

test('with `start`, the bus starts the service', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'busbar-waiting-'));
  const program = [process.execPath, ...programArguments('test/helpers/activated-name.ts')].join(' ');
  await writeFile(join(folder, 'one.service'), `[D-BUS Service]\nName=${SPACE}\nExec=${program} ${SPACE}\n`);
  await using own = await PrivateBus.start({ daemon: 'dbus-daemon', serviceFolder: folder });
  await using bus = await connect({ address: own.address });
  const owner = await bus.waitForName(SPACE, { start: true });
  assert.is(await bus.nameOwner(SPACE), owner);
  const unknown = bus.waitForName('org.example.Unknown', { start: true });
  assert.instance(await rejection(unknown), ServiceUnknownError);
  await rm(folder, { recursive: true });
});

test('a proxy that waits calls when the service is there', async () => {
  using _export = other.export('/player', player());
  const proxy = client.proxy(Player, `${SPACE}.waited`, '/player').with({ wait: true });
  const played = proxy.call.Play();
  const title = proxy.get.Title();
  const late = rejection(proxy.with({ timeout: 1 }).call.Play());
  assert.instance(await late, TimeoutError);
  assert.instance(await rejection(proxy.with({ wait: false }).call.Play()), ServiceUnknownError);
  await using _owned = await other.requestName(`${SPACE}.waited`);
  assert.equal([await played, await title], ['playing', 'song']);
  assert.is(await proxy.call.Play(), 'playing');
  assert.is(await client.proxy(Player, other.uniqueName, '/player').with({ wait: true }).call.Play(), 'playing');
});

test('between peers there are no names to wait for, and proxies call at once', async () => {
  await using ends = await peers();
  using _export = ends.accepted.export('/player', player());
  assert.instance(await rejection(ends.client.waitForName(SPACE)), NotSupportedError);
  assert.instance(
    thrown(() => ends.client.watchNames(SPACE, {})),
    NotSupportedError,
  );
  assert.is(await ends.client.proxy(Player, '/player').with({ wait: true }).call.Play(), 'playing');
});

test('mistakes are refused', () => {
  const refused = (run: () => unknown, text: RegExp) => {
    const error = thrown(run);
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, text);
  };
  refused(() => client.watchNames('no name', {}), /invalid namespace/);
  refused(() => client.watchNames(SPACE, { appear: () => {} } as object), /takes no function "appear".*appeared/);
  refused(() => client.proxy(Player, SPACE, '/').with({ wait: 'yes' } as object), /wait: expected a boolean/);
});

test.run();
