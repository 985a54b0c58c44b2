/**
 * `npm run docs:pictures`: opens pages of the built site in headless Chromium, on a desktop and on a phone, light and dark, and
 * takes a picture of each into build/site-pictures for a person to look at. It fails if a page is wider than its window, if a
 * script fails, or if anything is asked of the network. Chromium and its driver are only fetched for this.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runQuietly } from '../setup/report.mjs';
import { program, requirePackages } from '../setup/system-packages.mjs';
import { orExplain } from '../setup.mjs';

const site = join(root, 'build', 'site');
const pictures = join(root, 'build', 'site-pictures');
const tools = join(root, 'build', 'site-tools');

const pages =
  process.argv.slice(2).length > 0
    ? process.argv.slice(2)
    : [
        'index.html',
        'documents/Getting_started.html',
        'documents/Services.html',
        'documents/Values_and_types.html',
        'documents/Reliability_report.html',
        'classes/busbar.MessageBus.html',
        'interfaces/Other_types.InterfaceProxy.html',
        'modules/busbar.html',
      ];
const windows = [
  { name: 'desktop', width: 1280, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

await orExplain(() => requirePackages([program('chromium', 'chromium')]), fetchDriver);

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
for (const colorScheme of ['light', 'dark']) {
  for (const { name, width, height } of windows) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    for (const page of pages) await takePicture(context, page, `${name}-${colorScheme}`);
    await context.close();
  }
}
await browser.close();
for (const problem of problems) console.error(problem);
console.log(`${pages.length * 4} pictures in ${pictures}`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function takePicture(context, path, kind) {
  const page = await context.newPage();
  const problem = (what) => problems.push(`${path} (${kind}): ${what}`);
  page.on('pageerror', ({ message }) => problem(message));
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) problem(`asks for ${request.url()}`);
  });
  await page.goto(pathToFileURL(join(site, path)).href, { waitUntil: 'load' });
  await page.waitForTimeout(300);
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  if (content > window) problem(`is ${content} pixels wide in a window of ${window}`);
  await page.screenshot({ path: join(pictures, `${path.replace(/\W+/g, '-')}-${kind}.png`) });
  await page.close();
}

function fetchDriver() {
  if (existsSync(join(tools, 'node_modules', 'playwright-core'))) return;
  mkdirSync(tools, { recursive: true });
  runQuietly('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', tools, 'playwright-core']);
}
