/**
 * `npm run docs:pictures`: builds the site and opens every page of it in headless Chromium, on a desktop and on a phone. It
 * fails if a page is wider than its window, if a script fails, or if anything is asked of the network. Of some pages, or of
 * those that the command line names, it takes pictures into build/site-pictures for a person to look at, light and dark.
 * Chromium and its driver are only fetched for this.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runQuietly } from '../setup/report.mjs';
import { program, requirePackages } from '../setup/system-packages.mjs';
import { orExplain, setupDependencies } from '../setup.mjs';

const pictures = join(root, 'build', 'site-pictures');
const tools = join(root, 'build', 'site-tools');

const named = process.argv.slice(2);
/** One of each kind. */
const typical = [
  'index.html',
  'documents/Getting_started.html',
  'documents/Services.html',
  'documents/Values_and_types.html',
  'documents/Where_busbar_runs.html',
  'documents/Reliability_report.html',
  'classes/busbar.MessageBus.html',
  'interfaces/busbar.InterfaceProxy.html',
  'modules/busbar.html',
];
const windows = [
  { name: 'desktop', width: 1280, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

await orExplain(setupDependencies, () => requirePackages([program('chromium', 'chromium')]), fetchDriver);
const { buildSite } = await import('./build.mjs');
const site = await buildSite();
if (site === undefined) process.exit(1);

const { chromium } = createRequire(join(tools, 'package.json'))('playwright-core');
mkdirSync(pictures, { recursive: true });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const problems = [];
const pages = pagesOf(site);
for (const { name, ...viewport } of windows) {
  for (const colorScheme of ['light', 'dark']) {
    const kind = `${name}-${colorScheme}`;
    await open(named.length > 0 ? named : typical, kind, { viewport, colorScheme }, (page, path) =>
      page.screenshot({ path: join(pictures, `${path.replace(/\W+/g, '-')}-${kind}.png`) }),
    );
  }
  await open(pages, name, { viewport });
}
await browser.close();
for (const problem of problems) console.error(problem);
console.log(`${pages.length} pages were opened, ${problems.length} problems; pictures are in ${pictures}`);
process.exitCode = problems.length === 0 && pages.length > 0 ? 0 : 1;

function pagesOf(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'));
}

/** Opens pages one after the other in one window, and has each looked at. */
async function open(paths, kind, options, look = () => {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  let current;
  const problem = (what) => problems.push(`${current} (${kind}): ${what}`);
  page.on('pageerror', ({ message }) => problem(message));
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) problem(`asks for ${request.url()}`);
  });
  for (current of paths) {
    await page.goto(pathToFileURL(join(site, current)).href, { waitUntil: 'load' });
    // The sidebar is made by a script, of an index that is a script itself.
    await page.waitForSelector('.tsd-navigation a', { state: 'attached' });
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    if (content > window) problem(`is ${content} pixels wide in a window of ${window}`);
    await look(page, current);
  }
  await context.close();
}

function fetchDriver() {
  if (existsSync(join(tools, 'node_modules', 'playwright-core'))) return;
  mkdirSync(tools, { recursive: true });
  runQuietly('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', tools, 'playwright-core']);
}
