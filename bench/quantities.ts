/** What is measured of a workload: names of values, with the units they are kept in. */

export const quantities = {
  /** User and system time of the peer's process with all its threads, in microseconds an operation. */
  cpu: { title: 'CPU', unit: 'microseconds' },
  /** Time that passed, in microseconds an operation. */
  wall: { title: 'wall', unit: 'microseconds' },
  /** What an operation takes from the JavaScript heap and from buffers. */
  allocated: { title: 'allocated', unit: 'bytes' },
  /** What is left of it after a garbage collection. */
  retained: { title: 'kept', unit: 'bytes' },
  timerMedian: { title: 'late, median', unit: 'milliseconds' },
  timerP99: { title: 'late, p99', unit: 'milliseconds' },
  timerWorst: { title: 'late, worst', unit: 'milliseconds' },
  /** How much the process's largest size grew, in bytes for the whole workload. */
  grown: { title: 'memory grown', unit: 'bytes' },
  /** System calls of all kinds an operation, as strace counts them. */
  systemCalls: { title: 'system calls', unit: 'count' },
  receives: { title: 'receiving', unit: 'count' },
  sends: { title: 'sending', unit: 'count' },
} as const;

export type Quantity = keyof typeof quantities;
export type Unit = (typeof quantities)[Quantity]['unit'];

/** What one run of a peer gave; which quantities, the workload says. */
export type Values = Readonly<Partial<Record<Quantity, number>>>;

/** What is told of a peer in a workload: medians over the rounds, or the reason why there are none. */
export type Cell = { readonly values: Values; readonly rounds: number } | { readonly failure: string };

export function quantityOf(cell: Cell | undefined, quantity: Quantity): number | undefined {
  return cell !== undefined && 'values' in cell ? cell.values[quantity] : undefined;
}

/** The medians of what several rounds gave. */
export function mediansOf(runs: readonly Values[]): Values {
  const [first = {}] = runs;
  const names = Object.keys(first) as Quantity[];
  return Object.fromEntries(names.map((name) => [name, median(runs.map((values) => values[name] ?? Number.NaN))]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
