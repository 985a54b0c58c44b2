/**
 * Runs the type tests: what must compile does, and what must not does not, for users of the package. So it compiles
 * test/types against the declarations that the package ships, under the oldest supported TypeScript, the newest 5 and the
 * newest of all, each with standard and with `experimentalDecorators`. An assertion is a use of `is<…>()`, or a
 * `@ts-expect-error`; it passes if no compilation complains about it.
 *
 * Then the programs of test/types/settings are compiled with the settings that users have.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { buildLibrary } from './setup/build.mjs';
import { root } from './setup/report.mjs';
import { orExplain } from './setup.mjs';
import { checkSettings } from './type-tests/settings.mjs';

const tests = join(root, 'test', 'types');
const work = join(root, 'build', 'type-tests');
const require = createRequire(import.meta.url);

/** Each TypeScript but the newest has a folder of its own, for in this one its `tsc` would hide the project's. */
const [oldest, five] = ['oldest', 'five'].map((folder) =>
  require.resolve('typescript/package.json', { paths: [join(tests, folder)] }),
);
const newest = require.resolve('typescript/package.json');
const dialects = [
  { name: 'standard', folders: [tests], options: {} },
  {
    name: 'experimentalDecorators',
    folders: [tests, join(tests, 'legacy')],
    options: { experimentalDecorators: true },
  },
];
const ASSERTION = /^\s*\/\/ @ts-expect-error\b|(?<!function )\bis</;

function compile(manifest, project, ...options) {
  const tsc = join(dirname(manifest), 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-p', project, '--pretty', 'false', ...options], {
    cwd: root,
    encoding: 'utf8',
  }).stdout;
}

const sources = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(folder, entry.name));

/** The lines of the assertions in each file. */
function assertionsOf(files) {
  const assertions = new Map();
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').split('\n');
    const numbers = lines.flatMap((line, index) => (ASSERTION.test(line) ? [index + 1] : []));
    assertions.set(relative(root, file), numbers);
  }
  return assertions;
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
await orExplain(buildLibrary);
const declarations = join(root, 'dist/index.d.ts');

const base = JSON.parse(readFileSync(join(tests, 'tsconfig.json'), 'utf8')).compilerOptions;
const assertions = assertionsOf(dialects.flatMap(({ folders }) => folders.flatMap(sources)));
const failed = new Set();

for (const dialect of dialects) {
  const project = join(work, `${dialect.name}.json`);
  const options = { ...base, ...dialect.options, paths: { busbar: [declarations] } };
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files: dialect.folders.flatMap(sources) }));
  for (const compiler of [oldest, five, newest]) {
    const { version } = require(compiler);
    const complaints = compile(compiler, project);
    const errors = complaints.split('\n').filter((line) => /error TS\d+/.test(line));
    console.log(`TypeScript ${version}, ${dialect.name}: ${errors.length === 0 ? 'passed' : 'failed'}`);
    if (errors.length > 0) console.log(complaints.trimEnd());
    for (const error of errors) failed.add(assertionAt(error));
  }
}

/** The assertion that an error is about: one on its line or on the two above; else the error's own place. */
function assertionAt(error) {
  const [, file, line] = /^(.*?)\((\d+),\d+\)/.exec(error) ?? [];
  const near = (number) => number <= Number(line) && Number(line) - number <= 2;
  return `${file}:${assertions.get(file)?.findLast(near) ?? line}`;
}

const places = new Set([...assertions].flatMap(([file, numbers]) => numbers.map((number) => `${file}:${number}`)));
const passed = [...places].filter((place) => !failed.has(place)).length;

const settings = checkSettings(join(work, 'settings'), { oldest, newest });
const failures = failed.size + settings.failed;

console.log(`types: ${passed + settings.passed} passed, ${failures} failed`);
process.exitCode = failures === 0 && passed > 0 ? 0 : 1;
