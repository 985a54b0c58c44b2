// time limit: 300 s
/**
 * Messages whose decoded values take many times their size, sent by clients on real buses to services with 256 MiB of heap:
 * the services stay alive, another client is answered meanwhile, and their memory is bounded.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, DBusError, LimitsExceededError, type MessageBus, Variant } from '../../src/index.js';
import { programArguments } from '../helpers/own-runtime.js';
import { folder } from '../helpers/peers.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { halfArguments, interfaceName, name, path } from '../interop/quickstart-service.js';
import { REACH_PATH, SIGNAL } from './amplification-service.js';

const test = suite('amplification');

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const HEAP = '--max-old-space-size=256';
const MIB = 2 ** 20;

/** The peak of a process's resident memory, in bytes. */
function peak({ pid }: Program): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

interface Served extends AsyncDisposable {
  readonly service: Program;
  readonly attacker: MessageBus;
  readonly honest: MessageBus;
}

async function served(daemon: Daemon, args: readonly string[]): Promise<Served> {
  const bus = await PrivateBus.start({ daemon });
  const service = Program.start(process.execPath, [HEAP, ...args], { env: bus.env, timeLimit: 280_000 });
  await service.line('ready');
  const attacker = await connect({ address: bus.address });
  const honest = await connect({ address: bus.address });
  return {
    service,
    attacker,
    honest,
    async [Symbol.asyncDispose]() {
      await attacker.close();
      await honest.close();
      // If the service has ended, the test has already reported that.
      await service.stop().catch(() => {});
      await bus.stop();
    },
  };
}

/** A valid call, which is answered. */
async function assertAnswers({ honest, service }: Served): Promise<void> {
  const get = { destination: name, path, interface: PROPERTIES, member: 'Get', signature: 'ss', timeout: 60_000 };
  await honest.call({ ...get, body: [interfaceName, 'TestProperty'] });
  assert.ok(service.running);
}

function many(count: number, value: unknown): unknown[] {
  return new Array<unknown>(Math.floor(count)).fill(value);
}

const empty = Buffer.alloc(0);
/** 16 MiB of empty arrays, at four bytes each. */
const empties = new Variant('aay', many(4 * MIB - 4, empty) as Buffer[]);

const ownService = programArguments('test/reliability/amplification-service.ts');

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  for (const [what, args, place] of [
    [
      'the quickstart',
      halfArguments('service'),
      { path, interface: interfaceName, unknown: 'Nope', other: 'TestProperty' },
    ],
    ['a service', ownService, { path: REACH_PATH, interface: 'org.example.Reach', unknown: 'Nope', other: 'Fixed' }],
  ] as const) {
    const title = `${what} refuses 16 MiB of empty arrays for the memory that they need, through ${daemon}`;
    testUnless(PrivateBus.missing({ daemon }), test, title, async () => {
      await using both = await served(daemon, args);
      await assertAnswers(both);
      const before = peak(both.service);
      for (const property of [place.unknown, place.other]) {
        const set = { destination: name, path: place.path, interface: PROPERTIES, member: 'Set', signature: 'ssv' };
        const refused = await both.attacker.call({ ...set, body: [place.interface, property, empties] }).then(
          () => assert.unreachable('it is refused'),
          (error: unknown) => error,
        );
        assert.instance(refused, LimitsExceededError);
        await assertAnswers(both);
      }
      const grown = peak(both.service) - before;
      // The message itself, twice at most: as it is read, and room for the next one.
      assert.ok(grown < 64 * MIB, `${(grown / MIB).toFixed()} MiB more than before`);
    });
  }
}

/** Bodies whose decoded values take much memory: with about this many bytes, by signature. */
const shapes: Readonly<Record<string, (bytes: number) => unknown>> = {
  aay: (bytes) => many(bytes / 4, empty),
  aai: (bytes) => many(bytes / 4, []),
  aas: (bytes) => many(bytes / 4, []),
  aaay: (bytes) => many(bytes / 12, [empty, empty]),
  'a(ay)': (bytes) => many(bytes / 8, [empty]),
  'a(yyyy)': (bytes) => many(bytes / 8, [1, 2, 3, 4]),
  'aa{sv}': (bytes) => many(bytes / 8, {}),
  as: (bytes) => many(bytes / 8, ''),
  ag: (bytes) => many(bytes / 2, ''),
  ao: (bytes) => many(bytes / 8, '/'),
  at: (bytes) => many(bytes / 8, 2n ** 63n),
  ad: (bytes) => many(bytes / 8, 0.5),
  ay: (bytes) => Buffer.alloc(bytes),
  av: (bytes) => many(bytes / 16, nested(4)),
  'a{sv}': (bytes) => Object.fromEntries(many(bytes / 24, 0).map((_, key) => [`k${key}`, new Variant('ay', empty)])),
  'a{ss}': (bytes) => Object.fromEntries(many(bytes / 24, 0).map((_, key) => [`k${key}`, ''])),
  'a{uu}': (bytes) => new Map(many(bytes / 8, 0).map((_, key) => [key * 7, key])),
  'a{xay}': (bytes) => new Map(many(bytes / 16, 0).map((_, key) => [BigInt(key) << 32n, empty])),
  'a{yav}': (bytes) => new Map(many(256, 0).map((_, key) => [key, many(bytes / 256 / 16, nested(3))])),
};

function nested(depth: number): Variant {
  return depth === 0 ? new Variant('ay', empty) : new Variant('v', nested(depth - 1));
}

const powers = (min: number, max: number) => fc.integer({ min, max }).map((power) => 2 ** power);
/** A few are so large that the limit refuses them, and some just below. */
const sizes = fc.oneof(
  { arbitrary: powers(10, 16), weight: 24 },
  { arbitrary: powers(17, 20), weight: 5 },
  { arbitrary: powers(21, 22), weight: 1 },
);
const amplified = fc
  .tuple(fc.constantFrom(...Object.keys(shapes)), sizes, fc.integer({ min: 0, max: 3 }))
  .map(([signature, size, wraps]) => ({ signature, size, wraps }));
const way = fc.constantFrom('argument', 'method', 'set', 'property', 'signal', 'unknown', 'read-only');

/** Sends one message of large amplification, and waits for its answer, whatever it is. */
async function send(attacker: MessageBus, how: string, wanted: { signature: string; size: number; wraps: number }) {
  const { signature, size } = wanted;
  const value = shapes[signature]?.(size);
  let variant = new Variant(signature, value as never) as Variant;
  for (let wrap = 0; wrap < wanted.wraps; wrap++) variant = new Variant('v', variant);
  const reach = { destination: name, path: REACH_PATH, interface: 'org.example.Reach', timeout: 60_000 };
  const set = { ...reach, interface: PROPERTIES, member: 'Set', signature: 'ssv' };
  const keys = many(size / 24, 0).map((_, key) => `k${key}`);
  switch (how) {
    case 'argument':
      return attacker.call({ ...reach, member: 'Take', signature: 'v', body: [variant] });
    case 'method': {
      const devices = Object.fromEntries(keys.map((key, index) => [key, index % 2 === 0 ? [] : ['']]));
      const call = { ...reach, path, interface: interfaceName, member: 'TestMethod', signature: 'sa{sas}' };
      return attacker.call({ ...call, body: ['none', devices] });
    }
    case 'set': {
      const states = Object.fromEntries(keys.map((key) => [key, '']));
      return attacker.call({ ...set, path, body: [interfaceName, 'TestProperty', new Variant('a{ss}', states)] });
    }
    case 'property':
      return attacker.call({ ...set, body: ['org.example.Reach', 'Any', new Variant('v', variant)] });
    case 'read-only':
      return attacker.call({ ...set, body: ['org.example.Reach', 'Fixed', variant] });
    case 'signal':
      attacker.emit({ ...SIGNAL, signature, body: [value] });
      return attacker.listNames();
    default:
      return attacker.call({ ...reach, member: 'Nope', signature: 'v', body: [variant] });
  }
}

/** The limit of V8 for old objects, 48 MiB of young ones, memory outside of the heap, and the process itself. */
const PEAK_MAXIMUM = (256 + 48 + 64 + 200) * MIB;

const thousand = 'a service survives a thousand messages of large amplification, and answers others';
testUnless(PrivateBus.missing({ daemon: 'dbus-daemon' }), test, thousand, async () => {
  await using both = await served('dbus-daemon', ownService);
  await assertAnswers(both);
  const outcomes = { answered: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(way, amplified, async (how, wanted) => {
      const sent = send(both.attacker, how, wanted);
      const honest = assertAnswers(both);
      // If the message fails, the test reports that.
      honest.catch(() => {});
      await sent.then(
        () => outcomes.answered++,
        (error: unknown) => {
          assert.instance(error, DBusError);
          outcomes.refused++;
        },
      );
      await honest;
    }),
    { numRuns: 1000, endOnFailure: true },
  );
  assert.ok(outcomes.answered > 300 && outcomes.refused > 200, JSON.stringify(outcomes));
  const [used, heard] = (await both.honest.call({
    ...{ destination: name, path: REACH_PATH, interface: 'org.example.Reach', member: 'Heap' },
  })) as [bigint, bigint];
  assert.ok(used < 256 * MIB, `${used / BigInt(MIB)} MiB of heap`);
  assert.ok(heard > 50n, `${heard} signals`);
  const most = peak(both.service);
  assert.match(readFileSync('SECURITY.md', 'utf8'), `a peak of less than ${PEAK_MAXIMUM / MIB} MiB`);
  assert.ok(most < PEAK_MAXIMUM, `${(most / MIB).toFixed()} MiB`);
});

test('two arrays of 63 MiB of empty arrays do not end a service with the default heap', async () => {
  const service = Program.start(process.execPath, [...ownService, folder], { timeLimit: 120_000 });
  const address = (await service.line(/^unix:/)).trim();
  const client = await connect({ address, peer: true });
  const half = many((63 * MIB) / 4, empty) as Buffer[];
  const call = { path: REACH_PATH, interface: 'org.example.Reach', timeout: 100_000 };
  const take = (value: Variant) => client.call({ ...call, member: 'Take', signature: 'v', body: [value] });
  const refused = await rejection(take(new Variant('(aayaay)', [half, half])));
  assert.instance(refused, LimitsExceededError);
  assert.match((refused as Error).message, 'decodedSize');
  // The answer comes before the end of the message was written: the rest is read and discarded.
  await client.flush();
  assert.equal(await take(new Variant('ai', [1, 2, 3])), [3]);
  await client.close();
  await service.stop();
});

test.run();
