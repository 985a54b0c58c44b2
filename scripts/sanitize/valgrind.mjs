/** The native tests and the replays of what fuzzing found, under valgrind's memcheck, which also sees uninitialised memory. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, runQuietly } from '../setup/report.mjs';

const build = join(root, 'build', 'valgrind');
const reports = join(build, 'reports');

/** What memcheck exits with if it found something; the tests themselves exit with 1. */
const FOUND = 99;

/**
 * One after the other: valgrind takes a core and a lot of memory. Limits of time in the tests are for programs that run
 * at their own speed.
 */
export function memcheck() {
  runQuietly('cmake', [
    ...['-S', root, '-B', build, '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_COMPILER=g++'],
    ...['-DBUSBAR_ADDON=OFF', '-DBUSBAR_TESTS=ON'],
  ]);
  runQuietly('cmake', ['--build', build, '--target', 'native_tests', '--parallel', '2']);
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const sums = { passed: 0, failed: 0, skipped: 0, findings: 0 };
  for (const { name, command } of tests()) run(name, command, sums);
  return { valgrind: runQuietly('valgrind', ['--version']).trim(), ...sums };
}

/** The tests as CTest knows them, with their arguments. */
function tests() {
  const { tests: found } = JSON.parse(runQuietly('ctest', ['--test-dir', build, '--show-only=json-v1']));
  return found;
}

function run(name, [program, ...args], sums) {
  const log = join(reports, name);
  const options = [
    ...[
      '--leak-check=full',
      '--show-leak-kinds=definite,indirect,possible',
      '--errors-for-leak-kinds=definite,possible',
    ],
    ...['--track-origins=yes', '--track-fds=no', `--error-exitcode=${FOUND}`, `--log-file=${log}.%p`],
  ];
  // Programs take some dozen times as long under it.
  const env = { ...process.env, BUSBAR_TEST_PATIENCE: '30' };
  const { status, stdout } = spawnSync('valgrind', [...options, program, ...args], { encoding: 'utf8', env });
  const counts = { passed: /^ok - /gm, failed: /^not ok - /gm, skipped: /^skipped - /gm };
  for (const [kind, pattern] of Object.entries(counts)) sums[kind] += stdout.match(pattern)?.length ?? 0;
  const found = readdirSync(reports)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => readFileSync(join(reports, file), 'utf8'))
    // Without a summary: a child that went on as another program.
    .filter((text) => /ERROR SUMMARY: [1-9]/.test(text));
  sums.findings += found.length;
  if (status !== 0 && found.length === 0) sums.failed++;
  console.log(`valgrind ${name}: ${status === 0 ? 'clean' : `exit code ${status}`}`);
  if (status !== 0) console.log([stdout, ...found].join('\n'));
}
