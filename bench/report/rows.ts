/** The rows of a workload's table, the same for the terminal and for the report. */
import { quantities, quantityOf } from '../quantities.js';
import type { MeasuredPeer, WorkloadResults } from '../results.js';
import { factor, formatted } from './numbers.js';
import { ratiosOf } from './ratios.js';

export interface Row {
  readonly id: string;
  readonly title: string;
  /** One text for each of {@link headings}, or the reason why there are none. */
  readonly cells: readonly string[] | string;
}

export function headings({ workload }: WorkloadResults): readonly string[] {
  return [...workload.columns.map((name) => quantities[name].title), '× C', '× best JS'];
}

export function rowsOf(results: WorkloadResults, peers: readonly MeasuredPeer[]): readonly Row[] {
  const { workload, cells } = results;
  return peers
    .filter(({ id }) => cells[id] !== undefined)
    .map(({ id, title }) => {
      const cell = cells[id];
      if ('failure' in cell) return { id, title, cells: cell.failure };
      const ratios = ratiosOf(results, peers, id, workload.columns[0]);
      const values = workload.columns.map((name) => formatted(name, quantityOf(cell, name)));
      return { id, title, cells: [...values, factor(ratios.c), factor(ratios.javascript)] };
    });
}
