// time limit: 300 s
/**
 * Messages that take many times their size once they are decoded, sent to services that may have 256 MiB of heap, by
 * strangers on real buses: the services live, an honest client is answered meanwhile, and their memory stays bounded.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, DBusError, type MessageBus, Variant } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { halfArguments, interfaceName, name, path } from '../interop/quickstart-service.js';
import { REACH_PATH } from './amplification-service.js';

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
  readonly stranger: MessageBus;
  readonly honest: MessageBus;
}

async function served(daemon: Daemon, args: readonly string[]): Promise<Served> {
  const bus = await PrivateBus.start({ daemon });
  const service = Program.start(process.execPath, [HEAP, ...args], { env: bus.env, timeLimit: 280_000 });
  await service.line('ready');
  const stranger = await connect({ address: bus.address });
  const honest = await connect({ address: bus.address });
  return {
    service,
    stranger,
    honest,
    async [Symbol.asyncDispose]() {
      await stranger.close();
      await honest.close();
      await service.stop();
      await bus.stop();
    },
  };
}

/** An honest call, which is answered. */
async function assertLives({ honest, service }: Served): Promise<void> {
  const get = { destination: name, path, interface: PROPERTIES, member: 'Get', signature: 'ss', timeout: 60_000 };
  await honest.call({ ...get, body: [interfaceName, 'TestProperty'] });
  assert.ok(service.running);
}

function many(count: number, value: unknown): unknown[] {
  return new Array<unknown>(count).fill(value);
}

const empty = Buffer.alloc(0);
/** 16 MiB of empty arrays, at four bytes each. */
const empties = new Variant('aay', many(4 * MIB - 4, empty) as Buffer[]);

const ownService = ['--import', 'tsx', 'test/reliability/amplification-service.ts'];

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  const missing = PrivateBus.missing({ daemon });
  if (missing !== undefined) continue;

  for (const [what, args, place] of [
    [
      'the quickstart',
      halfArguments('service'),
      { path, interface: interfaceName, unknown: 'Nope', other: 'TestProperty' },
    ],
    ['a service', ownService, { path: REACH_PATH, interface: 'org.example.Reach', unknown: 'Nope', other: 'Fixed' }],
  ] as const) {
    test(`${what} refuses 16 MiB of empty arrays for what they are, through ${daemon}`, async () => {
      await using both = await served(daemon, args);
      await assertLives(both);
      const before = peak(both.service);
      for (const property of [place.unknown, place.other]) {
        const set = { destination: name, path: place.path, interface: PROPERTIES, member: 'Set', signature: 'ssv' };
        const refused = await both.stranger.call({ ...set, body: [place.interface, property, empties] }).then(
          () => assert.unreachable('it is refused'),
          (error: unknown) => error,
        );
        assert.instance(refused, DBusError);
        await assertLives(both);
      }
      const grown = peak(both.service) - before;
      // The message itself, twice at most: as it is read, and room for the next one.
      assert.ok(grown < 64 * MIB, `${(grown / MIB).toFixed()} MiB more than before`);
    });
  }
}

test.run();
