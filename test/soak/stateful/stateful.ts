/**
 * The stateful soak: services that start, change, leave and return, and mirrors that follow them, each a separate process.
 * The expected state of each service is known here, outside of busbar, and sometimes everything is compared with it.
 */
import { type Daemon, PrivateBus } from '../../helpers/private-bus.js';
import { Random } from '../../helpers/random-numbers.js';
import type { Counts, MirrorCommand, Objects, Open, Seen } from './mirrored.js';
import { ToldProgram } from './told-program.js';
import { ToldService } from './told-service.js';

export interface StatefulOptions {
  readonly daemon: Daemon;
  readonly seconds: number;
  readonly seed: number;
  /** Called with each failure as it happens. */
  readonly onWrong?: (what: string) => void;
}

export interface StatefulResult {
  readonly failures: readonly string[];
  readonly steps: number;
  readonly restarts: number;
  readonly comparisons: number;
  /** Of all mirrors. */
  readonly counts: Counts;
}

const SERVICES = 3;
const MIRRORS = 4;
/** Steps between comparisons. */
const COMPARED_EVERY = 150;
/** After this many failures, the soak stops. */
const FAILURES_MAXIMUM = 20;

export async function statefulSoak({ daemon, seconds, seed, onWrong }: StatefulOptions): Promise<StatefulResult> {
  const failures: string[] = [];
  const wrong = (what: string) => {
    failures.push(what);
    onWrong?.(what);
  };
  await using bus = await PrivateBus.start({ daemon });
  const services = Array.from({ length: SERVICES }, (_, number) => new ToldService(number, bus.address, wrong));
  const names = services.map(({ name }) => name);
  const mirrors = Array.from(
    { length: MIRRORS },
    (_, number) =>
      new ToldProgram<MirrorCommand>('test/soak/stateful/mirror.ts', [bus.address, ...names], number, wrong),
  );
  try {
    await Promise.all(mirrors.map(({ program }) => program.event('ready')));
    await Promise.all(services.map((service) => service.start()));
    const random = new Random(seed);
    const ends = performance.now() + seconds * 1000;
    const done = { steps: 0, restarts: 0, comparisons: 0 };
    const compareAll = async () => {
      await Promise.all(mirrors.map((mirror) => mirror.tell({ do: 'pause' })));
      for (const service of services) done.comparisons += await compare(service, mirrors, done.steps, wrong);
    };
    await compareAll();
    const first = await openAt(mirrors);
    while (performance.now() < ends && failures.length < FAILURES_MAXIMUM) {
      await Promise.all(mirrors.map((mirror) => mirror.tell({ do: 'resume' })));
      for (let step = 0; step < COMPARED_EVERY; step++) await random.of(services).step(random);
      done.steps += COMPARED_EVERY;
      // While calls are being made and changes arrive.
      if (random.below(3) === 0) {
        const service = random.of(services);
        await service.end(random.of(['SIGTERM', 'SIGKILL'] as const));
        await service.start();
        done.restarts++;
      }
      await compareAll();
    }
    const last = await openAt(mirrors);
    if (JSON.stringify(first) !== JSON.stringify(last)) {
      wrong(`open at first ${JSON.stringify(first)}, at last ${JSON.stringify(last)}`);
    }
    return { failures, ...done, counts: await countsOf(mirrors) };
  } finally {
    await Promise.all([...mirrors, ...services.map(({ told }) => told)].map((told) => told?.program.stop()));
  }
}

/** Compares the state of a service in each mirror, and in the service, with the expected one. */
async function compare(
  service: ToldService,
  mirrors: readonly ToldProgram<MirrorCommand>[],
  epoch: number,
  wrong: (what: string) => void,
): Promise<number> {
  await service.setClock(epoch + 1);
  const { objects, ticks, name } = service;
  const said = (await service.told.tell({ do: 'tell' })) as Objects;
  // Only the service knows how often callers bumped an object.
  for (const [path, { Bumps }] of Object.entries(said)) Object.assign(objects[path] ?? {}, { Bumps });
  const right = inOrder({ objects, ticks });
  if (inOrder({ objects: said, ticks }) !== right)
    wrong(`${name} has ${inOrder({ objects: said, ticks })}, not ${right}`);
  for (const [number, mirror] of mirrors.entries()) {
    const seen = inOrder((await mirror.tell({ do: 'show', name, epoch: epoch + 1 })) as Seen);
    if (seen !== right) wrong(`mirror ${number} of ${name} has ${seen}, not ${right}`);
  }
  return mirrors.length;
}

function inOrder({ objects, ticks }: Seen): string {
  const sorted = (value: unknown): unknown =>
    value === null || typeof value !== 'object' || Array.isArray(value)
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, each]) => [key, sorted(each)]),
        );
  return JSON.stringify(sorted({ objects, ticks }));
}

interface Counted {
  readonly counts: Counts;
  readonly open: Open;
}

async function openAt(mirrors: readonly ToldProgram<MirrorCommand>[]): Promise<readonly Open[]> {
  const counted = (await Promise.all(mirrors.map((mirror) => mirror.tell({ do: 'count' })))) as readonly Counted[];
  return counted.map(({ open }) => open);
}

async function countsOf(mirrors: readonly ToldProgram<MirrorCommand>[]): Promise<Counts> {
  const sum: Counts = { calls: 0, answered: 0, left: 0, signals: 0, fetches: 0 };
  for (const mirror of mirrors) {
    const { counts } = (await mirror.tell({ do: 'count' })) as Counted;
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
  }
  return sum;
}
