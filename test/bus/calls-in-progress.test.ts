// The limit of calls in progress of one caller: one more call is refused before its body is decoded. The count agrees with
// a small model, however calls and callers end.
import { setImmediate as nextRound } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  type DBusError,
  defineInterface,
  implement,
  LimitsExceededError,
  listen,
  type MessageBus,
} from '../../src/index.js';
import { folder, PATH, peers } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('calls in progress');
const NAME = 'org.example.Progress';
const LIMIT = 4;

const Progress = defineInterface(NAME, {
  methods: { Wait: { in: 'ub', out: 's' }, Now: { out: 's' } },
  properties: { Slow: { type: 's', access: 'read' } },
});

/** A handler that is running. */
interface Work {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/** An object whose handlers wait until the test ends them, by the number that the call carries. */
function waitingObject() {
  const works = new Map<number, Work>();
  const object = implement(Progress, {
    Wait: (number: number, follows: boolean, context: CallContext) => {
      // Reading the signal makes the service watch for the caller's disconnection.
      if (follows) void context.signal;
      return new Promise<string>((resolve, reject) => works.set(number, { resolve, reject }));
    },
    Now: () => 'now',
    Slow: { get: () => new Promise<string>((resolve, reject) => works.set(0, { resolve, reject })) },
  });
  return { works, object };
}

type Step =
  | { readonly do: 'call'; readonly caller: number; readonly follows: boolean }
  | { readonly do: 'settle' | 'fail'; readonly which: number }
  | { readonly do: 'leave'; readonly caller: number };

const CALLERS = 3;
const caller = fc.nat(CALLERS - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), caller, follows: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'fail' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), caller }) },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

/** A call that the model counts, or whose handler still runs although its caller has left. */
interface Modelled {
  readonly number: number;
  readonly caller: MessageBus;
  readonly follows: boolean;
  readonly outcome: Promise<unknown>;
}

/** What the model needs from both kinds of connections: new callers, and the counts of the service. */
interface Site {
  newCaller(): Promise<{ readonly bus: MessageBus; readonly destination: string | undefined }>;
  /** Counts over all connections of the service. */
  count(): number;
  /** Whether the service forgets the calls of a disconnected caller before their handlers end. */
  readonly endsAll: boolean;
}

async function follow(site: Site, works: Map<number, Work>, script: readonly Step[]): Promise<void> {
  const callers = await Promise.all(Array.from({ length: CALLERS }, () => site.newCaller()));
  let running: Modelled[] = [];
  /** Calls that still count although their caller has left. */
  let orphans: Modelled[] = [];
  let made = 0;
  const check = () => until(() => site.count() === running.length + orphans.length);
  for (const step of script) {
    if (step.do === 'call') {
      const { bus, destination } = callers[step.caller] as (typeof callers)[number];
      const number = ++made;
      const message = { path: PATH, interface: NAME, member: 'Wait', signature: 'ub', destination };
      const outcome = bus.call({ ...message, body: [number, step.follows] }).catch((error: unknown) => error);
      if (running.filter((call) => call.caller === bus).length === LIMIT) {
        assert.instance(await outcome, LimitsExceededError);
        assert.is(works.has(number), false);
      } else {
        await until(() => works.has(number));
        running.push({ number, caller: bus, follows: step.follows, outcome });
      }
    } else if (step.do === 'leave') {
      const { bus } = callers[step.caller] as (typeof callers)[number];
      await bus.close();
      const left = running.filter((call) => call.caller === bus);
      running = running.filter((call) => call.caller !== bus);
      if (!site.endsAll) orphans.push(...left.filter(({ follows }) => !follows));
      callers[step.caller] = await site.newCaller();
    } else {
      const all = [...running, ...orphans];
      const call = all[step.which % Math.max(1, all.length)];
      if (call === undefined) continue;
      const work = works.get(call.number) as Work;
      if (step.do === 'settle') work.resolve(`done ${call.number}`);
      else work.reject(new LimitsExceededError(`failed ${call.number}`));
      if (running.includes(call)) {
        const outcome = await call.outcome;
        if (step.do === 'settle') assert.equal(outcome, [`done ${call.number}`]);
        else assert.match((outcome as DBusError).message, `failed ${call.number}`);
      }
      running = running.filter((each) => each !== call);
      orphans = orphans.filter((each) => each !== call);
    }
    await check();
    // A caller at its limit gets no answer; all other callers get theirs.
    const idle = callers.find(({ bus }) => running.filter((call) => call.caller === bus).length < LIMIT);
    if (idle === undefined) continue;
    const { bus, destination } = idle;
    assert.equal(await bus.call({ path: PATH, interface: NAME, member: 'Now', destination }), ['now']);
  }
  for (const { number } of [...running, ...orphans]) works.get(number)?.resolve('');
  running = [];
  orphans = [];
  await check();
  await Promise.all(callers.map(({ bus }) => bus.close()));
  assert.is(site.count(), 0);
}

testUnless(
  PrivateBus.missing(),
  test,
  'on a bus, the count agrees with a model, whatever callers and handlers do',
  async () => {
    await using daemon = await PrivateBus.start();
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        await using service = await connect({ address: daemon.address, limits: { callsInProgress: LIMIT } });
        const { works, object } = waitingObject();
        service.export(PATH, object);
        const destination = service.uniqueName;
        const newCaller = async () => ({ bus: await connect({ address: daemon.address }), destination });
        await follow({ newCaller, count: () => service.stats().callsInProgress, endsAll: false }, works, script);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  },
);

test('between peers, the count agrees with a model, whatever callers and handlers do', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { works, object } = waitingObject();
      const ends: MessageBus[] = [];
      const onConnection = (bus: MessageBus) => {
        bus.export(PATH, object);
        ends.push(bus);
      };
      const limits = { callsInProgress: LIMIT };
      await using server = await listen({ address: `unix:tmpdir=${folder}`, limits, onConnection });
      const newCaller = async () => ({
        bus: await connect({ address: server.address, peer: true }),
        destination: undefined,
      });
      const count = () => ends.reduce((sum, bus) => sum + bus.stats().callsInProgress, 0);
      await follow({ newCaller, count, endsAll: true }, works, script);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

test('a call beyond the limit is refused before its body is decoded, and without an answer if the caller wants none', async () => {
  const { works, object } = waitingObject();
  const accepted: MessageBus[] = [];
  const onConnection = (bus: MessageBus) => {
    bus.export(PATH, object);
    accepted.push(bus);
  };
  await using server = await listen({ address: `unix:tmpdir=${folder}`, limits: { callsInProgress: 1 }, onConnection });
  const caller = await RawPeer.authenticated(server.address);
  const wait = { type: 1, path: PATH, interface: NAME, member: 'Wait' };
  caller.send({ ...wait, serial: 1, signature: 'ub', body: Buffer.from([7, 0, 0, 0, 0, 0, 0, 0]) });
  await until(() => works.has(7));
  // The boolean is missing: within the limit, the body would be refused as invalid.
  const invalid = { ...wait, signature: 'ub', body: Buffer.from([8, 0, 0, 0]) };
  caller.send({ ...invalid, serial: 2, flags: 1 });
  caller.send({ ...invalid, serial: 3 });
  const refusal = await caller.until(({ replySerial }) => replySerial === 3);
  assert.is(refusal.errorName, 'org.freedesktop.DBus.Error.LimitsExceeded');
  assert.not(caller.sent.some(({ replySerial }) => replySerial === 2));
  works.get(7)?.resolve('');
  await until(() => accepted[0]?.stats().callsInProgress === 0);
  caller.send({ ...invalid, serial: 4 });
  const answer = await caller.until(({ replySerial }) => replySerial === 4);
  assert.is(answer.errorName, 'org.freedesktop.DBus.Error.InvalidArgs');
  caller.hangUp();
});

test('reading a slow property counts, and so does GetAll', async () => {
  const { works, object } = waitingObject();
  await using both = await peers({ limits: { callsInProgress: 1 } });
  both.accepted.export(PATH, object);
  const get = (member: string, signature: string, body: string[]) =>
    both.client.call({ path: PATH, interface: 'org.freedesktop.DBus.Properties', member, signature, body });
  for (const [member, signature, body] of [
    ['Get', 'ss', [NAME, 'Slow']],
    ['GetAll', 's', [NAME]],
  ] as const) {
    const first = get(member, signature, [...body]);
    await until(() => both.accepted.stats().callsInProgress === 1);
    const refused = await get(member, signature, [...body]).catch((error: unknown) => error);
    assert.instance(refused, LimitsExceededError);
    works.get(0)?.resolve('slow');
    // The property is read again because another one was slow as well.
    await nextRound();
    works.get(0)?.resolve('slow');
    await first;
    await until(() => both.accepted.stats().callsInProgress === 0);
  }
});

test.run();
