/**
 * Follows every link of the built pages that stays within the site: the file has to be there, and what is behind `#` has
 * to be in it. Nothing may be loaded from elsewhere: pages must work offline, and tell nobody that they are read.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** The number of links and resources, and a line for each that is wrong. */
export function checkLinks(site) {
  const problems = [];
  const pages = new Map(filesOf(site, '.html').map((path) => [path, readFileSync(path, 'utf8')]));
  const anchors = new Map([...pages].map(([path, html]) => [path, new Set(attributes(html, 'id'))]));
  let links = 0;

  for (const [path, html] of pages) {
    const wrong = (what) => problems.push(`${relative(site, path)}: ${what}`);
    const resources = [...attributes(html, 'src'), ...stylesheets(html)];
    for (const link of new Set([...attributes(html, 'href'), ...resources])) {
      links++;
      const reason = /^[a-z]+:|^\/\//.test(link)
        ? resources.includes(link) && 'is loaded from elsewhere'
        : brokenWhy(path, link, anchors);
      if (reason) wrong(`${link} ${reason}`);
    }
  }
  for (const path of filesOf(site, '.css')) {
    for (const [, url] of readFileSync(path, 'utf8').matchAll(/(?:@import|url\()\s*["']?(https?:[^"')]+)/g)) {
      links++;
      problems.push(`${relative(site, path)}: ${url} is loaded from elsewhere`);
    }
  }
  return { links, problems };
}

/** Why a link leads nowhere; `undefined` if it leads somewhere. */
function brokenWhy(page, link, anchors) {
  const [file, anchor] = link.split('#');
  const target = file === '' ? page : resolve(dirname(page), decodeURIComponent(file));
  if (!existsSync(target)) return 'is not there';
  if (!anchor || !anchors.has(target)) return undefined;
  return anchors.get(target).has(decodeURIComponent(anchor)) ? undefined : 'has no such place in it';
}

function attributes(html, name) {
  return [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value.replaceAll('&amp;', '&'));
}

function stylesheets(html) {
  return [...html.matchAll(/<link [^>]*>/g)].flatMap(([tag]) => attributes(tag, 'href'));
}

function filesOf(folder, extension) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}
