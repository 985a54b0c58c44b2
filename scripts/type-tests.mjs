/**
 * Runs the type tests: valid code compiles, and invalid code does not, for users of the package. So it compiles test/types
 * against the declarations that the package ships, under the oldest supported TypeScript, the newest 5 and the newest of
 * all, each with standard and with `experimentalDecorators`. An assertion is a use of `is<…>()`, or a `@ts-expect-error`;
 * it passes if no compilation reports an error for it.
 *
 * Two of the sources are generated: random signatures, and the values that may be written by the table of values.
 *
 * Then the programs of test/types/settings are compiled with the settings of users, the declarations of a library that
 * exports results of busbar are emitted, errors are compared with the cures that they have to name, an editor is asked for
 * definitions, and the cost of an interface for the compiler is counted.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { readOptions } from './options.mjs';
import { buildLibrary } from './setup/library.mjs';
import { root } from './setup/report.mjs';
import { runSetup } from './setup.mjs';
import { compile, versionOf } from './type-tests/compilers.mjs';
import { checkCost } from './type-tests/cost.mjs';
import { checkCures } from './type-tests/cures.mjs';
import { checkDeclarations } from './type-tests/declared.mjs';
import { checkEditors } from './type-tests/editors.mjs';
import { checkGenerated } from './type-tests/generated.mjs';
import { checkLanguageServer } from './type-tests/language-server.mjs';
import { checkSettings } from './type-tests/settings.mjs';
import { tableValues } from './type-tests/table-values.mjs';

const USAGE = `Usage: node scripts/type-tests.mjs [options]

  runs the type tests.

  --newest    only the part for the newest TypeScript, in seconds
  --others    only the rest
  --help      prints this text`;

const flag = { type: 'boolean', default: false };
const {
  values: { newest: onlyNewest, others: onlyOthers },
} = readOptions(USAGE, { newest: flag, others: flag });

const tests = join(root, 'test', 'types');
const require = createRequire(import.meta.url);

/** Each TypeScript except the newest has its own folder, because in this one its `tsc` would hide the project's. */
const [oldest, five] = ['oldest', 'five'].map((folder) =>
  require.resolve('typescript/package.json', { paths: [join(tests, folder)] }),
);
const newest = require.resolve('typescript/package.json');
const ASSERTION = /^\s*\/\/ @ts-expect-error\b|(?<!function )\bis</;

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

const compilers = onlyNewest === onlyOthers ? [oldest, five, newest] : onlyNewest ? [newest] : [oldest, five];

/** Each half has its own folder: both may run at once. */
const work = join(root, 'build', `type-tests${onlyNewest ? '-newest' : ''}${onlyOthers ? '-others' : ''}`);
const generated = join(work, 'generated');
/** Files without decorators. */
const signatures = join(generated, 'signatures');

const dialects = [
  { name: 'standard', folders: [tests, generated, signatures], options: {} },
  {
    name: 'experimentalDecorators',
    folders: [tests, generated, join(tests, 'legacy')],
    options: { experimentalDecorators: true },
  },
];

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
await runSetup(buildLibrary);
const declarations = join(root, 'dist/index.d.ts');

mkdirSync(generated);
const { randomSignatures } = await import('./type-tests/random-signatures.mjs');
mkdirSync(signatures);
writeFileSync(join(generated, 'table-values.ts'), tableValues());
writeFileSync(join(signatures, 'random-signatures.ts'), randomSignatures());

const base = JSON.parse(readFileSync(join(tests, 'tsconfig.json'), 'utf8')).compilerOptions;
const assertions = assertionsOf(dialects.flatMap(({ folders }) => folders.flatMap(sources)));
const failed = new Set();

for (const dialect of dialects) {
  const project = join(work, `${dialect.name}.json`);
  const options = { ...base, ...dialect.options, paths: { busbar: [declarations] } };
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files: dialect.folders.flatMap(sources) }));
  for (const compiler of compilers) {
    const { output: complaints } = compile(compiler, project, root);
    const errors = complaints.split('\n').filter((line) => /error TS\d+/.test(line));
    console.log(`TypeScript ${versionOf(compiler)}, ${dialect.name}: ${errors.length === 0 ? 'passed' : 'failed'}`);
    if (errors.length > 0) console.log(complaints.trimEnd());
    for (const error of errors) failed.add(assertionAt(error));
  }
}

/** The assertion that an error is about: one on its line or on the two above; otherwise the error's own place. */
function assertionAt(error) {
  const [, file, line] = /^(.*?)\((\d+),\d+\)/.exec(error) ?? [];
  const near = (number) => number <= Number(line) && Number(line) - number <= 2;
  return `${file}:${assertions.get(file)?.findLast(near) ?? line}`;
}

const places = new Set([...assertions].flatMap(([file, numbers]) => numbers.map((number) => `${file}:${number}`)));
const passed = [...places].filter((place) => !failed.has(place)).length;

const checks = {
  cures: () => checkCures(join(work, 'cures'), compilers),
  settings: () => checkSettings(join(work, 'settings'), { oldest, newest }),
  declarations: () => checkDeclarations(join(work, 'declared'), [oldest, five, newest]),
  editors: () => checkEditors(join(work, 'editors'), five),
  oldEditors: () => checkEditors(join(work, 'old-editors'), oldest),
  languageServer: () => checkLanguageServer(join(work, 'language-server'), newest),
  cost: () => checkCost(join(work, 'cost'), [five, newest]),
  generated: () => checkGenerated(join(work, 'generated-definitions'), [five, newest]),
};
const chosen = onlyNewest && !onlyOthers ? [checks.cures] : Object.values(checks);
const others = [];
for (const check of chosen) others.push(await check());
const sum = (key) => others.reduce((total, outcome) => total + outcome[key], 0);
const failures = failed.size + sum('failed');

console.log(`types: ${passed + sum('passed')} passed, ${failures} failed`);
process.exitCode = failures === 0 && passed > 0 ? 0 : 1;
