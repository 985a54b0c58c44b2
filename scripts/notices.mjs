/**
 * The software that comes with busbar: the packages of its dependencies, those in its module, and those in its binaries.
 * `npm run notices` writes their licences into THIRD-PARTY-NOTICES, after a change of dependencies.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readOptions } from './options.mjs';
import { modulesOf } from './setup/bundling.mjs';
import { root } from './setup/report.mjs';

const USAGE = `Usage: npm run notices

  writes the licences of the software that comes with busbar into THIRD-PARTY-NOTICES.

  --help      prints this text`;

export const noticesFile = join(root, 'THIRD-PARTY-NOTICES');

/** Licences whose only condition is that they are passed on. */
const PERMISSIVE = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'];

/** Licences of packages that leave out theirs, from their repositories. */
const lackingLicences = join(root, 'scripts', 'licences');

/** The names of all packages that an installed busbar brings with it, by the lock file. */
export function runtimeDependencies() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, optional, link }]) => path.startsWith('node_modules/') && !dev && !optional && !link)
    .map(([path]) => path.slice('node_modules/'.length));
}

/** The names of the packages that are parts of a module. */
async function bundledIn(input) {
  const modules = await modulesOf(input);
  const names = modules.map((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** Packages whose headers are compiled in. */
const compiledIn = ['node-addon-api', 'node-api-headers'];

/** The packages whoselicence is another than those that busbar may pass on. */
export async function unfitPackages() {
  return (await packages()).filter(({ license }) => !PERMISSIVE.includes(license));
}

/** The whole text; throws if a package's licence cannot be found. */
export async function notices() {
  const about = 'busbar comes with the following software of others, or has it in its modules or in its binaries.';
  return [about, ...(await packages()).map(notice)].join(`\n\n${'-'.repeat(80)}\n\n`).concat('\n');
}

async function packages() {
  const installed = runtimeDependencies().map((name) => manifestOf(name, 'installed with busbar'));
  const bundled = (await bundledIn('src/index.ts')).map((name) => manifestOf(name, 'a part of dist/index.cjs'));
  const inProgram = (await bundledIn('src/cli/main.ts'))
    .filter((name) => !bundled.some((other) => other.name === name))
    .map((name) => manifestOf(name, 'a part of dist/cli.js'));
  return [
    ...installed,
    ...bundled,
    ...inProgram,
    ...compiledIn.map((name) => manifestOf(name, 'headers that are compiled into the binaries')),
  ];
}

function manifestOf(name, role) {
  const { license } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
  return { name, license, role };
}

function notice({ name, license, role }) {
  return `${name} (${license}): ${role}\n\n${licenceText(name).trimEnd()}`;
}

function licenceText(name) {
  const folder = join(root, 'node_modules', name);
  const own = readdirSync(folder).find((file) => /^(licen[cs]e|copying)(\.|$)/i.test(file));
  if (own !== undefined) return readFileSync(join(folder, own), 'utf8');
  const lacking = join(lackingLicences, `${name}.txt`);
  if (existsSync(lacking)) return readFileSync(lacking, 'utf8');
  throw new Error(`${name} comes without its licence: put it in ${lacking}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  readOptions(USAGE);
  writeFileSync(noticesFile, await notices());
}
