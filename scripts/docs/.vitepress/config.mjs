/** The site that VitePress makes from the pages in build/site-source. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../setup/report.mjs';
import { repositoryAddress, source } from '../pages.mjs';

const { description, homepage, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const sidebar = JSON.parse(readFileSync(join(source, 'sidebar.json'), 'utf8'));

/** How the search of the site weighs its matches; `check.mjs` searches in the same way. */
export const searchOptions = {
  fuzzy: 0.2,
  prefix: true,
  boost: { title: 4, text: 2, titles: 1 },
  // The guide explains the entries of the reference, and reports have every word somewhere.
  boostDocument: (id) => (/\/guide\//.test(id) ? 2 : /benchmarks|reliability|support|changelog/.test(id) ? 0.2 : 1),
};

// biome-ignore lint/style/noDefaultExport: VitePress looks for it.
export default {
  srcDir: source,
  outDir: join(root, 'build', 'site'),
  cacheDir: join(root, 'build', 'site-cache'),
  title: 'busbar',
  description,
  lang: 'en',
  // package.json has the address of the site. Without it pages have no address.
  ...(homepage === undefined ? {} : { base: new URL('./', homepage).pathname, sitemap: { hostname: homepage } }),
  metaChunk: true,
  // Comments of `github-dark` are too dark to read.
  markdown: { theme: { light: 'github-light', dark: 'github-dark-default' } },
  vite: { build: { chunkSizeWarningLimit: 10_000 }, logLevel: 'warn' },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/', activeMatch: '^/(guide/(?!recipes)|package|diagnostics)' },
      { text: 'Recipes', link: '/guide/recipes' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      { text: version, link: '/changelog' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local', options: { detailedView: true, miniSearch: { searchOptions } } },
    // Not an empty list, for which the theme shows a line at the edge of the page.
    ...(repositoryAddress === undefined ? {} : { socialLinks: [{ icon: 'github', link: repositoryAddress }] }),
    footer: { message: 'MIT licence' },
  },
  transformPageData(page) {
    page.description ||= firstParagraph(readFileSync(join(source, page.relativePath), 'utf8'));
    if (/^reference\/.*\//.test(page.relativePath)) page.frontmatter.pageClass = 'reference';
  },
  transformHead({ pageData, title, description }) {
    const address =
      homepage && new URL(pageData.relativePath.replace(/(^|index)\.md$/, '').replace(/\.md$/, '.html'), homepage).href;
    const meta = (property, content) => ['meta', { property, content }];
    return [
      meta('og:title', title),
      meta('og:description', description),
      meta('og:type', 'website'),
      ...(address === undefined ? [] : [meta('og:url', address), ['link', { rel: 'canonical', href: address }]]),
    ];
  },
};

/** The first paragraph of a page, as text of one line. */
function firstParagraph(markdown) {
  const text = markdown.replace(/^---[\s\S]*?^---$/m, '').replace(/^```[\s\S]*?^```$/gm, '');
  const paragraph = text.split(/\n{2,}/).find((block) => /^[A-Z`*_[]/.test(block.trim())) ?? '';
  const plain = paragraph
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*_]/g, '')
    .replace(/\s+/g, ' ');
  return plain.length <= 200 ? plain : `${plain.slice(0, plain.lastIndexOf(' ', 197))}…`;
}
