/** Writes the report and what belongs to it into docs/benchmarks/. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../test/helpers/paths.js';
import type { Results } from '../results.js';
import { messages } from '../workloads/messages.js';
import { barChart } from './bar-chart.js';
import { callsChart } from './calls-chart.js';
import { growthChart } from './growth-chart.js';
import { markdownReport } from './markdown.js';

/** Returns the path of the report, relative to the project. */
export function writeReport(results: Results): string {
  const folder = join('docs', 'benchmarks');
  const write = (name: string, content: string) => writeFileSync(join(projectRoot, folder, name), content);
  mkdirSync(join(projectRoot, folder), { recursive: true });
  const [first] = results.daemons;
  const charted = first?.workloads.filter(({ workload }) => messages.includes(workload)) ?? [];
  const growing = results.daemons.flatMap(({ workloads }) => workloads).filter(({ workload }) => workload.growth);
  write('overview.svg', barChart('CPU time for each operation; shorter is better', charted, results.peers));
  write('calls.svg', callsChart(results));
  write('growth.svg', growthChart('CPU time of a message by what the program holds', growing, 'busbar-socket'));
  write('report.md', markdownReport(results));
  return join(folder, 'report.md');
}
