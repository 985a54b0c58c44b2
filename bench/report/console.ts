/** Results as they come, as tables for a terminal. */
import type { Daemon } from '../../test/helpers/private-bus.js';
import type { PreparedPeer } from '../peers.js';
import type { WorkloadResults } from '../rounds.js';
import { isOutcome } from '../samples.js';
import { factor, microseconds } from './numbers.js';
import { compare } from './ratios.js';

export function printWorkload(
  daemon: Daemon,
  { workload, cells }: WorkloadResults,
  peers: readonly PreparedPeer[],
): void {
  console.log(`\n${workload.title} (${daemon})`);
  const width = Math.max(...peers.map(({ title }) => title.length));
  const row = (title: string, columns: readonly string[]) =>
    console.log(`  ${title.padEnd(width)}${columns.map((text) => text.padStart(12)).join('')}`);
  row('', ['CPU', 'wall', '× C', '× best JS']);
  for (const { id, title } of peers) {
    const cell = cells.get(id);
    if (!isOutcome(cell)) {
      console.log(`  ${title.padEnd(width)}  ${cell?.failure.split('\n').slice(0, 3).join(' ') ?? 'was not run'}`);
      continue;
    }
    const ratios = compare(cells, peers, id);
    row(title, [microseconds(cell.cpu), microseconds(cell.wall), factor(ratios.c), factor(ratios.javascript)]);
  }
}
