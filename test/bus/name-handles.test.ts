// Several handles of one name on one connection, of several shares or of one user: the options of each request hold for its
// handle, whatever the other requests say. On both daemons.
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus, NameTakenError, type OwnedName, sessionBus } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('handles of a name');
const name = 'org.example.Handles';

// These tests own names without exporting objects, which causes a warning.
process.removeAllListeners('warning');

interface World {
  /** Two shares of one connection. */
  readonly mine: MessageBus;
  readonly theirs: MessageBus;
  /** Separate connections. */
  readonly second: MessageBus;
  readonly third: MessageBus;
}

const states = (...handles: readonly OwnedName[]) => handles.map(({ state }) => state);

/** Resolves when the connections have received everything that the bus sent them: it answers in order. */
async function nextRound({ mine, second, third }: World): Promise<void> {
  for (const bus of [mine, second, third]) await bus.listNames();
}

const cases: Record<string, (world: World) => Promise<void>> = {
  'a refused request removes no other handle from the queue': async (world) => {
    const { mine, theirs, second } = world;
    const firm = await second.requestName(name);
    const waiting = await mine.requestName(name, { queue: true });
    const { acquired } = waiting;
    for (const share of [theirs, mine]) {
      const error = (await rejection(share.requestName(name))) as NameTakenError;
      assert.instance(error, NameTakenError);
      assert.is(error.owner, second.uniqueName);
    }
    assert.is(waiting.state, 'queued');
    assert.is(inspect(waiting), `OwnedName { ${name}, queued }`);
    await firm.release();
    await acquired;
    assert.is(waiting.state, 'owned');
    assert.is(inspect(waiting), `OwnedName { ${name}, owned }`);
    assert.is(inspect(firm), `OwnedName { ${name}, lost }`);
  },

  'a name can be replaced only while all handles allow it': async (world) => {
    const { mine, theirs, third } = world;
    const strict = await mine.requestName(name);
    const soft = await theirs.requestName(name, { allowReplacement: true });
    assert.instance(await rejection(third.requestName(name, { replace: true })), NameTakenError);
    assert.equal(states(strict, soft), ['owned', 'owned']);
    await strict.release();
    await third.requestName(name, { replace: true });
    assert.is(await soft.lost, 'replaced');
  },

  'after a replacement the handles with `queue` are queued, and the others are lost': async (world) => {
    const { mine, theirs, third } = world;
    const waits = await mine.requestName(name, { queue: true, allowReplacement: true });
    const leaves = await theirs.requestName(name, { allowReplacement: true });
    const { lost } = waits;
    const taken = await third.requestName(name, { replace: true });
    assert.equal(await Promise.all([lost, leaves.lost]), ['replaced', 'replaced']);
    assert.equal(states(waits, leaves), ['queued', 'lost']);
    await taken.release();
    await waits.acquired;
    assert.equal(states(waits, leaves), ['owned', 'lost']);
  },

  'the options of a released handle do not hold any more': async (world) => {
    const { mine, theirs, third } = world;
    const leaves = await mine.requestName(name, { allowReplacement: true });
    const waited = await theirs.requestName(name, { queue: true, allowReplacement: true });
    await waited.release();
    const taken = await third.requestName(name, { replace: true });
    assert.is(await leaves.lost, 'replaced');
    await taken.release();
    await nextRound(world);
    assert.is(leaves.state, 'lost');
    assert.not(await third.hasName(name));
    assert.is(mine.stats().ownedNames, 0);
  },

  'the options of a refused request do not hold any more': async (world) => {
    const { mine, theirs, second, third } = world;
    const firm = await second.requestName(name);
    const waiting = await mine.requestName(name, { queue: true, allowReplacement: true });
    assert.instance(await rejection(theirs.requestName(name)), NameTakenError);
    await firm.release();
    await waiting.acquired;
    // The refused request did not allow replacement.
    await third.requestName(name, { replace: true });
    await nextRound(world);
    assert.is(waiting.state, 'queued');
  },

  'the options of a share end with its close': async (world) => {
    const { mine, third } = world;
    const soft = await mine.requestName(name, { allowReplacement: true });
    const share = await sessionBus();
    await share.requestName(name, { queue: true });
    await share.close();
    await third.requestName(name, { replace: true });
    await nextRound(world);
    assert.is(soft.state, 'lost');
  },

  'if a handle is released during another request, the name stays with that request': async (world) => {
    const { mine, theirs } = world;
    const first = await mine.requestName(name);
    const requested = theirs.requestName(name);
    await first.release();
    const next = await requested;
    await nextRound(world);
    assert.equal(states(first, next), ['lost', 'owned']);
    assert.is(await mine.nameOwner(name), mine.uniqueName);
  },

  'releasing a name releases all earlier requests of the share, and none of another share': async (world) => {
    const { mine, theirs } = world;
    const own = mine.requestName(name);
    await mine.releaseName(name);
    assert.is(await (await own).lost, 'released');
    const others = theirs.requestName(name);
    assert.instance(await rejection(mine.releaseName(name)), NameTakenError);
    await nextRound(world);
    assert.is((await others).state, 'owned');
  },

  'concurrent requests each get what they asked for': async (world) => {
    const { mine, theirs, second } = world;
    const firm = await second.requestName(name);
    const requests = [
      mine.requestName(name),
      theirs.requestName(name, { queue: true }),
      mine.requestName(name),
      theirs.requestName(name, { queue: true }),
    ] as const;
    assert.equal(
      (await Promise.allSettled(requests)).map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected', 'fulfilled'],
    );
    const [early, late] = await Promise.all([requests[1], requests[3]]);
    await early.release();
    await firm.release();
    await late.acquired;
    await late.release();
    assert.not(await second.hasName(name));
  },

  'a name that another connection takes as soon as it is acquired is lost': async (world) => {
    const { mine, second } = world;
    for (let round = 0; round < 10; round++) {
      const requests = [
        mine.requestName(name, { allowReplacement: true }),
        second.requestName(name, { replace: true, queue: true }),
      ] as const;
      await Promise.all([mine.flush(), second.flush()]);
      // The reply and the loss are read together. The bus decided their order.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      const [soft] = await Promise.allSettled(requests);
      await nextRound(world);
      if (soft.status === 'fulfilled') assert.is(soft.value.state, 'lost');
      for (const request of requests) await request.then((owned) => owned.release()).catch(() => {});
    }
  },
};

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const satisfies readonly Daemon[]) {
  for (const [title, run] of Object.entries(cases)) {
    testUnless(PrivateBus.missing({ daemon }), test, `${title}: ${daemon}`, async () => {
      await using server = await PrivateBus.start({ daemon });
      const before = process.env.DBUS_SESSION_BUS_ADDRESS;
      process.env.DBUS_SESSION_BUS_ADDRESS = server.address;
      const address = server.address;
      const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
      const [second, third] = await Promise.all([connect({ address }), connect({ address })]);
      try {
        await run({ mine, theirs, second, third });
      } finally {
        if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
        else process.env.DBUS_SESSION_BUS_ADDRESS = before;
        await Promise.all([mine, theirs, second, third].map((bus) => bus.close()));
      }
    });
  }
}

test.run();
