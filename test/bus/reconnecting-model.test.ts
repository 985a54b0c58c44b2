// time limit: 300 s
// A bus that is killed at random moments while a service, a rival for a name and a client use it, and a connection between
// peers that is cut: each time everything that was declared works again, every call has settled once, and none was executed
// twice. On both daemons.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { PeerWorld } from '../helpers/reconnect-peer-world.js';
import { World } from '../helpers/reconnect-world.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('reconnecting model');

/** `BUSBAR_RUNS` sets the number of kills. */
const KILLS = Number(process.env.BUSBAR_RUNS ?? 50);

const number = fc.nat(20);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), how: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('emit' as const), how: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('assign' as const), how: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('answer' as const), how: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('listen' as const), how: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unlisten' as const), how: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('toggleExport' as const), how: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('toggleName' as const), how: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('burst' as const), how: number }) },
  // A turn of the event loop, in which messages are sent and arrive.
  { weight: 4, arbitrary: fc.record({ do: fc.constant('rest' as const), how: fc.nat(3) }) },
);
type Step = ReturnType<typeof step.generate>['value'];

const round = fc.record({
  /** Before the kill, while the bus is away, and while it comes back. */
  before: fc.array(step, { maxLength: 15 }),
  away: fc.array(step, { maxLength: 10 }),
  after: fc.array(step, { maxLength: 10 }),
  /** Milliseconds until the bus is killed again while it comes back; the next round begins when all is well. */
  again: fc.option(fc.nat(30), { freq: 2 }),
});
const rounds = fc.array(round, { minLength: KILLS, maxLength: KILLS });

/** What the steps act on. */
type Actor = Record<Exclude<Step['do'], 'rest'>, (how: number) => void>;

async function take(world: Actor, steps: readonly Step[]): Promise<void> {
  for (const { do: what, how } of steps) {
    if (what === 'rest') await delay(how);
    else world[what](how);
  }
}

interface Tested extends Actor {
  expectLoss(): void;
  settle(): Promise<void>;
  checkBase(): Promise<void>;
  checkStates(): number;
}

/** A bus, or the connection to a server. */
interface Mortal {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

async function play(world: Tested, bus: Mortal, all: ReturnType<typeof rounds.generate>['value']): Promise<void> {
  for (const { before, away, after, again } of all) {
    await take(world, before);
    world.expectLoss();
    await bus.kill();
    await take(world, away);
    const back = bus.restart();
    await take(world, after);
    await back;
    if (again !== null) {
      await delay(again);
      world.expectLoss();
      await bus.kill();
      await take(world, away);
      await bus.restart();
    }
    await world.settle();
  }
  await world.checkBase();
  assert.ok(world.checkStates() >= all.length);
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `everything works again after each kill of ${daemon}`, async () => {
    const property = fc.asyncProperty(rounds, async (all) => {
      const bus = await PrivateBus.start({ daemon });
      await using world = await World.start(bus);
      await play(world, bus, all);
    });
    await fc.assert(property, { ...replayable(1), numRuns: 1 });
  });
}

test('between peers, everything works again after each cut of the connection', async () => {
  const property = fc.asyncProperty(rounds, async (all) => {
    await using world = await PeerWorld.start();
    await play(world, world, all);
  });
  await fc.assert(property, { ...replayable(1), numRuns: 1 });
});

test.run();
