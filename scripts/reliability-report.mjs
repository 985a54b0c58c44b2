/**
 * `npm run report:reliability`: makes docs/reliability/report.md from the figures that the measurements left in
 * docs/reliability/figures. What has not been measured is said to be "not run"; nothing is measured here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readMeasurement } from './reliability-report/figures.mjs';
import { sections } from './reliability-report/sections.mjs';
import { root } from './setup/report.mjs';

const folder = join(root, 'docs', 'reliability');
const file = join(folder, 'report.md');

writeFileSync(file, `${report()}\n`);
console.log(`wrote ${relative(root, file)}`);

function report() {
  const measured = sections.map((section) => ({ section, measurement: measurementOf(section) }));
  return [
    '# Reliability report',
    'Made by `npm run report:reliability` from the figures in `figures/`, each of which was written by its own command, on the date that it has: what was changed since is not in them.',
    summary(measured),
    ...measured.map(part),
    '## Known gaps',
    readFileSync(join(folder, 'known-gaps.md'), 'utf8').trim(),
  ].join('\n\n');
}

/** Figures without the head that all of them have, or of another form, are of another time, and have to be measured anew. */
function measurementOf({ name, isReadable = () => true }) {
  const measurement = readMeasurement(name);
  return measurement?.figures === undefined || !isReadable(measurement.figures) ? undefined : measurement;
}

function summary(measured) {
  const rows = measured.map(({ section, measurement }) => {
    const outcome = measurement === undefined ? 'not run' : section.outcome(measurement.figures);
    const link = `[${section.title}](#${section.title.toLowerCase().replaceAll(' ', '-')})`;
    return `| ${link} | ${measurement === undefined ? '–' : dateOf(measurement)} | ${outcome} |`;
  });
  return ['| measurement | date | outcome |', '| --- | --- | --- |', ...rows].join('\n');
}

function part({ section, measurement }) {
  const heading = `## ${section.title}\n\n${section.about}`;
  if (measurement === undefined) return `${heading}\n\nNot run. \`${section.command}\` runs it.`;
  const { command, busbar, node, platform } = measurement;
  const details = section.details(measurement.figures);
  const about = `${dateOf(measurement)}, busbar ${busbar}, Node.js ${node}, ${platform}`;
  return `${heading}\n\n\`${command}\` (${about})\n\n${details}`;
}

/** Of what was measured in parts, from the first date to the last. */
function dateOf({ date = 'date unknown', figures }) {
  const parts = Object.values(figures.targets ?? figures).map((part) => part?.date);
  const dates = parts.filter((each) => each !== undefined).sort();
  if (dates.length === 0) return date;
  return dates[0] === dates.at(-1) ? dates[0] : `${dates[0]} to ${dates.at(-1)}`;
}
