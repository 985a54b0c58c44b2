/**
 * The last run's results in build/bench/, so that the report can be made anew without an hour of measuring: workloads are
 * known by their ids there.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../test/helpers/paths.js';
import type { Results, WorkloadResults } from './results.js';
import { workloads } from './workloads/index.js';

const folder = join(projectRoot, 'build', 'bench');
const file = join(folder, 'results.json');

export function saveResults(results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    JSON.stringify(results, (key, value) => (key === 'workload' ? value.id : value), 2),
  );
}

/** The results of the last run that made a report. Workloads that are no longer there are left out. */
export function savedResults(): Results | undefined {
  if (!existsSync(file)) return undefined;
  const saved = JSON.parse(readFileSync(file, 'utf8')) as Results;
  const revive = ({ workload: id, cells }: WorkloadResults): WorkloadResults[] => {
    const workload = workloads.find((known) => known.id === (id as unknown as string));
    return workload === undefined ? [] : [{ workload, cells }];
  };
  const daemons = saved.daemons.map((daemon) => ({ ...daemon, workloads: daemon.workloads.flatMap(revive) }));
  return { ...saved, daemons };
}
