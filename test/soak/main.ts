/**
 * The command `npm run soak`: a load that must leave nothing behind, and services and mirrors that must stay equal. It
 * prints the progress and the result.
 */
import { describeMachine } from '../../bench/machine.js';
import { readOptions, refuse } from '../../scripts/options.mjs';
import { pages, table, writeResults } from '../../scripts/report.mjs';
import { transportKind } from '../../src/native/runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import type { SoakResult } from './judge.js';
import { type Quantity, quantities, quantityNames, type Sample } from './quantities.js';
import { soak } from './soak.js';
import { statefulSoak } from './stateful/stateful.js';
import { growthIn, median } from './trend.js';

const USAGE = `Usage: npm run soak -- [options]
  --minutes N   how long the load lasts, and the services on both daemons together; 10 if left out
  --only PART   load, or stateful
  --seed N      the steps of the services, as a run with this seed took them
  --report      write the figures of the load into docs/reliability/report.md
  --help        prints this text
The transport is chosen by BUSBAR_TRANSPORT.`;

const { values } = readOptions(USAGE, {
  minutes: { type: 'string', default: '10' },
  only: { type: 'string' },
  seed: { type: 'string' },
  report: { type: 'boolean', default: false },
});
const minutes = Number(values.minutes);
const parts = values.only === undefined ? ['load', 'stateful'] : [values.only];
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!parts.every((part) => part === 'load' || part === 'stateful'))
  refuse(`--only takes load or stateful, not ${values.only}.`);
if (!(minutes >= 0.1)) refuse(`--minutes takes a number from 0.1 up, not ${values.minutes}.`);
if (!(Number.isInteger(seed) && seed >= 0)) refuse(`--seed takes an integer, 0 or more, not ${values.seed}.`);

let failed = 0;
if (parts.includes('load')) failed += Number(!(await soakWithLoad()));
if (parts.includes('stateful')) failed += await soakServices(seed);
// An operation that never settles may keep the process alive.
process.exit(failed === 0 ? 0 : 1);

/** Whether there were no failures. */
async function soakWithLoad(): Promise<boolean> {
  const result = await soak(minutes * 60, { onSample: printSample });
  writeResults({
    page: pages.reliability,
    section: 'soak',
    command: `npm run soak -- --minutes ${minutes}`,
    text: textOf(result),
    figures: result,
    write: values.report,
  });
  console.log(result.failures.length === 0 ? 'soak: 1 passed, 0 failed' : 'soak: 0 passed, 1 failed');
  return result.failures.length === 0;
}

/** Returns the number of daemons with failures. */
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

function printSample(sample: Sample): void {
  if (Math.round(sample.seconds) % 10 !== 0) return;
  const shown = (
    ['heap', 'code', 'external', 'rss', 'fds', 'matchRules', 'cpu', 'delay', 'longDelay', 'messages'] as const
  ).map((name) => `${name} ${quantities[name].format(sample[name])}`);
  console.log(`${sample.seconds.toFixed(0).padStart(5)} s  ${shown.join('  ')}`);
}

function textOf({ samples, trends, ledger, failures }: SoakResult): string {
  const { processor, cores, distribution } = describeMachine();
  const { calls, settled, emits, arrived, refused, cycles, problems } = ledger;
  const seconds = Math.round(samples.at(-1)?.seconds ?? 0);
  const rows = quantityNames.map((name) => {
    const { title, format, limit, ceiling, reason }: Quantity = quantities[name];
    const sampled = samples.map((sample) => sample[name]);
    const sorted = [...sampled].sort((a, b) => a - b);
    const values = [sampled[0], sampled.at(-1), sorted[0], sorted.at(-1), median(sorted)].map((value) =>
      format(value ?? 0),
    );
    const { slope, least, most } = growthIn(seconds / 2, trends[name]);
    const otherwise = ceiling === undefined ? 'none' : `median ${format(ceiling)}`;
    const growth = `${format(slope)} (${format(least)} to ${format(most)})`;
    return [title, ...values, sparkline(sampled), growth, limit === undefined ? otherwise : format(limit), reason];
  });
  return [
    `${seconds} s on ${processor}, ${cores} cores, ${distribution}; transport ${transportKind()}; ${samples.length} samples.`,
    [
      `- cycles: ${cycles}, each with one round of every kind of load`,
      `- promises: ${calls}, of which ${settled} settled as expected. Most are method calls, including calls that have to fail, some of them before anything is sent; connections, subscriptions and names are counted as well`,
      `- signals: ${emits} accepted, of which ${arrived} arrived in order; ${refused} more were refused`,
      `- problems: ${problems} reported on \`busbar:problem\`. All are failures of handlers, which are part of the load; any other problem would be a failure`,
    ].join('\n'),
    failures.length === 0 ? 'Nothing failed.' : failures.map((failure) => `- ✘ ${failure}`).join('\n'),
    table(
      [
        ...['quantity', 'first', 'last', 'minimum', 'maximum', 'median', 'course'],
        ...['growth in the second half', 'limit', 'reason for the limit'],
      ],
      rows,
    ),
  ].join('\n\n');
}

/** The medians of this many parts of the time, from zero to the highest of them. */
function sparkline(values: readonly number[], parts = 24): string {
  const length = Math.ceil(values.length / parts);
  const medians = Array.from({ length: Math.ceil(values.length / length) }, (_, part) =>
    median(values.slice(part * length, (part + 1) * length).toSorted((a, b) => a - b)),
  );
  const highest = Math.max(...medians);
  return medians.map((value) => '▁▂▃▄▅▆▇█'[highest <= 0 ? 0 : Math.max(0, Math.round((7 * value) / highest))]).join('');
}
