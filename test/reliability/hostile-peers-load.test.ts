// time limit: 240 s
// Peers that send too much at once, without pause, disappear or die: everything settles, memory is bounded, timers fire.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  type DBusError,
  defineInterface,
  implement,
  ServiceLeftError,
  ServiceUnknownError,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';

const NAME = 'org.example.Busy';
const Busy = defineInterface(NAME, {
  methods: { Add: { in: 'uu', out: 'u' }, Never: {}, Wait: {}, Take: { in: 'ay' } },
  signals: { Tick: { args: ['number:u', 'text:s'] } },
});

/** Milliseconds that timers may wait. sd-bus moves its whole queue for each message that it takes from it. */
const LONGEST_GAP = transportKind() === 'socket' ? 2000 : 10_000;

/** The possible outcomes of a promise, by the name of the error's class. */
async function outcomesOf(promises: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const result of await Promise.allSettled(promises)) {
    const outcome = result.status === 'fulfilled' ? 'fulfilled' : (result.reason as Error).name;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** The processor time of this process, in milliseconds. */
function busyTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * The longest time between two turns of a 10 ms timer, in milliseconds, while `run` runs; and the longest processor time
 * between two turns, which does not depend on other processes.
 */
async function longestGap(run: () => Promise<void>): Promise<{ gap: number; work: number; ticks: number }> {
  let last = performance.now();
  let lastBusy = busyTime();
  let gap = 0;
  let work = 0;
  let ticks = 0;
  const measure = () => {
    const [now, busy] = [performance.now(), busyTime()];
    gap = Math.max(gap, now - last);
    work = Math.max(work, busy - lastBusy);
    [last, lastBusy] = [now, busy];
  };
  const timer = setInterval(() => {
    measure();
    ticks++;
  }, 10);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  measure();
  return { gap, work, ticks };
}

/** Runs a script with `bus` and `Busy` in scope, in a separate process on this bus. */
function peerProcess(daemon: PrivateBus, script: string): Program {
  const preamble = `
    import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
    const Busy = defineInterface('${NAME}', {
      methods: { Wait: {} }, signals: { Tick: { args: ['number:u', 'text:s'] } },
    });
    const bus = await connect();
  `;
  return Program.start(process.execPath, moduleArguments(preamble + script), { env: daemon.env, timeLimit: 60_000 });
}

const test = suite('hostile peers: load');

for (const daemonKind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon: daemonKind });
  if (missing !== undefined) {
    skip(test, daemonKind, missing);
    continue;
  }
  // A session's dbus-daemon allows 50 000 pending calls; the call that asks for progress is one more.
  const limits = daemonKind === 'dbus-daemon' ? { max_replies_per_connection: 110_000 } : {};
  const daemon = await PrivateBus.start({ daemon: daemonKind, limits });
  const client = await connect({ address: daemon.address });
  const service = await connect({ address: daemon.address });
  const callers: { vanished: number; waiting: number } = { vanished: 0, waiting: 0 };
  service.export(
    '/busy',
    implement(Busy, {
      Add: (a, b) => a + b,
      Never: () => new Promise(() => {}),
      Wait: (context) => {
        callers.waiting++;
        return new Promise((resolve) => {
          context.signal.addEventListener('abort', () => {
            callers.vanished++;
            resolve();
          });
        });
      },
      Take: () => {},
    }),
  );
  await service.requestName(NAME);
  const proxy = client.proxy(Busy, NAME, '/busy');

  test.after(async () => {
    await client.close();
    await service.close();
    await daemon.stop();
  });

  const atDaemon = (name: string, run: () => Promise<void>) =>
    test(`${daemonKind}: ${name}`, async () => {
      await run();
      assert.is(await proxy.call.Add(20, 3), 23);
      assert.is(client.stats().pendingCalls, 0);
      assert.is(client.stats().queuedBytes, 0);
    });

  for (const count of [1000, 100_000]) {
    atDaemon(`${count} calls at once are all answered, each with its own reply`, async () => {
      // The time depends on the machine: sd-bus has half a minute of work if other processes are busy.
      const { call } = proxy.with({ timeout: 100_000 * patience });
      const calls = Array.from({ length: count }, (_, number) => call.Add(number, 1));
      // Calls that are made in one turn take that turn to encode and write; answers do not.
      void client.flush();
      const { gap } = await longestGap(async () => {
        const sums = await Promise.all(calls);
        assert.ok(sums.every((sum, number) => sum === number + 1));
      });
      assert.ok(gap < LONGEST_GAP * patience, `a timer waited ${gap} ms`);
    });
  }

  atDaemon('1000 calls without an answer all time out', async () => {
    const outcomes = await outcomesOf(Array.from({ length: 1000 }, () => proxy.with({ timeout: 50 }).call.Never()));
    assert.equal(outcomes, { TimeoutError: 1000 });
  });

  atDaemon('1000 calls to an unknown service all reject', async () => {
    const absent = client.proxy(Busy, 'org.example.Nobody', '/');
    const errors = await Promise.all(Array.from({ length: 1000 }, () => rejection(absent.call.Never())));
    assert.ok(errors.every((error) => error instanceof ServiceUnknownError));
  });

  atDaemon('messages beyond the queue are refused, and accepted ones arrive', async () => {
    const megabyte = new Uint8Array(1_000_000);
    // The time depends on the machine here, too: sd-bus may copy the whole partial message at every read.
    const { call } = proxy.with({ timeout: 100_000 * patience });
    const outcomes = await outcomesOf(Array.from({ length: 300 }, () => call.Take(megabyte)));
    assert.is((outcomes.fulfilled ?? 0) + (outcomes.BackpressureError ?? 0), 300, JSON.stringify(outcomes));
    assert.ok((outcomes.fulfilled ?? 0) >= 60, JSON.stringify(outcomes));
    await client.flush();
    await call.Take(megabyte);
  });

  atDaemon('100 000 signals sent without pause arrive in order, while timers fire and memory is bounded', async () => {
    const count = 100_000;
    let received = 0;
    let inOrder = true;
    let finished!: () => void;
    const done = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const flood = peerProcess(
      daemon,
      `
      const busy = implement(Busy, { Wait() {} });
      bus.export('/flood', busy);
      process.stdin.once('data', async () => {
        for (let number = 0; number < ${count}; number++) {
          busy.emit.Tick(number, 'x'.repeat(100));
          if (number % 1000 === 999) await bus.flush();
        }
        await bus.flush();
        process.exit(0);
      });
      console.log('ready', bus.uniqueName);
      `,
    );
    const sender = (await flood.line('ready')).split(' ')[1] as string;
    const subscription = client.proxy(Busy, sender, '/flood').on.Tick((number, text) => {
      inOrder &&= number === received && text.length === 100;
      received++;
      if (received === count) finished();
    });
    await subscription.ready;
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 50);
    const { gap, work, ticks } = await longestGap(async () => {
      flood.write('go\n');
      const impatience = setTimeout(finished, 30_000 * patience);
      await done;
      clearTimeout(impatience);
    });
    clearInterval(watch);
    subscription.end();
    await flood.stop();
    assert.is(received, count);
    assert.ok(inOrder, 'in order');
    assert.ok(work < 500 * patience, `a timer waited for ${work} ms of work`);
    assert.ok(gap < LONGEST_GAP * patience, `a timer waited ${gap} ms`);
    assert.ok(ticks > 5);
    // A sanitizer keeps freed memory for a while.
    assert.ok(peak - before < 200_000_000 * patience, `memory grew by ${peak - before} bytes`);
  });

  atDaemon('callers that disappear in the middle of a call leave nothing behind', async () => {
    const before = { ...callers };
    const caller = peerProcess(
      daemon,
      `
      const proxy = bus.proxy(Busy, '${NAME}', '/busy');
      for (let i = 0; i < 200; i++) proxy.call.Wait().catch(() => {});
      await bus.flush();
      console.log('waiting');
      `,
    );
    await caller.line('waiting');
    while (callers.waiting < before.waiting + 200) await new Promise((resolve) => setTimeout(resolve, 5));
    caller.kill('SIGKILL');
    await caller.finished;
    const deadline = Date.now() + 5000 * patience;
    while (callers.vanished < before.vanished + 200 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.is(callers.vanished, before.vanished + 200, 'the AbortSignal of every handler fires');
    // The rules that watched the callers are removed.
    await service.listNames();
    assert.is(service.stats().matchRules, 0);
  });

  atDaemon('a service that is killed in the middle of a call rejects its callers', async () => {
    const dying = peerProcess(
      daemon,
      `
      let calls = 0;
      const Wait = () => {
        if (++calls === 100) console.log('called');
        return new Promise(() => {});
      };
      bus.export('/', implement(Busy, { Wait }));
      console.log('ready', bus.uniqueName);
      `,
    );
    const name = (await dying.line('ready')).split(' ')[1] as string;
    const remote = client.proxy(Busy, name, '/');
    const waiting = Array.from({ length: 100 }, () => rejection(remote.call.Wait()));
    await dying.line('called');
    dying.kill('SIGKILL');
    // The daemons answer for the dead: dbus-daemon and dbus-broker with NoReply.
    for (const error of await Promise.all(waiting)) assert.instance(error, ServiceLeftError);
  });

  test(`${daemonKind}: 1000 calls in flight reject when the daemon is killed`, async () => {
    const doomed = await PrivateBus.start({ daemon: daemonKind });
    const bus = await connect({ address: doomed.address });
    bus.export('/busy', implement(Busy, { Add: () => 0, Never: () => new Promise(() => {}), Wait() {}, Take() {} }));
    const own = bus.proxy(Busy, bus.uniqueName as string, '/busy');
    const waiting = Array.from({ length: 1000 }, () => rejection(own.call.Never()));
    await bus.listNames();
    await doomed.kill('SIGKILL');
    const reason = (await bus.disconnected) as DBusError;
    assert.instance(reason, ConnectionClosedError);
    for (const error of await Promise.all(waiting)) {
      assert.instance(error, ConnectionClosedError);
      assert.is(error.cause, reason);
    }
    assert.is(bus.stats().pendingCalls, 0);
    assert.instance(await rejection(own.call.Never()), ConnectionClosedError);
    await doomed.stop();
  });
}

test.run();
