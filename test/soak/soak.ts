/**
 * Runs the load for a while and looks at everything once a second. For a look the load comes to rest, so that what
 * counts things gives exact numbers; delay and rate are those of the time between two looks.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Problem } from '../../src/index.js';
import { Ledger } from './ledger.js';
import { rounds } from './load.js';
import { type Quantity, type QuantityName, quantities, quantityNames, type Sample } from './quantities.js';
import { pause, Site } from './site.js';
import { isWithin, type Trend, trendOf } from './trend.js';

/** Milliseconds between cycles, so that the machine has some rest too. */
const PAUSE = 4;
const INTERVAL = 1000;
/** Milliseconds of load before the first look: caches and compiled code come to be. */
const WARM_UP = 3000;

export interface SoakResult {
  readonly samples: readonly Sample[];
  readonly trends: Readonly<Record<QuantityName, Trend>>;
  readonly ledger: Ledger;
  /** What is not as it should be; empty if all is well. */
  readonly failures: readonly string[];
}

export async function soak(seconds: number, onSample: (sample: Sample) => void = () => {}): Promise<SoakResult> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc: the heap is compared after collection');
  const ledger = new Ledger();
  // Handlers fail on purpose here; whatever else is reported is not on purpose.
  const hear = (event: unknown) => {
    const { kind, message, error } = event as Problem;
    ledger.problems++;
    if (kind !== 'handler') ledger.surprise(`${kind}: ${message}${error === undefined ? '' : `: ${String(error)}`}`);
  };
  subscribe('busbar:problem', hear);
  await using site = await Site.open(ledger);
  const samples: Sample[] = [];
  const delays = monitorEventLoopDelay({ resolution: 5 });
  await work(site, ledger, WARM_UP);
  await look(site, ledger, 0, { cpu: 0, delay: 0, messages: 0 });
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    const { messages } = site;
    const { cycles } = ledger;
    const began = performance.now();
    const usage = process.cpuUsage();
    delays.reset();
    delays.enable();
    await work(site, ledger, INTERVAL);
    delays.disable();
    const ended = performance.now();
    const { user, system } = process.cpuUsage(usage);
    const count = site.messages - messages;
    const sample = await look(site, ledger, (performance.now() - start) / 1000, {
      cpu: (user + system) / 1000 / (ledger.cycles - cycles),
      delay: delays.percentile(99) / 1e6,
      messages: (count / (ended - began)) * 1000,
    });
    samples.push(sample);
    onSample(sample);
  }
  unsubscribe('busbar:problem', hear);
  return judge(samples, ledger);
}

/**
 * Runs cycles for a while: one round of every kind, all at a time. So the mix is the same whatever else the machine does,
 * and a cycle can be compared with another one.
 */
async function work(site: Site, ledger: Ledger, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    await Promise.all(
      Object.entries(rounds).map(([name, round]) =>
        round(site, ledger).catch((error: unknown) => ledger.surprise(`${name}: ${String(error)}`)),
      ),
    );
    ledger.cycles++;
    await pause(PAUSE);
  }
}

async function look(
  site: Site,
  ledger: Ledger,
  seconds: number,
  meanwhile: Pick<Sample, 'cpu' | 'delay' | 'messages'>,
): Promise<Sample> {
  await site.rest(ledger);
  const matchRules = await site.matchRules();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  for (let time = 0; time < 2; time++) globalThis.gc?.();
  const { heapUsed: heap, external, rss } = process.memoryUsage();
  const { fds, pendingCalls, exportedObjects } = site;
  return { seconds, heap, external, rss, fds, matchRules, pendingCalls, exportedObjects, ...meanwhile };
}

/** What the samples and the books say. */
export function judge(samples: readonly Sample[], ledger: Ledger): SoakResult {
  const half = samples.slice(Math.floor(samples.length / 2));
  const seconds = half.map((sample) => sample.seconds);
  const length = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0);
  const trends = {} as Record<QuantityName, Trend>;
  const failures: string[] = [...ledger.surprises];
  for (const name of quantityNames) {
    const { title, limit, returns, format }: Quantity = quantities[name];
    const trend = trendOf(
      seconds,
      half.map((sample) => sample[name]),
    );
    trends[name] = trend;
    if (limit !== undefined && !isWithin(trend, length, limit)) {
      const [grown, error] = [trend.slope * length, trend.error * length].map(Math.round);
      failures.push(`${title}: grows by ${grown} ± ${error} in ${Math.round(length)} s, more than ${limit}`);
    }
    const [first, last] = [samples[0]?.[name] ?? 0, samples.at(-1)?.[name] ?? 0];
    if (returns && first !== last) failures.push(`${title}: ${format(first)} at first, ${format(last)} at last`);
  }
  if (ledger.settled !== ledger.calls) failures.push(`${ledger.calls} calls, but ${ledger.settled} settled`);
  if (ledger.arrived !== ledger.emits) failures.push(`${ledger.emits} signals, but ${ledger.arrived} arrived`);
  if (ledger.surpriseCount > ledger.surprises.length) failures.push(`… ${ledger.surpriseCount} surprises in all`);
  return { samples, trends, ledger, failures };
}
