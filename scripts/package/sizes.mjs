/** What takes the room in the package, and whether docs/package.md says so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';

/** The rows of the table in docs/package.md, by how they begin. A file belongs to the first that matches. */
const PARTS = [
  ['`prebuilds/`', /^prebuilds\//],
  ['`dist/index.js`', /^dist\/index\.js$/],
  ['`dist/index.cjs`', /^dist\/index\.cjs$/],
  ['`dist/index.d.ts`, `dist/index.d.cts`', /^dist\/index\.d\.c?ts$/],
  ['`native/`, `CMakeLists.txt`', /^native\/|^CMakeLists\.txt$/],
  ['other files', /^/],
];

/** By how much a part may differ from what the page says: it is not rewritten for every change. */
const TOLERANCE = 0.2;

/** What of the page is not so, in words; `undefined` where all of it is. */
export function misstatedSizes(files) {
  const page = readFileSync(join(root, 'docs/package.md'), 'utf8');
  const sizes = new Map(PARTS.map(([part]) => [part, 0]));
  for (const { path, size } of files) {
    const [part] = PARTS.find(([, pattern]) => pattern.test(path));
    sizes.set(part, sizes.get(part) + size);
  }
  const wrong = [...sizes].flatMap(([part, size]) => {
    const kilobytes = Math.round(size / 1000);
    const row = page.split('\n').find((line) => line.startsWith(`| ${part} |`));
    const stated = Number(/\| (\d+) \|$/.exec(row ?? '')?.[1]);
    return Math.abs(stated - kilobytes) <= kilobytes * TOLERANCE ? [] : [`${part} takes ${kilobytes} kB`];
  });
  return wrong.length === 0 ? undefined : wrong.join(', ');
}
