/**
 * The pages of the site that are written in Markdown: whatever is in docs/, and the pages beside the README that it
 * leads to. The guide's own list is their order; other folders are in alphabetical order.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { root } from '../setup/report.mjs';

const docs = join(root, 'docs');
const guide = join(docs, 'guide');

/** Absolute paths in the order of the sidebar. Folders below these hold figures. */
export function documents() {
  const folders = readdirSync(docs, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'guide',
  );
  return [
    ...guidePages(),
    ...pagesIn(docs),
    ...['SECURITY.md', 'CHANGELOG.md', 'examples/quickstart/README.md'].map((name) => join(root, name)),
    ...folders.flatMap(({ name }) => pagesIn(join(docs, name))),
  ];
}

/**
 * The guide's pages, by the list in its README.
 *
 * @throws if the list has not all of them
 */
function guidePages() {
  const list = readFileSync(join(guide, 'README.md'), 'utf8');
  const listed = [...list.matchAll(/^\d+\. \[[^\]]*\]\(([\w-]+\.md)\)/gm)].map(([, name]) => join(guide, name));
  const missing = pagesIn(guide).filter((page) => basename(page) !== 'README.md' && !listed.includes(page));
  if (missing.length > 0)
    throw new Error(`docs/guide/README.md does not list ${missing.map((page) => basename(page)).join(', ')}`);
  return [join(guide, 'README.md'), ...listed];
}

/** A file without a heading is a part of a page that a script writes. */
function pagesIn(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => headingOf(path) !== undefined);
}

function headingOf(path) {
  return /^# (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
}

/** The heading in the sidebar under which a page stands. */
export function groupOf(path) {
  const folder = relative(docs, dirname(path));
  if (folder === '' || folder.startsWith('..')) return 'About busbar';
  return folder[0].toUpperCase() + folder.slice(1);
}

/** What a page is called: by its first heading. */
export function titleOf(path) {
  return path.endsWith('guide/README.md') ? 'Overview' : headingOf(path).replaceAll('`', '');
}
