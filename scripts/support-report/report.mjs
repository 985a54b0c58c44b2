/** docs/support.md: what the runs left in docs/support/figures, and what the committed binaries are. Nothing is run here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasReadelf } from '../prebuilds/elf.mjs';
import { inspection } from '../prebuilds/inspection.mjs';
import { targets } from '../prebuilds/targets.mjs';
import { table } from '../report.mjs';
import { readRows } from '../runtimes/results.mjs';
import { root } from '../setup/report.mjs';
import { binaryRows, installationRows, loadRows, runRows, skipReasons, workerRows } from './details.mjs';
import { matrix } from './matrix.mjs';

export const reportFile = join(root, 'docs', 'support.md');

const folder = join(root, 'docs', 'support');
const figures = (name) => join(folder, 'figures', `${name}.json`);

/** What is wrong with docs/support.md, if it is not what the figures and the binaries give. */
export function staleness() {
  // Without it a report would say nothing of the binaries.
  if (!hasReadelf()) return undefined;
  if (existsSync(reportFile) && readFileSync(reportFile, 'utf8') === supportReport()) return undefined;
  return 'docs/support.md is not what its figures and the binaries give: npm run report:support';
}

/** The text of docs/support.md. */
export function supportReport() {
  const inspections = targets.map((target) => ({
    title: `${target.platform}-${target.arch} ${target.libc}`,
    ...inspection(target),
  }));
  const runs = [
    ...readRows(figures('runtimes')).map((run) => ({ target: 'linux-x64 glibc', ...run })),
    ...readRows(figures('architectures')),
  ];
  const loads = existsSync(figures('loading')) ? JSON.parse(readFileSync(figures('loading'), 'utf8')).loads : [];
  const parts = [
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
    '## Workers that are terminated',
    '`npm run test:runtimes` also starts this many workers with each poller, and terminates each at some moment of a ' +
      'connection: while it connects, calls, listens to signals, gets a flood of them, or takes peers. Then no thread, ' +
      'connection or descriptor may be left, and nothing may have crashed.',
    tableOf(workerRows(readRows(figures('workers')))),
    '## What was installed',
    '`npm run test:pack` packs the package as it would be published, and installs and runs it in empty projects, as ' +
      'told in [package.md](package.md#how-it-is-checked).',
    tableOf(installationRows(readRows(figures('pack')))),
    '## With which tools',
    '`npm run test:loading` has a program that connects two ends made, run and tested by each of these. Where a bundle or an ' +
      'executable needs more than busbar itself, the program says so first, and works once that is there: see ' +
      '[package.md](package.md#bundles).',
    tableOf(installationRows(readRows(figures('tools')))),
    '## What was inspected',
    '`npm run check:prebuilds` holds every binary to its limits, it is ' + 'part of `npm run test:all`.',
    tableOf(binaryRows(inspections)),
    '## What was loaded',
    '`npm run check:loading`.',
    tableOf(loadRows(loads)),
    readFileSync(join(folder, 'notes.md'), 'utf8').trim(),
  ];
  return `${parts.join('\n\n')}\n`;
}

function tableOf({ head, rows }) {
  return rows.length === 0 ? 'Not run.' : table(head, rows);
}
