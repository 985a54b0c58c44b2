/**
 * `npm run docs`: builds the site in build/site: the guide and the other pages in docs/, and the reference from the
 * comments in src/. A warning is an error.
 */
import { readOptions } from './options.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { printStep } from './setup/report.mjs';
import { runSetup, setupDependencies } from './setup.mjs';

const USAGE = `Usage: npm run docs -- [options]
       npm run docs:check

  builds the site in build/site.

  --check     also follows every link of the site, and tests its search
  --serve     serves it on this machine
  --help      prints this text`;

const flag = { type: 'boolean', default: false };
const { values } = readOptions(USAGE, { check: flag, serve: flag });

await runSetup(setupDependencies, () => installDependencies('scripts/docs'));

const { buildSite, serveSite } = await import('./docs/site.mjs');
const site = await buildSite();
printStep(`the site is in ${site}`);
if (values.check) await check();
if (values.serve) printStep(`it is served at ${await serveSite()}`);

async function check() {
  const { checkLinks, checkSearch } = await import('./docs/check.mjs');
  const { links, problems } = checkLinks(site);
  const { searches, misses } = await checkSearch(site);
  for (const problem of [...problems, ...misses]) console.error(problem);
  console.log(`${links} links were followed, ${problems.length} lead nowhere or out of the site`);
  console.log(`${searches} words were searched, ${misses.length} did not find their page`);
  process.exitCode = problems.length + misses.length === 0 && links > 0 ? 0 : 1;
}
