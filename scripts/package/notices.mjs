/**
 * THIRD-PARTY-NOTICES: the licences of what comes along with busbar or is compiled into its binaries, from the packages
 * themselves.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../setup/report.mjs';
import { bundledIn, compiledIn, runtimeDependencies } from './dependencies.mjs';

export const noticesFile = join(root, 'THIRD-PARTY-NOTICES');

/** Licences that ask for no more than to be passed on. */
const PERMISSIVE = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'];

/** Licences of packages that leave out theirs, from where they are developed. */
const lackingLicences = join(dirname(fileURLToPath(import.meta.url)), 'licences');

/** The packages whose licence is another than those that busbar may pass on. */
export async function unfitPackages() {
  return (await packages()).filter(({ license }) => !PERMISSIVE.includes(license));
}

/** The whole text; throws where a package's licence is nowhere to be found. */
export async function notices() {
  const about = 'busbar comes with the following software of others, or has it in its module or in its binaries.';
  return [about, ...(await packages()).map(notice)].join(`\n\n${'-'.repeat(80)}\n\n`).concat('\n');
}

async function packages() {
  const installed = runtimeDependencies().map((name) => manifestOf(name, 'installed with busbar'));
  const bundled = (await bundledIn()).map((name) => manifestOf(name, 'a part of dist/index.js'));
  return [
    ...installed,
    ...bundled,
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
