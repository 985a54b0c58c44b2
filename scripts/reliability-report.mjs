/**
 * `npm run report:reliability`: makes docs/reliability/report.md from the figures that the measurements left in
 * docs/reliability/figures. What has not been measured is said to be "not run"; nothing is measured here.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sections } from './reliability-report/sections.mjs';
import { root } from './setup/report.mjs';

const folder = join(root, 'docs', 'reliability');
const file = join(folder, 'report.md');

writeFileSync(file, `${report()}\n`);
console.log(`wrote ${relative(root, file)}`);

function report() {
  const measured = sections.map((section) => ({ section, measurement: read(section.name) }));
  return [
    '# Reliability report',
    'Made by `npm run report:reliability` from the figures in `figures/`, each of which was written by its own command.',
    summary(measured),
    ...measured.map(part),
    '## Known gaps',
    readFileSync(join(folder, 'known-gaps.md'), 'utf8').trim(),
  ].join('\n\n');
}

function read(name) {
  const path = join(folder, 'figures', `${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function summary(measured) {
  const rows = measured.map(({ section, measurement }) => {
    const outcome = measurement === undefined ? 'not run' : section.outcome(measurement.figures ?? measurement);
    return `| [${section.title}](#${section.title.toLowerCase().replaceAll(' ', '-')}) | ${outcome} |`;
  });
  return ['| measurement | outcome |', '| --- | --- |', ...rows].join('\n');
}

function part({ section, measurement }) {
  const heading = `## ${section.title}\n\n${section.about}`;
  if (measurement === undefined) return `${heading}\n\nNot run. \`${section.command}\` runs it.`;
  const { command = section.command, busbar, node, platform } = measurement;
  const versions = [busbar && `busbar ${busbar}`, node && `Node.js ${node}`, platform].filter(Boolean).join(', ');
  const details = section.details(measurement.figures ?? measurement);
  return `${heading}\n\n\`${command}\`${versions === '' ? '' : ` (${versions})`}\n\n${details}`;
}
