/**
 * The figures of measurements: a file for each in docs/reliability/figures, named after it, so that each can be measured
 * anew by itself. All of them are written here and begin alike; the page there says how.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup/report.mjs';

const folder = join(root, 'docs', 'reliability', 'figures');
const fileOf = (measurement) => join(folder, `${measurement}.json`);

/** Writes the figures of one measurement; returns the path of the file, from the project's root. */
export function saveFigures(measurement, command, figures) {
  const { version: busbar } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const date = new Date().toISOString().slice(0, 10);
  const about = { measurement, command, date, busbar, node: process.version, platform: process.platform };
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(measurement), `${JSON.stringify({ ...about, figures }, undefined, 2)}\n`);
  return relative(root, fileOf(measurement));
}

/** What was written last; `undefined` if nothing was. */
export function readMeasurement(measurement) {
  const file = fileOf(measurement);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
