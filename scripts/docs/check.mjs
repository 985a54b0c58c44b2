/**
 * Checks of the built site. Its links: the file has to exist, and the anchor after `#` has to be in it. Its search: words
 * of the guide find their pages. Nothing may be loaded from another host: pages must work offline, and their visits must
 * not be tracked.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import MiniSearch from 'minisearch';
import config, { searchOptions } from './.vitepress/config.mjs';

const { base = '/' } = config;

/** Words that a reader may search for, and the page that has to be among the first results. None is in a title. */
const searches = {
  experimentalDecorators: '/guide/getting-started',
  pause: '/guide/recipes',
  hasty: '/guide/clients',
  invalidates: '/guide/services',
  noncharacters: '/architecture',
  bigint: '/guide/values',
  ServiceLeftError: '/guide/errors',
  BUSBAR_UNWRITTEN: '/guide/lifecycle',
  arg0namespace: '/guide/names-and-messages',
  handOver: '/guide/file-descriptors',
  overflow: '/guide/peers',
  'private bus': '/guide/testing',
  asarUnpack: '/package',
};

/** The number of results that a reader reads. */
const FIRST = 3;

/** The number of links and resources, and a line for each wrong one. */
export function checkLinks(site) {
  const problems = [];
  const pages = new Map(filesOf(site, '.html').map((path) => [path, readFileSync(path, 'utf8')]));
  const anchors = new Map([...pages].map(([path, html]) => [path, new Set(attributes(html, 'id'))]));
  let links = 0;

  for (const [path, html] of pages) {
    const resources = [...attributes(html, 'src'), ...stylesheets(html)];
    for (const link of new Set([...attributes(html, 'href'), ...resources])) {
      links++;
      const reason = /^[a-z]+:|^\/\//.test(link)
        ? resources.includes(link) && !link.startsWith('data:') && 'is loaded from elsewhere'
        : brokenWhy(path, link);
      if (reason) problems.push(`${relative(site, path)}: ${link} ${reason}`);
    }
  }
  for (const path of filesOf(site, '.css')) {
    for (const [, url] of readFileSync(path, 'utf8').matchAll(/(?:@import|url\()\s*["']?(https?:[^"')]+)/g))
      problems.push(`${relative(site, path)}: ${url} is loaded from elsewhere`);
  }
  return { links, problems };

  /** Why a link is broken; `undefined` if it is not. */
  function brokenWhy(page, link) {
    const [file, anchor] = link.split('#').map(decodeURIComponent);
    const path = file.startsWith(base) ? join(site, file.slice(base.length)) : join(dirname(page), file);
    const target = file === '' ? page : file.endsWith('/') ? join(path, 'index.html') : path;
    if (!existsSync(target)) return 'is not there';
    if (!anchor || !anchors.has(target)) return undefined;
    return anchors.get(target).has(anchor) ? undefined : 'has no such place in it';
  }
}

/** The number of searches, and a line for each that does not find its page among the first results. */
export async function checkSearch(site) {
  const [file] = filesOf(join(site, 'assets'), '.js').filter((path) => path.includes('localSearchIndex'));
  const { default: index } = await import(pathToFileURL(file).href);
  const search = MiniSearch.loadJSON(index, {
    fields: ['title', 'titles', 'text'],
    storeFields: ['title', 'titles'],
    searchOptions,
  });
  const misses = Object.entries(searches).flatMap(([words, page]) => {
    const found = [
      ...new Set(search.search(words).map(({ id }) => id.slice(base.length - 1).replace(/\.html|#.*/g, ''))),
    ].slice(0, FIRST);
    return found.includes(page) ? [] : [`searching for “${words}” finds ${found.join(', ') || 'nothing'}, not ${page}`];
  });
  return { searches: Object.keys(searches).length, misses };
}

function attributes(html, name) {
  return [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value.replaceAll('&amp;', '&'));
}

function stylesheets(html) {
  const loaded = [...html.matchAll(/<link [^>]*>/g)].filter(([tag]) => !/rel="(canonical|alternate)"/.test(tag));
  return loaded.flatMap(([tag]) => attributes(tag, 'href'));
}

function filesOf(folder, extension) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}
