/** `docs/reliability/figures/sanitizers.json`: what each part came to when it ran last. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';

const path = join(root, 'docs', 'reliability', 'figures', 'sanitizers.json');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

export function writeFigures(part, found) {
  const known = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).figures : {};
  const figures = { ...known, [part]: { date: new Date().toISOString().slice(0, 10), ...found } };
  const sorted = Object.fromEntries(Object.entries(figures).sort());
  const measured = { measurement: 'sanitizers', command: 'npm run sanitize', busbar: version, node: process.version };
  const text = JSON.stringify({ ...measured, platform: process.platform, figures: sorted }, undefined, 2);
  writeFileSync(path, `${text}\n`);
}
