/** The figures of fuzzing: what each target came to, and what ended its runs otherwise than they should. */
import { table } from './tables.mjs';

export function fuzzOutcome({ targets }) {
  const all = Object.values(targets);
  const least = Math.min(...all.map(({ cpuSeconds }) => cpuSeconds));
  const counts = Object.entries(columns)
    // Figures of before failures were counted have none, and say nothing of them.
    .filter(([kind]) => all.some((target) => target[kind] !== undefined))
    .map(([kind, words]) => `${all.reduce((sum, { [kind]: count = 0 }) => sum + count, 0)} ${words}`);
  const time = `${all.length} targets, each for at least ${(least / 60).toFixed(1)} min of processor time`;
  return `${time}: ${counts.join(', ')}`;
}

const columns = { findings: 'findings', failures: 'failed runs', interruptions: 'interrupted runs' };

export function fuzzDetails({ compiler, targets }) {
  const head = [
    'target',
    'processor time',
    'executions',
    ...Object.values(columns),
    'edges',
    'inputs kept',
    'date',
    'sources',
  ];
  const rows = Object.entries(targets).map(([name, target]) => [
    name,
    `${(target.cpuSeconds / 60).toFixed(1)} min`,
    target.executions,
    ...Object.keys(columns).map((kind) => target[kind] ?? 'not counted'),
    target.coverage,
    target.corpus,
    target.date,
    target.sources,
  ]);
  return [`Built with ${compiler}.`, table(head, rows)].join('\n\n');
}
