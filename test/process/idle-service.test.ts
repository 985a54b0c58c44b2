// time limit: 150 s
// An activatable service that closes whenever it is idle, with a client that calls again and again: no call is lost. The
// pauses come from a seed; `BUSBAR_SEED` replays them. It calls for a minute, and for less on the other transport;
// `BUSBAR_TEST_SECONDS` sets another duration. Only with dbus-daemon: the launcher of dbus-broker in these tests does not
// start services.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { serviceFolderOf } from '../helpers/activatable.js';
import { libraryEntry } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { seed } from '../helpers/replay.js';

const SECONDS = Number(process.env.BUSBAR_TEST_SECONDS ?? (transportKind() === 'socket' ? 60 : 8));
const NAME = 'org.example.Idle';

const test = suite('idle service');

/** Answers at once, or after a while; closes after a moment without calls. */
const program = `
  import { setTimeout as delay } from 'node:timers/promises';
  import { ConnectionClosedError, connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
  const bus = await connect({ bus: 'starter' });
  const Idle = defineInterface('${NAME}', { methods: { Add: { in: 'uu', out: 'uu' } } });
  let idle = setTimeout(() => {}, 0);
  const rest = () => {
    clearTimeout(idle);
    idle = setTimeout(() => bus.stats().callsInProgress === 0 ? void bus.close({ drain: 20_000 }) : rest(), 5);
  };
  bus.export('/', implement(Idle, {
    async Add(value, milliseconds) {
      rest();
      if (milliseconds > 0) await delay(milliseconds);
      rest();
      return [value, process.pid];
    },
  }));
  try {
    await bus.requestName('${NAME}');
  } catch (error) {
    // A call is delivered before the answer to the request. On a slow machine the service is idle again by then.
    if (!(error instanceof ConnectionClosedError)) throw error;
  }
  rest();
`;
const { folder, remove } = serviceFolderOf(NAME, program);
test.after(remove);

test('no call is lost to a service that closes when it is idle', async () => {
  await using daemon = await PrivateBus.start({ serviceFolder: folder });
  await using bus = await connect({ address: daemon.address });
  // Mostly around the time after which the service closes.
  const pause = fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 4, max: 8 }),
    fc.integer({ min: 9, max: 40 }),
  );
  const steps = fc.sample(fc.tuple(pause, fc.constantFrom(0, 0, 0, 1, 5), fc.integer({ min: 1, max: 4 })), {
    seed,
    numRuns: 4096,
  });
  const end = performance.now() + SECONDS * 1000;
  const services = new Set<unknown>();
  const calls: Promise<void>[] = [];
  for (let step = 0; performance.now() < end; step++) {
    const [milliseconds, work, burst] = steps[step % steps.length] as [number, number, number];
    for (let i = 0; i < burst; i++) {
      const call = { destination: NAME, path: '/', interface: NAME, member: 'Add', signature: 'uu' };
      const answer = bus.call({ ...call, body: [step, work], timeout: 100_000 });
      calls.push(
        answer.then(
          ([value, pid]) => {
            services.add(pid);
            assert.is(value, step);
          },
          (error: Error) => {
            throw new Error(`seed ${seed}, step ${step}: ${error.message}`);
          },
        ),
      );
    }
    // The first start is awaited: otherwise all calls would wait for one start.
    await calls.at(-1);
    await delay(milliseconds);
  }
  await Promise.all(calls);
  assert.ok(services.size > 1, `${services.size} services answered ${calls.length} calls`);
});

test.run();
