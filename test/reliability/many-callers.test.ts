// time limit: 300 s
// Ten thousand clients that take a lease and are killed: all leases end, all counts return, the memory stays the same, and
// a bus with the limits of a system bus is never asked for too many match rules.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { rulesAtBus } from '../helpers/rules-at-bus.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('ten thousand callers');
const Leases = defineInterface('org.example.Leases', { methods: { Take: { in: 'u' }, GiveBack: { in: 'u' } } });

const CLIENTS = 10_000;
/** How many of them are there at the same time, in one process. */
const WAVE = 1000;

/** Connects many clients, each of which takes a lease and another one that it gives back, and waits to be killed. */
const PROGRAM = `
  import { connect } from ${JSON.stringify(libraryEntry)};
  const [address, destination, count] = process.argv.slice(-3);
  const call = (member, id) =>
    ({ destination, path: '/', interface: 'org.example.Leases', member, signature: 'u', body: [id] });
  async function take(index) {
    const bus = await connect({ address });
    void bus.disconnected;
    bus.ref();
    await bus.call(call('Take', 2 * index));
    await bus.call(call('Take', 2 * index + 1));
    await bus.call(call('GiveBack', 2 * index + 1));
  }
  for (let first = 0; first < count; first += 25)
    await Promise.all(Array.from({ length: 25 }, (_, index) => take(first + index)));
  console.log('ready');
`;

function heapUsed(): number {
  for (let times = 0; times < 3; times++) (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `they leave nothing behind: ${daemon}`, async () => {
    const limits = {
      max_match_rules_per_connection: 512,
      max_connections_per_user: 2 * WAVE,
      max_completed_connections: 2 * WAVE,
    };
    await using server = await PrivateBus.start(daemon === 'dbus-daemon' ? { daemon, limits } : { daemon });
    await using bus = await connect({ address: server.address });
    const leases = new Map<string, Disposable>();
    let taken = 0;
    let ended = 0;
    bus.export(
      '/',
      implement(Leases, {
        Take(id, { caller }) {
          taken++;
          const key = `${caller.name} ${id}`;
          leases.set(
            key,
            caller.track(() => {
              leases.delete(key);
              ended++;
            }),
          );
        },
        GiveBack(id, { caller }) {
          const key = `${caller.name} ${id}`;
          leases.get(key)?.[Symbol.dispose]();
          leases.delete(key);
        },
      }),
    );
    await bus.listNames();
    const before = bus.stats();
    const base = daemon === 'dbus-daemon' ? await rulesAtBus(bus) : 0;
    let early = 0;
    for (let clients = WAVE; clients <= CLIENTS; clients += WAVE) {
      const args = moduleArguments(PROGRAM);
      const wave = Program.start(process.execPath, [...args, server.address, bus.uniqueName as string, `${WAVE}`]);
      await wave.line('ready');
      assert.is(leases.size, WAVE);
      assert.is(bus.stats().followedCallers, WAVE);
      if (daemon === 'dbus-daemon') assert.is((await rulesAtBus(bus)) - base, 65);
      wave.kill();
      await wave.finished;
      await until(() => leases.size === 0);
      assert.is(bus.stats().followedCallers, 0);
      if (clients === 2 * WAVE) early = heapUsed();
    }
    const grown = heapUsed() - early;
    assert.equal([taken, ended], [2 * CLIENTS, CLIENTS]);
    await bus.listNames();
    const { matchRules, subscriptions, calledNames, pendingCalls, callsInProgress, followedCallers } = bus.stats();
    assert.equal(
      { matchRules, subscriptions, calledNames, pendingCalls, callsInProgress, followedCallers },
      {
        matchRules: before.matchRules,
        subscriptions: before.subscriptions,
        calledNames: before.calledNames,
        pendingCalls: 0,
        callsInProgress: 0,
        followedCallers: 0,
      },
    );
    if (daemon === 'dbus-daemon') assert.is(await rulesAtBus(bus), base);
    // 8000 clients came and went in between.
    assert.ok(grown < 1_000_000, `the heap has grown by ${grown} bytes`);
  });
}

test.run();
