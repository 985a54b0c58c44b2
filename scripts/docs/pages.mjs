/**
 * The Markdown pages of the site, and their order. They are copied into a folder for VitePress, because they are in several
 * folders of the project, and because links to files that are not in the site, source code and folders, need another
 * target.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { root } from '../setup/report.mjs';

/** The folder from which VitePress makes the site. */
export const source = join(root, 'build', 'site-source');

/** Pages outside of `docs/`, by their paths in the project, with their places in the site. */
const elsewhere = {
  'README.md': 'index.md',
  'SECURITY.md': 'security.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'CODE_OF_CONDUCT.md': 'code-of-conduct.md',
  'examples/quickstart/README.md': 'quickstart.md',
};

/** The pages about the project, in the order of the sidebar. */
const project = [
  'examples/quickstart/README.md',
  'docs/support.md',
  'docs/versions.md',
  'SECURITY.md',
  'docs/reliability/report.md',
  'docs/benchmarks/report.md',
  'docs/benchmarks/profile.md',
  'docs/architecture.md',
  'CONTRIBUTING.md',
  'CODE_OF_CONDUCT.md',
  'CHANGELOG.md',
];

const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The address at which the repository is shown; `undefined` as long as package.json has none. */
export const repositoryAddress = repository?.url.replace(/^git\+/, '').replace(/\.git$/, '');

/**
 * The place of a page in the site; `undefined` for files that are not in the site. Folders below those of docs/ contain
 * figures.
 */
function placeOf(path) {
  if (path in elsewhere) return elsewhere[path];
  if (!/^docs\/(\w+\/)?[\w-]+\.md$/.test(path) || !existsSync(join(root, path)) || titleOf(path) === undefined)
    return undefined;
  return path.replace(/^docs\//, '').replace(/(^|\/)README\.md$/, '$1index.md');
}

/** The title of a page is its first heading. A file without one is a part of a page that a script writes. */
function titleOf(path) {
  return /^# (.+)$/m.exec(read(path))?.[1]?.replaceAll('`', '');
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

/**
 * Copies all pages and their pictures, and returns the sidebars.
 *
 * @throws if a link is broken, or a page is in no sidebar
 */
export function copyPages() {
  const below = (folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name));
  const pages = [...below('docs'), ...Object.keys(elsewhere)].filter((path) => placeOf(path) !== undefined);
  for (const path of below('docs').filter((path) => path.endsWith('.svg')))
    write(path.replace(/^docs\//, ''), undefined, join(root, path));
  for (const path of pages.filter((path) => path !== 'README.md')) write(placeOf(path), withLinksOfTheSite(path));
  write('index.md', landingPage());

  const sidebars = { '/reference/': [], '/': [...guideGroups(), { text: 'The project', items: project.map(itemOf) }] };
  const listed = JSON.stringify(sidebars);
  for (const path of pages) {
    const link = linkOf(path);
    if (/^\/(index|reference\/.*)$/.test(link) || listed.includes(JSON.stringify(link))) continue;
    throw new Error(`${path} is in no list of pages: see docs/guide/README.md and scripts/docs/pages.mjs`);
  }
  return sidebars;
}

/** The lists of docs/guide/README.md, each under its heading. */
function guideGroups() {
  const guide = 'docs/guide/README.md';
  const sections = read(guide).split(/^## /m).slice(1);
  const groups = sections.map((section) => ({
    text: section.slice(0, section.indexOf('\n')),
    items: [...section.matchAll(/^\d+\. \[[^\]]*\]\(([^)]+)\)/gm)].map(([, link]) =>
      itemOf(join(dirname(guide), link)),
    ),
  }));
  return [{ text: 'Guide', link: '/guide/', items: [] }, ...groups];
}

function itemOf(path) {
  return { text: titleOf(path), link: linkOf(path) };
}

function linkOf(path) {
  return `/${placeOf(path)
    .replace(/\.md$/, '')
    .replace(/(^|\/)index$/, '$1')}`;
}

/** The landing page: the README's first program, the chart, and further links. */
function landingPage() {
  const [, title, sentence] = /^# busbar\n\n(.+?)\. (.+)\n/.exec(read('README.md'));
  const [sample, output] = [...read('README.md').matchAll(/^```(?:ts|text)\n[\s\S]*?^```$/gm)].map(([block]) => block);
  return read('scripts/docs/landing.md')
    .replace('DESCRIPTION', JSON.stringify(`${title}. ${sentence}`))
    .replace('TITLE', JSON.stringify(title))
    .replace('SENTENCE', JSON.stringify(sentence))
    .replace('SAMPLE', () => `${sample}\n\n${output}`);
}

const LINK = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g;

/** The text of a page with links that work in the site. */
function withLinksOfTheSite(path) {
  const parts = read(path).split(/(^```[\s\S]*?^```$)/m);
  return parts.map((part) => (part.startsWith('```') ? part : part.replace(LINK, relinked))).join('');

  function relinked(whole, picture, text, link) {
    const [file, anchor] = link.split('#');
    if (file === '' || /^[a-z]+:/.test(file)) return whole;
    const target = relative(root, resolve(root, dirname(path), file));
    if (!existsSync(join(root, target))) throw new Error(`${path} links to ${link}, which is not there`);
    const place = picture === '' ? placeOf(target) : target.replace(/^docs\//, '');
    if (place === undefined) return repositoryAddress === undefined ? text : `[${text}](${addressOf(target)})`;
    const from = dirname(placeOf(path));
    const to = posix.relative(from, place);
    return `${picture}[${text}](${to.startsWith('.') ? to : `./${to}`}${anchor === undefined ? '' : `#${anchor}`})`;
  }
}

/** The address at which the repository shows a file or a folder. */
function addressOf(path) {
  return `${repositoryAddress}/${statSync(join(root, path)).isDirectory() ? 'tree' : 'blob'}/main/${path}`;
}

/** Writes a page, or copies a file. */
function write(place, text, from) {
  const path = join(source, place);
  mkdirSync(dirname(path), { recursive: true });
  if (from === undefined) writeFileSync(path, text);
  else copyFileSync(from, path);
}
