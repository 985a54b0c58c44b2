/**
 * The command `npm run soak`: a load that must leave nothing behind, and services and mirrors that must stay equal. It tells
 * how that goes, and writes figures and charts for the reliability report.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../../bench/machine.js';
import { saveFigures } from '../../scripts/reliability-report/figures.mjs';
import { transportKind } from '../../src/native/runtime.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { chartOf } from './charts.js';
import type { SoakResult } from './judge.js';
import { type Quantity, quantities, quantityNames, type Sample } from './quantities.js';
import { soak } from './soak.js';
import { statefulSoak } from './stateful/stateful.js';
import { growthIn, median } from './trend.js';

const usage = `npm run soak -- [options]
  --minutes N   how long the load lasts, and the services on both daemons together; 10 if left out
  --only PART   load, or stateful
  --seed N      the steps of the services, as a run with this seed took them
  --no-write    leave docs/reliability as it is
The transport is chosen by BUSBAR_TRANSPORT.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    seed: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const parts = values.only === undefined ? ['load', 'stateful'] : [values.only];
const isKnown = parts.every((part) => part === 'load' || part === 'stateful');
if (values.help || !isKnown || !(minutes >= 0.1)) {
  console.log(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  let failed = 0;
  if (parts.includes('load')) failed += Number(!(await soakWithLoad()));
  if (parts.includes('stateful')) failed += await soakServices(Number(values.seed ?? Date.now() % 2 ** 31));
  // What never settles may keep the process alive.
  process.exit(failed === 0 ? 0 : 1);
}

/** Whether all was as it should be. */
async function soakWithLoad(): Promise<boolean> {
  const result = await soak(minutes * 60, { onSample: tell });
  tellResult(result);
  if (!values['no-write']) write(result);
  return result.failures.length === 0;
}

/** Returns on how many daemons something was wrong. */
async function soakServices(seed: number): Promise<number> {
  let failed = 0;
  for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
    const missing = PrivateBus.missing({ daemon });
    if (missing !== undefined) {
      console.log(`stateful soak, ${daemon}: skipped: ${missing}`);
      continue;
    }
    console.log(`stateful soak, ${daemon}, seed ${seed}`);
    const options = { daemon, seed, seconds: minutes * 30, onWrong: (what: string) => console.log(`✘ ${what}`) };
    const { failures, steps, restarts, comparisons, counts } = await statefulSoak(options);
    console.log(`${steps} steps, ${restarts} restarts, ${comparisons} comparisons; ${counts.calls} calls, of which`);
    console.log(`${counts.answered} answered and ${counts.left} to services that had left; ${counts.signals} signals`);
    if (failures.length > 0) failed++;
    console.log(`stateful soak, ${daemon}: ${failures.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed'}`);
  }
  return failed;
}

function tell(sample: Sample): void {
  if (Math.round(sample.seconds) % 10 !== 0) return;
  const shown = (
    ['heap', 'code', 'external', 'rss', 'fds', 'matchRules', 'cpu', 'delay', 'longDelay', 'messages'] as const
  ).map((name) => `${name} ${quantities[name].format(sample[name])}`);
  console.log(`${sample.seconds.toFixed(0).padStart(5)} s  ${shown.join('  ')}`);
}

function tellResult({ samples, trends, ledger, failures }: SoakResult): void {
  const half = Math.round((samples.at(-1)?.seconds ?? 0) / 2);
  for (const name of quantityNames) {
    const { title, limit, format }: Quantity = quantities[name];
    const { slope, least, most } = growthIn(half, trends[name]);
    const allowed = limit === undefined ? '' : `, the limit is ${format(limit)}`;
    console.log(`${title}: ${format(slope)} (${format(least)} to ${format(most)}) in ${half} s${allowed}`);
  }
  const { calls, settled, emits, arrived, refused } = ledger;
  console.log(`${calls} calls, ${settled} settled; ${emits} signals, ${arrived} arrived, ${refused} refused`);
  for (const failure of failures) console.log(`✘ ${failure}`);
  console.log(failures.length === 0 ? 'soak: 1 passed, 0 failed' : 'soak: 0 passed, 1 failed');
}

function write({ samples, trends, ledger, failures }: SoakResult): void {
  const folder = join(projectRoot, 'docs', 'reliability');
  mkdirSync(folder, { recursive: true });
  for (const name of quantityNames) writeFileSync(join(folder, `soak-${name}.svg`), chartOf(name, samples));
  const { calls, settled, emits, arrived, refused, cycles, problems } = ledger;
  saveFigures('soak', `npm run soak -- --minutes ${minutes}`, {
    machine: describeMachine(),
    transport: transportKind(),
    seconds: Math.round(samples.at(-1)?.seconds ?? 0),
    samples: samples.length,
    ledger: { calls, settled, emits, arrived, refused, cycles, problems },
    quantities: Object.fromEntries(
      quantityNames.map((name) => {
        const { title, limit, ceiling, reason }: Quantity = quantities[name];
        const values = samples.map((sample) => sample[name]);
        const sorted = [...values].sort((a, b) => a - b);
        const ends = { first: values[0], last: values.at(-1) };
        const range = { least: sorted[0], median: median(sorted), most: sorted.at(-1) };
        return [name, { title, ...ends, ...range, trend: trends[name], limit, ceiling, reason }];
      }),
    ),
    failures,
  });
}
