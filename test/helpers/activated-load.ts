/**
 * Clients that call an activatable service again and again, while it ends: because it is idle after 2 ms, or by SIGTERM. Every
 * call is counted, and every instance of the service writes how it ended.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { connect, type MessageBus } from '../../src/index.js';
import { serviceFolderOf } from './activatable.js';
import { libraryEntry } from './own-runtime.js';
import { PrivateBus } from './private-bus.js';
import { seed } from './replay.js';

const NAME = 'org.example.Load';

/** On a system bus, a service has a policy. */
const policy = `
  <policy context="default">
    <allow own="${NAME}"/>
    <allow send_destination="${NAME}"/>
  </policy>`;

/** The log has a line for each instance. */
const program = (idle: number, log: string) => `
  import { appendFileSync } from 'node:fs';
  import { setTimeout as delay } from 'node:timers/promises';
  import { connect, defineInterface, implement, serve } from ${JSON.stringify(libraryEntry)};
  const Load = defineInterface('${NAME}', { methods: { Add: { in: 'uu', out: 'uu' } } });
  const object = implement(Load, {
    async Add(value, milliseconds) {
      if (milliseconds > 0) await delay(milliseconds);
      return [value, process.pid];
    },
  });
  process.on('exit', (code) => appendFileSync(${JSON.stringify(log)}, \`\${reason} \${code}\\n\`));
  let reason = 'none';
  const bus = await connect({ bus: 'starter' });
  const service = await serve(bus, { name: '${NAME}', objects: { '/': object }, exitWhenIdle: ${idle} });
  reason = (await service.ended).reason;
`;

/** Milliseconds that a slow machine has for two services beyond the time of the load. */
const PATIENCE = 60_000;

export interface Load {
  /** The clients call for this time, and until two services have answered. */
  readonly seconds: number;
  readonly clients: number;
  /** Milliseconds after which the service is idle. */
  readonly idle: number;
  /** How long handlers take at most. */
  readonly work: number;
  /** Milliseconds of a period, at the end of which no client calls: several clients would keep the service busy for ever. */
  readonly period?: number;
  /** Whether a client sends SIGTERM to the service now and then. */
  readonly kills?: boolean;
}

export interface LoadResult {
  readonly calls: number;
  /** The number of processes that answered. */
  readonly services: number;
  /** How often each end occurred: `idle 0`. */
  readonly ends: Readonly<Record<string, number>>;
}

/** Calls for a time, and fails if a call is lost, or an instance ended otherwise than it should. */
export async function callActivated(load: Load): Promise<LoadResult> {
  const { seconds, clients, idle } = load;
  const { folder, remove } = serviceFolderOf(NAME, (own) => program(idle, join(own, 'ends.txt')));
  const log = join(folder, 'ends.txt');
  try {
    await using daemon = await PrivateBus.start({ type: 'system', policy, serviceFolder: folder });
    const buses = await Promise.all(Array.from({ length: clients }, () => connect({ address: daemon.address })));
    const end = performance.now() + seconds * 1000;
    const services = new Set<number>();
    const counts = await Promise.all(buses.map((bus, index) => callUntil(bus, index, end, load, services)));
    await Promise.all(buses.map((bus) => bus.close()));
    await allEnded(log, services.size);
    return { calls: counts.reduce((sum, count) => sum + count, 0), services: services.size, ends: endsIn(log) };
  } finally {
    remove();
  }
}

async function callUntil(
  bus: MessageBus,
  index: number,
  end: number,
  { work, kills, period }: Load,
  services: Set<number>,
): Promise<number> {
  // Mostly around the time after which the service ends.
  const pause = fc.oneof(
    fc.integer({ min: 0, max: 4 }),
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 0, max: 60 }),
  );
  const duration = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: work }));
  const steps = fc.sample(fc.tuple(pause, duration, fc.integer({ min: 1, max: 5 }), fc.nat(9)), {
    seed: seed + index,
    numRuns: 2048,
  });
  const calls: Promise<void>[] = [];
  let waiting = 0;
  let last = 0;
  const isToGoOn = () => performance.now() < (services.size < 2 ? end + PATIENCE : end);
  for (let step = 0; isToGoOn(); step++) {
    const [milliseconds, longest, burst, luck] = steps[step % steps.length] as [number, number, number, number];
    for (let i = 0; i < burst; i++) {
      const value = step * 8 + i;
      const call = { destination: NAME, path: '/', interface: NAME, member: 'Add', signature: 'uu' };
      const answer = bus.call({ ...call, body: [value, longest], timeout: 100_000 });
      waiting++;
      calls.push(
        answer.then(
          ([returned, pid]) => {
            waiting--;
            last = pid as number;
            services.add(last);
            assert.is(returned, value);
          },
          (error: Error) => {
            throw new Error(`seed ${seed}, client ${index}, step ${step}: ${error.name}: ${error.message}`);
          },
        ),
      );
    }
    // It has answered, so it listens to signals. It may have ended meanwhile.
    if (kills && luck === 0 && last !== 0) terminate(last);
    // Otherwise all calls would wait for one start, and reach the limit of the bus.
    if (luck < 6 || waiting > 50) await calls.at(-1);
    await delay(milliseconds);
    if (period !== undefined && performance.now() % period > period / 2) {
      await Promise.all(calls);
      await delay(period - (performance.now() % period));
    }
  }
  await Promise.all(calls);
  return calls.length;
}

/** Only a process with this service gets the signal: it may have ended. */
function terminate(pid: number): void {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(NAME)) process.kill(pid, 'SIGTERM');
  } catch {}
}

/** A signal that comes when a service has ended ends the process at once, without a line. */
async function allEnded(log: string, services: number): Promise<void> {
  const giveUp = performance.now() + 5000;
  const ended = () => Object.values(endsIn(log)).reduce((sum, count) => sum + count, 0);
  while (ended() < services && performance.now() < giveUp) await delay(20);
}

function endsIn(log: string): Record<string, number> {
  const ends: Record<string, number> = {};
  let text = '';
  try {
    text = readFileSync(log, 'utf8');
  } catch {}
  for (const line of text.split('\n').filter((each) => each !== '')) ends[line] = (ends[line] ?? 0) + 1;
  return ends;
}
