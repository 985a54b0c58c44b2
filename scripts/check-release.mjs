/**
 * `npm run check:release`, which npm runs before it publishes: the version has a dated section in the changelog; if a tag
 * is published, it is that of the version; package.json names the repository, which npm compares with the origin of the
 * package, the site and the place to report bugs; @busbar/interfaces has the same version; and the checks of the binaries and of the package find nothing.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from './options.mjs';
import { root } from './setup/report.mjs';

const USAGE = `Usage: npm run check:release

  checks that the package is ready to be published. npm runs it before it publishes.

  --help      prints this text`;

readOptions(USAGE);

const { version, ...addresses } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const { GITHUB_REF_TYPE: refType, GITHUB_REF_NAME: refName } = process.env;

const problems = [];
if (!new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm').test(changelog))
  problems.push(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD"`);
if (refType === 'tag' && refName !== `v${version}`) problems.push(`the tag is ${refName}, and the version ${version}`);
for (const name of ['repository', 'homepage', 'bugs']) {
  if (addresses[name] === undefined) problems.push(`package.json has no ${name}`);
}
const interfaces = JSON.parse(readFileSync(join(root, 'packages/interfaces/package.json'), 'utf8'));
if (interfaces.version !== version || interfaces.peerDependencies.busbar !== `^${version}`)
  problems.push(`packages/interfaces/package.json has another version than ${version}, or asks for another one`);
for (const [script, ...args] of [['check-prebuilds.mjs', '--release'], ['check-package.mjs']]) {
  const { status } = spawnSync(process.execPath, [join('scripts', script), ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) problems.push(`scripts/${script} has failed`);
}

for (const problem of problems) console.error(`not to be published: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
