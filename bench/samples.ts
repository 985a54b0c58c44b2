/** What programs report, and what becomes of it: a median for each number. */

/** What a program reports of one round. Times are in microseconds, for all operations together. */
export interface Sample {
  readonly operations: number;
  readonly cpu: number;
  readonly wall: number;
}

/** What is told of a peer in a workload: medians over the rounds, in microseconds for one operation. */
export interface Outcome {
  readonly cpu: number;
  readonly wall: number;
  readonly rounds: number;
}

/** A cell of the result: an outcome, or the reason why there is none. */
export type Cell = Outcome | { readonly failure: string };

export function isOutcome(cell: Cell | undefined): cell is Outcome {
  return cell !== undefined && 'cpu' in cell;
}

export function outcomeOf(samples: readonly Sample[]): Outcome {
  return {
    cpu: median(samples.map(({ cpu, operations }) => cpu / operations)),
    wall: median(samples.map(({ wall, operations }) => wall / operations)),
    rounds: samples.length,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
