/**
 * `npm run sanitize`: the native code under sanitizers, valgrind and clang-tidy. On two cores the addon takes twenty to
 * forty minutes, clang-tidy three, and valgrind four.
 *
 * `npm run test:all` runs the native tests under AddressSanitizer and UndefinedBehaviorSanitizer anyway.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { runNativeTests } from './native-tests.mjs';
import { readOptions, refuse } from './options.mjs';
import { pages, writeResults } from './report.mjs';
import { sanitizeAddon } from './sanitize/addon.mjs';
import { compileTests } from './setup/compiled-tests.mjs';
import { root, runQuietly } from './setup/report.mjs';
import { program, requirePackages } from './setup/system-packages.mjs';
import { runSetup, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';

const USAGE = `Usage: npm run sanitize -- [options]

  runs the native code under sanitizers (addon), valgrind and clang-tidy (tidy).

  --only PART     addon, valgrind or tidy; may be repeated
  --suite WORD    only the suites with this word in their names, under sanitizers; may be repeated
  --report        writes the results of complete parts into docs/reliability/report.md
  --help          prints this text`;

const word = { type: 'string', multiple: true };
const {
  values: { only, suite = [], report },
} = readOptions(USAGE, { only: word, suite: word, report: { type: 'boolean', default: false } });

const parts = {
  tidy: { tools: [program('clang-tidy', 'clang-tidy'), program('clang++', 'clang')], run: tidy },
  valgrind: { tools: [program('valgrind', 'valgrind'), program('g++', 'g++')], run: memcheck },
  addon: { tools: [program('g++', 'g++')], run: () => sanitizeAddon(suite) },
};
const unknown = only?.find((name) => parts[name] === undefined);
if (unknown !== undefined) refuse(`There is no part ${unknown}; there are ${Object.keys(parts).join(', ')}.`);

await runSetup(setupTestPeers, setupDependencies, setupTestedLibrary, compileTests, sanitize);

async function sanitize() {
  const chosen = Object.entries(parts).filter(([name]) => only === undefined || only.includes(name));
  requirePackages([program('cmake', 'cmake'), ...chosen.flatMap(([, { tools }]) => tools)]);
  for (const [name, { run }] of chosen) {
    const figures = await run();
    writeResults({
      ...{
        page: pages.reliability,
        section: `sanitize-${name}`,
        command: `npm run sanitize -- --only ${name}`,
        figures,
      },
      text: Object.entries(figures)
        .map(([what, count]) => `- ${what}: ${count}`)
        .join('\n'),
      write: report && (name !== 'addon' || suite.length === 0),
    });
    if (figures.findings > 0 || figures.failed > 0 || figures.passed === 0) process.exitCode = 1;
  }
}

/** The findings of valgrind in the native tests, which also include uninitialised memory. */
function memcheck() {
  const reports = join(root, 'build', 'valgrind', 'reports');
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const options = [
    ...[
      '--leak-check=full',
      '--show-leak-kinds=definite,indirect,possible',
      '--errors-for-leak-kinds=definite,possible',
    ],
    ...['--track-origins=yes', '--track-fds=no', '--error-exitcode=99', `--log-file=${join(reports, '%p')}`],
  ];
  const { output, ...counts } = runNativeTests({
    ...{ folder: 'valgrind', cmake: ['-DCMAKE_CXX_COMPILER=g++'], wrapper: ['valgrind', ...options] },
    // Programs take about a dozen times as long under it.
    ...{ times: 30, env: { BUSBAR_TEST_PATIENCE: '30' } },
  });
  const found = readdirSync(reports)
    .map((file) => readFileSync(join(reports, file), 'utf8'))
    // Without a summary: a child process that became another program.
    .filter((text) => /ERROR SUMMARY: [1-9]/.test(text));
  for (const text of [output, ...found]) if (text !== '') console.log(text);
  return { valgrind: runQuietly('valgrind', ['--version']).trim(), ...counts, findings: found.length };
}

/**
 * The findings of clang-tidy in native/, by the checks of `.clang-tidy`. A finding in a header occurs with every file that
 * includes it.
 */
function tidy() {
  const build = join(root, 'build', 'tidy');
  runQuietly('cmake', [
    ...['-S', root, '-B', build, '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_COMPILER=clang++', '-DBUSBAR_TESTS=ON'],
  ]);
  const { status, stdout, stderr } = spawnSync('run-clang-tidy', ['-quiet', '-j', '2', '-p', build], {
    ...{ cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  });
  const output = stripVTControlCharacters(stdout);
  // It prints its command for each file.
  const files = output.match(/^clang-tidy\S* .*$/gm)?.length ?? 0;
  const lines = output.matchAll(/^.*: (?:warning|error): .*$/gm);
  const findings = new Set([...lines].map(([line]) => line.replace(`${root}/`, '')));
  if (findings.size === 0 && (status !== 0 || files === 0))
    findings.add(`run-clang-tidy ended with ${status}\n${stderr}`);
  for (const finding of findings) console.log(finding);
  const version = /version (\S+)/.exec(runQuietly('clang-tidy', ['--version']))[1];
  return { 'clang-tidy': version, files, findings: findings.size };
}
