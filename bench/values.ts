/** Formats of measured values: tables of peers, and whether busbar reached its targets. */
import { table } from '../scripts/report.mjs';
import { type MeasuredPeer, newer, reference, subject } from './peers.js';
import type { Workload } from './workloads.js';

const microseconds = (value: number) => scaled(value, 1000, ['µs', 'ms', 's']);
const milliseconds = (value: number) => `${shortNumber(value)} ms`;
const bytes = (value: number) => scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB']);

/** The quantities of a workload: names of values, with their formats. */
const quantities = {
  /** User and system time of the peer's process with all its threads, in microseconds an operation. */
  cpu: ['CPU', microseconds],
  /** Elapsed time, in microseconds an operation. */
  wall: ['wall', microseconds],
  /** The memory that an operation allocates on the JavaScript heap and in buffers. */
  allocated: ['allocated', bytes],
  /** The part of it that is left after a garbage collection. */
  retained: ['kept', bytes],
  timerMedian: ['late, median', milliseconds],
  timerP99: ['late, p99', milliseconds],
  timerWorst: ['late, worst', milliseconds],
  /** The growth of the process's largest size, in bytes for the whole workload. */
  grown: ['memory grown', bytes],
  /** System calls of all kinds an operation, as strace counts them. */
  systemCalls: ['system calls', shortNumber],
  receives: ['receiving', shortNumber],
  sends: ['sending', shortNumber],
} as const satisfies Record<string, readonly [string, (value: number) => string]>;

export type Quantity = keyof typeof quantities;

/** The results of one run of a peer; the workload says which quantities. */
export type Values = Readonly<Partial<Record<Quantity, number>>>;

/** The results of a peer in a workload: medians over the rounds, or the reason why there are none. */
export type Cell = { readonly values: Values } | { readonly failure: string };

export interface WorkloadResults {
  readonly workload: Workload;
  /** By the ids of peers. */
  readonly cells: Readonly<Record<string, Cell>>;
}

/** A target of busbar: a value that it should not exceed, or a ratio to another peer, or to itself in another workload. */
export interface Target {
  readonly quantity: Quantity;
  readonly most: number;
  readonly subject?: string;
  readonly to?: string;
  readonly workload?: string;
}

/** A value of a quantity with its unit; a dash where there is none. */
export function formatted(quantity: Quantity, value: number | undefined): string {
  return value === undefined ? '–' : quantities[quantity][1](value);
}

export function valueIn(results: WorkloadResults | undefined, peer: string, quantity: Quantity): number | undefined {
  const cell = results?.cells[peer];
  return cell !== undefined && 'values' in cell ? cell.values[quantity] : undefined;
}

/** The medians of the results of several rounds. */
export function mediansOf(runs: readonly Values[]): Values {
  const names = Object.keys(runs[0] ?? {}) as Quantity[];
  return Object.fromEntries(names.map((name) => [name, median(runs.map((values) => values[name] ?? Number.NaN))]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A workload's table: its quantities for each peer, with the ratios to C and to the best other JavaScript library. */
export function workloadTable(results: WorkloadResults, peers: readonly MeasuredPeer[]): string {
  const { columns } = results.workload;
  const [first] = columns;
  const others = peers.filter(({ id, language }) => language === 'JavaScript' && !id.startsWith('busbar'));
  const best = Math.min(...others.map(({ id }) => valueIn(results, id, first) ?? Number.POSITIVE_INFINITY));
  const rows = peers.flatMap(({ id, title }) => {
    const cell = results.cells[id];
    if (cell === undefined) return [];
    const name = id.startsWith('busbar') ? `**${title}**` : title;
    if ('failure' in cell) return [[name, `failed: ${cell.failure}`, ...columns.slice(1).map(() => '–'), '–', '–']];
    const own = cell.values[first];
    const values = columns.map((column) => formatted(column, cell.values[column]));
    return [[name, ...values, factor(own, valueIn(results, reference, first)), factor(own, best)]];
  });
  return table(['', ...columns.map((column) => quantities[column][0]), '× C', '× best JS'], rows);
}

/** A row for each peer, with the CPU time at each size. */
export function growthTable(series: readonly WorkloadResults[], peers: readonly MeasuredPeer[]): string {
  const rows = peers
    .filter(({ id }) => series[0]?.cells[id] !== undefined)
    .map(({ id, title }) => [title, ...series.map((results) => formatted('cpu', valueIn(results, id, 'cpu')))]);
  return table(['CPU', ...series.map(({ workload }) => `${workload.growth?.size}`)], rows);
}

/** The targets of busbar in a workload, and whether each is met. */
export function verdicts(results: WorkloadResults, others: ReadonlyMap<string, WorkloadResults>): string {
  const texts = (results.workload.targets ?? []).map((target) => {
    const { quantity, most, to, workload } = target;
    const own = valueIn(results, target.subject ?? subject, quantity);
    const title = `${quantities[quantity][0]}${target.subject === newer ? ' on the newer Node.js' : ''}`;
    if (to === undefined && workload === undefined)
      return `${title} at most ${formatted(quantity, most)}: ${verdict(own, most, (value) => formatted(quantity, value))}`;
    const other = valueIn(workload === undefined ? results : others.get(workload), to ?? subject, quantity);
    const ratio = own === undefined || other === undefined ? undefined : own / other;
    return `${title} at most ${most} times that of ${to ?? workload}: ${verdict(ratio, most, (value) => value.toFixed(2))}`;
  });
  return texts.map((text) => `- Target: ${text}`).join('\n');
}

/** The ratio of the most expensive size of a series to the smallest size. */
export function growthVerdict(series: readonly WorkloadResults[]): string {
  const [smallest = Number.NaN, ...larger] = series.map((results) => valueIn(results, subject, 'cpu') ?? Number.NaN);
  return `- Target: at most 1.3 times the smallest: ${verdict(Math.max(...larger) / smallest, 1.3, (value) => value.toFixed(2))}`;
}

export function verdict(value: number | undefined, most: number, format: (value: number) => string): string {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  return `${format(value)}, ${value <= most ? 'met' : 'missed'}`;
}

function factor(value: number | undefined, other: number | undefined): string {
  const ratio = value === undefined || other === undefined ? Number.NaN : value / other;
  return Number.isFinite(ratio) && other !== Number.POSITIVE_INFINITY ? ratio.toFixed(2) : '–';
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  let number = value;
  for (; Math.abs(number) >= step && unit < units.length - 1; unit++) number /= step;
  return `${shortNumber(number)} ${units[unit]}`;
}

/** Three significant digits, and no exponents. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return value.toFixed(0);
  return size >= 1 ? value.toPrecision(3) : value.toFixed(size >= 0.1 ? 2 : 3);
}
