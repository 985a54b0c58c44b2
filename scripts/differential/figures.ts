/**
 * Figures of measurements for the report on reliability: a file for each in docs/reliability/figures/, named after what
 * was done, so that each can be measured anew by itself. See the page there for what all of them have in common.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../test/helpers/paths.js';

const folder = join(projectRoot, 'docs', 'reliability', 'figures');

/** Writes the figures of one measurement; returns the path of the file, from the project's root. */
export function saveFigures(measurement: string, command: string, figures: object): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const about = { measurement, command, busbar: version, node: process.version, platform: process.platform };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${measurement}.json`);
  writeFileSync(file, `${JSON.stringify({ ...about, figures }, undefined, 2)}\n`);
  return file.slice(projectRoot.length);
}
