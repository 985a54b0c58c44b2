/** Results as they come, as tables for a terminal. */
import type { Daemon } from '../../test/helpers/private-bus.js';
import type { MeasuredPeer, WorkloadResults } from '../results.js';
import { headings, rowsOf } from './rows.js';

const COLUMN = 15;

export function printWorkload(daemon: Daemon, results: WorkloadResults, peers: readonly MeasuredPeer[]): void {
  const { title, operation } = results.workload;
  const rows = rowsOf(results, peers);
  if (rows.length === 0) return;
  console.log(`\n${title}, for each ${operation} (${daemon})`);
  const width = Math.max(...rows.map((row) => row.title.length));
  const print = (first: string, columns: readonly string[]) =>
    console.log(`  ${first.padEnd(width)}${columns.map((text) => text.padStart(COLUMN)).join('')}`);
  print('', headings(results));
  for (const row of rows) {
    if (typeof row.cells === 'string') console.log(`  ${row.title.padEnd(width)}  ${row.cells}`);
    else print(row.title, row.cells);
  }
}
