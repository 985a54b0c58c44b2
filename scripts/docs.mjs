/**
 * `npm run docs`: builds the documentation into build/site: the guide and the other pages in docs/, and the reference
 * from the comments in src/. A warning is an error. `--check` also follows every link of what was built, and compares
 * docs/support.md with its figures.
 */
import { say } from './setup/report.mjs';
import { orExplain, setupDependencies } from './setup.mjs';
import { staleness } from './support-report/report.mjs';

await orExplain(setupDependencies);

const { buildSite } = await import('./docs/build.mjs');
const { checkLinks } = await import('./docs/links.mjs');

const site = await buildSite();
if (site === undefined) process.exit(1);
say(`the documentation is in ${site}/index.html`);

if (process.argv.includes('--check')) {
  const { links, problems } = checkLinks(site);
  for (const problem of problems) console.error(problem);
  console.log(`${links} links were followed, ${problems.length} lead nowhere or out of the site`);
  const stale = staleness();
  if (stale !== undefined) console.error(stale);
  process.exitCode = problems.length === 0 && links > 0 && stale === undefined ? 0 : 1;
}
