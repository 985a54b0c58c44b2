/**
 * `npm run report:support`: makes docs/support.md from the figures that the runs left in docs/support/figures, and from
 * what the committed binaries are. Nothing is run here.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inspection } from './prebuilds/inspection.mjs';
import { targets } from './prebuilds/targets.mjs';
import { table } from './reliability-report/tables.mjs';
import { readRows } from './runtimes/results.mjs';
import { root } from './setup/report.mjs';
import { binaryRows, loadRows, runRows, skipReasons } from './support-report/details.mjs';
import { matrix } from './support-report/matrix.mjs';

const folder = join(root, 'docs', 'support');
const file = join(root, 'docs', 'support.md');
const figures = (name) => join(folder, 'figures', `${name}.json`);

const inspections = targets.map((target) => ({
  title: `${target.platform}-${target.arch} ${target.libc}`,
  ...inspection(target),
}));
const runs = [
  ...readRows(figures('runtimes')).map((run) => ({ target: 'linux-x64 glibc', ...run })),
  ...readRows(figures('architectures')),
];
const loads = existsSync(figures('loading')) ? JSON.parse(readFileSync(figures('loading'), 'utf8')).loads : [];

writeFileSync(file, `${report()}\n`);
console.log(`wrote ${relative(root, file)}`);

function report() {
  return [
    '# Where busbar runs',
    'Made by `npm run report:support` from the figures in `support/figures/`, each of which was written by its own ' +
      'command, and from the binaries as they are. Which versions of Node.js and TypeScript are supported, and for how ' +
      'long, is in [versions.md](versions.md).',
    tableOf(matrix(inspections, runs, loads)),
    readFileSync(join(folder, 'words.md'), 'utf8').trim(),
    '## What was run',
    '`npm run test:runtimes` and `npm run test:architectures`.',
    tableOf(runRows(runs)),
    'Skipped, because:',
    skipReasons(runs).join('\n'),
    '## What was inspected',
    '`npm run check:prebuilds` holds every binary to its limits, and fails where one is older than its sources; it is ' +
      'part of `npm test`.',
    tableOf(binaryRows(inspections)),
    '## What was loaded',
    '`npm run check:loading`.',
    loads.length === 0 ? 'Not run.' : tableOf(loadRows(loads)),
    readFileSync(join(folder, 'notes.md'), 'utf8').trim(),
  ].join('\n\n');
}

function tableOf({ head, rows }) {
  return table(head, rows);
}
