/**
 * `npm run docs:pictures`: builds the site and opens every page of it in headless Chromium, on a desktop and on a phone,
 * and searches it. It fails if a page is wider than its window, if a script fails, if code of 100 columns does not fit on a
 * desktop, or if anything is requested from another host. Chromium and its driver are only downloaded for this.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readOptions } from '../options.mjs';
import { installDependencies } from '../setup/dependencies.mjs';
import { root, runQuietly } from '../setup/report.mjs';
import { program, requirePackages } from '../setup/system-packages.mjs';
import { runSetup, setupDependencies } from '../setup.mjs';

const pictures = join(root, 'build', 'site-pictures');
const tools = join(root, 'build', 'site-tools');

const USAGE = `Usage: npm run docs:pictures -- [pages]

  builds the site, opens every page of it in headless Chromium, and checks it there. Pictures of some
  pages, or of those that are named (guide/services.html), are put into build/site-pictures.

  --help      prints this text`;

const { words: named } = readOptions(USAGE, {}, true);
/** One of each kind. */
const typical = [
  'index.html',
  'guide/getting-started.html',
  'guide/services.html',
  'guide/values.html',
  'support.html',
  'reliability/report.html',
  'reference/connect.html',
  'reference/classes/MessageBus.html',
  'reference/interfaces/InterfaceProxy.html',
];
const windows = [
  { name: 'desktop', width: 1280, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

await runSetup(
  setupDependencies,
  () => installDependencies('scripts/docs'),
  () => requirePackages([program('chromium', 'chromium')]),
  fetchDriver,
);
const { buildSite, serveSite } = await import('./site.mjs');
const site = await buildSite();
const address = await serveSite();

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
await open(['guide/services.html'], 'desktop', { viewport: windows[0] }, async (page) => {
  const shown = await page.evaluate(() => {
    const code = document.querySelector('.vp-doc pre code');
    const width = (text) => Object.assign(code, { textContent: text }).getBoundingClientRect().width;
    return code.parentElement.clientWidth - width('m'.repeat(100));
  });
  if (shown < 0) problems.push(`100 columns of code are ${-shown} pixels too wide`);
});
await open(['guide/index.html'], 'desktop', { viewport: windows[0] }, async (page) => {
  await page.keyboard.press('Control+k');
  await page.fill('.VPLocalSearchBox input', 'handOver');
  await page.waitForSelector('.VPLocalSearchBox a[href*="/guide/file-descriptors"]');
  // The texts of the results come after their titles.
  await page.waitForSelector('.VPLocalSearchBox .excerpt');
  await page.screenshot({ path: join(pictures, 'search-desktop-light.png') });
});
await browser.close();
for (const problem of problems) console.error(problem);
console.log(`${pages.length} pages were opened, ${problems.length} problems; pictures are in ${pictures}`);
// The server would keep the process alive.
process.exit(problems.length === 0 && pages.length > 0 ? 0 : 1);

function pagesOf(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'));
}

/** Opens pages one after the other in one window, and calls a function for each. */
async function open(paths, kind, options, look = () => {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  let current;
  const problem = (what) => problems.push(`${current} (${kind}): ${what}`);
  page.on('pageerror', ({ message }) => problem(message));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address))
      problem(`asks for ${request.url()}`);
  });
  for (current of paths) {
    await page.goto(`${address}${current}`, { waitUntil: 'load' });
    // A script makes the page interactive.
    await page.waitForFunction(() => document.querySelector('#app')?.__vue_app__ !== undefined);
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
