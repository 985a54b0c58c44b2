/** The verdict on the samples and the counts: whether there are failures, and which. */
import type { Ledger } from './ledger.js';
import { type Quantity, type QuantityName, quantities, quantityNames, type Sample } from './quantities.js';
import { growthIn, judged, median, type Trend, trendOf } from './trend.js';

export interface SoakResult {
  readonly samples: readonly Sample[];
  readonly trends: Readonly<Record<QuantityName, Trend>>;
  readonly ledger: Ledger;
  /** The failures; empty if there are none. */
  readonly failures: readonly string[];
}

export function judge(samples: readonly Sample[], ledger: Ledger): SoakResult {
  // The first half is for everything that settles slowly: code that is compiled, memory that allocators keep.
  const half = samples.slice(Math.floor(samples.length / 2));
  const seconds = half.map((sample) => sample.seconds);
  const length = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0);
  const trends = {} as Record<QuantityName, Trend>;
  const failures: string[] = [...ledger.surprises];
  for (const name of quantityNames) {
    const quantity: Quantity = quantities[name];
    const values = half.map((sample) => sample[name]);
    trends[name] = trendOf(seconds, values);
    const ends: Ends = [samples[0]?.[name] ?? 0, samples.at(-1)?.[name] ?? 0];
    const wrong = [ofGrowth(quantity, trends[name], length), ofLevel(quantity, values), ofReturn(quantity, ends)];
    failures.push(...wrong.filter((what) => what !== undefined).map((what) => `${quantity.title}: ${what}`));
  }
  if (ledger.settled !== ledger.calls) failures.push(`${ledger.calls} calls, but ${ledger.settled} settled`);
  if (ledger.arrived !== ledger.emits) failures.push(`${ledger.emits} signals, but ${ledger.arrived} arrived`);
  if (ledger.surpriseCount > ledger.surprises.length) failures.push(`… ${ledger.surpriseCount} surprises in all`);
  return { samples, trends, ledger, failures };
}

type Ends = readonly [first: number, last: number];

function ofGrowth({ limit, format }: Quantity, trend: Trend, seconds: number): string | undefined {
  if (limit === undefined) return undefined;
  const growth = growthIn(seconds, trend);
  const verdict = judged(growth, limit);
  if (verdict === 'within') return undefined;
  const { slope, least, most } = growth;
  const found = `${format(slope)} (${format(least)} to ${format(most)}) in ${Math.round(seconds)} s`;
  return `${verdict === 'beyond' ? 'grows by' : 'too short to tell:'} ${found}, the limit is ${format(limit)}`;
}

function ofLevel({ ceiling, format }: Quantity, values: readonly number[]): string | undefined {
  const middle = median([...values].sort((a, b) => a - b));
  return ceiling === undefined || middle <= ceiling ? undefined : `${format(middle)}, more than ${format(ceiling)}`;
}

function ofReturn({ returns, format }: Quantity, [first, last]: Ends): string | undefined {
  return returns !== true || first === last ? undefined : `${format(first)} at first, ${format(last)} at last`;
}
