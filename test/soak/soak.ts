/**
 * Runs a load for a while and takes a sample once a second. For a sample the load pauses, so that counts are exact; delay
 * and rate are those of the time between two samples.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8';
import type { Problem } from '../../src/index.js';
import { judge, type SoakResult } from './judge.js';
import { Ledger } from './ledger.js';
import { type Load, mixedLoad } from './load.js';
import type { Sample } from './quantities.js';
import { Samples } from './samples.js';
import { pause, Site } from './site.js';

/** Milliseconds between cycles, so that the machine has some rest too. */
const PAUSE = 4;
/** Milliseconds between samples; fewer if a soak would otherwise be too short. */
const INTERVAL = 1000;
const LOOKS_LEAST = 60;
/** Milliseconds that a step may take. Every call has a time limit of 25 s or less: it must have settled then. */
const PATIENCE = 60_000;

export interface SoakOptions {
  readonly load?: Load;
  readonly patience?: number;
  readonly onSample?: (sample: Sample) => void;
}

/** A step of the soak did not end: something in it never settles. */
class Stuck extends Error {}

export async function soak(seconds: number, options: SoakOptions = {}): Promise<SoakResult> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc: the heap is compared after collection');
  // Optimised code has memory on the heap that nothing counts. It is compiled again for thousands of cycles, and would hide
  // a few bytes that each of them leaves behind.
  setFlagsFromString('--no-opt');
  const ledger = new Ledger();
  const samples = new Samples(Math.max(LOOKS_LEAST, (seconds * 1000) / INTERVAL) + 1);
  // Handlers fail on purpose here; other reports are not intended.
  const hear = (event: unknown) => {
    const { kind, message, error } = event as Problem;
    ledger.problems++;
    if (kind !== 'handler') ledger.surprise(`${kind}: ${message}${error === undefined ? '' : `: ${String(error)}`}`);
  };
  subscribe('busbar:problem', hear);
  const site = await Site.open(ledger);
  try {
    await run(site, ledger, samples, seconds, options);
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    ledger.surprise(error.message);
  } finally {
    unsubscribe('busbar:problem', hear);
    ledger.close();
    await site[Symbol.asyncDispose]();
  }
  return judge(samples.all(), ledger);
}

async function run(
  site: Site,
  ledger: Ledger,
  samples: Samples,
  seconds: number,
  { load = mixedLoad, patience = PATIENCE, onSample = () => {} }: SoakOptions,
): Promise<void> {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  if (load.begin !== undefined) await inTime(load.begin(site, ledger), patience, () => 'the beginning');
  while (ledger.cycles < (load.warmUp ?? 0)) await cycle(site, ledger, load, patience);
  const interval = Math.min(INTERVAL, (seconds * 1000) / LOOKS_LEAST);
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    const { messages } = site;
    const { cycles } = ledger;
    const began = performance.now();
    const usage = process.cpuUsage();
    delays.reset();
    delays.enable();
    while (performance.now() - began < interval) await cycle(site, ledger, load, patience);
    delays.disable();
    const ended = performance.now();
    const { user, system } = process.cpuUsage(usage);
    const count = site.messages - messages;
    const meanwhile = {
      cpu: (user + system) / 1000 / (ledger.cycles - cycles),
      // If its timer fired once at most, the loop was blocked all the time.
      delay: delays.count === 0 ? ended - began : delays.mean / 1e6,
      longDelay: delays.percentile(99) / 1e6,
      messages: (count / (ended - began)) * 1000,
    };
    const atRest = await inTime(look(site, ledger), patience, () => 'a look');
    const sample = { seconds: (performance.now() - start) / 1000, ...atRest, ...meanwhile };
    samples.add(sample);
    onSample(sample);
  }
}

/**
 * A cycle: one round of every kind, all at a time. So the mix does not depend on other work of the machine, and cycles can
 * be compared.
 */
async function cycle(site: Site, ledger: Ledger, { rounds }: Load, patience: number): Promise<void> {
  const going = new Set(Object.keys(rounds));
  const all = Object.entries(rounds).map(async ([name, round]) => {
    await round(site, ledger).catch((error: unknown) => ledger.surprise(`${name}: ${String(error)}`));
    going.delete(name);
  });
  await inTime(Promise.all(all), patience, () => [...going].join(', '));
  ledger.cycles++;
  await pause(PAUSE);
}

async function look(site: Site, ledger: Ledger) {
  await site.rest(ledger);
  const matchRules = await site.matchRules();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  for (let time = 0; time < 2; time++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { code_and_metadata_size, bytecode_and_metadata_size } = getHeapCodeStatistics();
  const code = code_and_metadata_size + bytecode_and_metadata_size;
  const { fds, pendingCalls, exportedObjects } = site;
  return { heap: heapUsed - code, code, external, rss, fds, matchRules, pendingCalls, exportedObjects };
}

/** Waits for a step, but not for ever: a call that never settles is to be reported. */
async function inTime<T>(step: Promise<T>, milliseconds: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Stuck(`did not end within ${milliseconds} ms: ${what()}`)), milliseconds);
  });
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}
