/**
 * Checks the package as it would be published, and its sources: the linters of packages find nothing, it contains the right
 * files and no others, every licence is included, there is no unused code or dependency, and the lock file can be
 * installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notices, noticesFile, unfitPackages } from './notices.mjs';
import { readOptions } from './options.mjs';
import { root } from './setup/report.mjs';
import { packBusbar } from './tarball.mjs';

/** Bytes, unpacked and to download. docs/package.md has the sizes of the parts. */
const LARGEST = 2_200_000;
const LARGEST_DOWNLOAD = 1_000_000;

/** The most important files of the package; the tests in test/pack show whether all of it works. */
const NEEDED = [
  ...['dist/index.js', 'dist/index.d.ts', 'dist/load.cjs', 'dist/index.cjs', 'dist/index.d.cts'],
  ...['dist/current-call.js', 'dist/current-call.d.ts', 'dist/current-call.cjs', 'dist/current-call.d.cts'],
  ...['dist/cli.js', 'dist/native.tar.br', 'LICENSE', 'THIRD-PARTY-NOTICES'],
];

/** The files that the package may contain. */
const EXPECTED = [
  /^dist\/(index|current-call)\.(js|d\.ts|cjs|d\.cts)$/,
  /^dist\/cli\.js$/,
  /^dist\/(load\.cjs|native\.tar\.br)$/,
  /^current-call\/package\.json$/,
  /^prebuilds\/(stamp\.json|linux-[a-z0-9]+\/busbar\.(glibc|musl)\.node)$/,
  /^(package\.json|README\.md|LICENSE|THIRD-PARTY-NOTICES)$/,
];

/** The rows of the table in docs/package.md, by how they begin. A file belongs to the first that matches. */
const PARTS = [
  ['`prebuilds/`', /^prebuilds\//],
  ['`dist/index.cjs`', /^dist\/index\.cjs$/],
  ['`dist/cli.js`', /^dist\/cli\.js$/],
  ['`dist/index.d.ts`, `dist/index.d.cts`', /^dist\/index\.d\.c?ts$/],
  ['`dist/native.tar.br`', /^dist\/native\.tar\.br$/],
  ['other files', /^/],
];

/** By how much a part may differ from the page: it is not rewritten for every change. */
const TOLERANCE = 0.2;

const USAGE = `Usage: npm run check:package

  checks the package as it would be published, and its sources.

  --help      prints this text`;

readOptions(USAGE);

let passed = 0;
let failed = 0;

const folder = mkdtempSync(join(tmpdir(), 'busbar-package-'));
try {
  checkPackage(packBusbar(folder));
  await checkProject();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`package: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function checkPackage({ path, files, size, unpackedSize }) {
  check('publint --strict finds nothing', problemOf('node_modules/publint/src/cli.js', path, '--strict'));
  const attw = ['node_modules/@arethetypeswrong/cli/dist/index.js', path, '--no-emoji'];
  check('the types are right for all importers', problemOf(...attw));
  check(`it is small: ${unpackedSize} bytes`, unpackedSize <= LARGEST ? undefined : `${LARGEST} are allowed`);
  check(`so is its download: ${size} bytes`, size <= LARGEST_DOWNLOAD ? undefined : `${LARGEST_DOWNLOAD} are allowed`);
  check('docs/package.md has the sizes of the parts', misstatedSizes(files));
  const names = files.map((file) => file.path);
  check('it contains no other files', listed(names.filter((name) => !EXPECTED.some((pattern) => pattern.test(name)))));
  check('it contains the required files', listed(NEEDED.filter((name) => !names.includes(name))));
  check('it runs nothing when it is installed', listed(installScripts()));
}

async function checkProject() {
  const unfit = await unfitPackages();
  check('its licences may be passed on', listed(unfit.map(({ name, license }) => `${name} is ${license}`)));
  const current = existsSync(noticesFile) && readFileSync(noticesFile, 'utf8') === (await notices());
  check('THIRD-PARTY-NOTICES is current', current ? undefined : 'npm run notices');
  check('there is no unused code or dependency', problemOf('node_modules/knip/bin/knip.js', '--no-progress'));
  // Offline: a package that is missing in the lock file cannot be downloaded then.
  const npm = spawnSync('npm', ['ci', '--dry-run', '--ignore-scripts', '--offline'], { cwd: root, encoding: 'utf8' });
  check('npm ci accepts the lock file', npm.status === 0 ? undefined : npm.stderr);
  const locks = ['package-lock.json', 'scripts/docs/package-lock.json'].map((path) =>
    readFileSync(join(root, path), 'utf8'),
  );
  check('no lock file names a registry', listed(locks.join('').match(/"resolved": "http.*"/g) ?? []));
}

/** The differences between docs/package.md and the package; `undefined` if there are none. */
function misstatedSizes(files) {
  const page = readFileSync(join(root, 'docs/package.md'), 'utf8');
  const sizes = new Map(PARTS.map(([part]) => [part, 0]));
  for (const { path, size } of files) {
    const [part] = PARTS.find(([, pattern]) => pattern.test(path));
    sizes.set(part, sizes.get(part) + size);
  }
  const wrong = [...sizes].flatMap(([part, size]) => {
    const kilobytes = Math.round(size / 1000);
    const row = page.split('\n').find((line) => line.startsWith(`| ${part} |`));
    const stated = Number(/\| (\d+) \|$/.exec(row ?? '')?.[1]);
    return Math.abs(stated - kilobytes) <= kilobytes * TOLERANCE ? [] : [`${part} takes ${kilobytes} kB`];
  });
  return wrong.length === 0 ? undefined : wrong.join(', ');
}

/** npm runs these if it is allowed to, and node-gyp if there is a binding.gyp. */
function installScripts() {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => name in scripts);
  return existsSync(join(root, 'binding.gyp')) ? [...hooks, 'binding.gyp'] : hooks;
}

/** The output of a failed tool of the project. */
function problemOf(...args) {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  return status === 0 ? undefined : `\n${stdout}${stderr}`;
}

function listed(things) {
  return things.length === 0 ? undefined : things.join(', ');
}

function check(statement, problem) {
  if (problem === undefined) passed++;
  else failed++;
  console.log(problem === undefined ? `ok - ${statement}` : `not ok - ${statement}: ${problem}`);
}
