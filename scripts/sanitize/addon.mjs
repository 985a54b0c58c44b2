/**
 * The suites that use the addon, with an addon under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer.
 *
 * Node.js itself is built without them, so the run-time library is preloaded: into Node.js alone, through an executable
 * that the suites use as Node.js, and not into the daemons and programs that the tests start. Reports go to files, because
 * a test that runs a program may not read its output.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runQuietly, SetupError } from '../setup/report.mjs';
import { runSuite } from '../test/run-suite.mjs';
import { allSuites } from '../test/suites.mjs';

const build = join(root, 'build', 'sanitize');
const reports = join(build, 'reports');
const node = join(build, 'node');

const folders = ['bus/', 'process/', 'reliability/'];

/** Programs take longer under sanitizers. */
const TIMES = 8;

/**
 * One after the other would take too long, and more at a time than in `npm run test:all` would exceed their time limits.
 */
const AT_ONCE = 2;

/** Runs the suites whose name has one of `words`, all if there is none. */
export async function sanitizeAddon(words) {
  buildSanitized();
  writeNode();
  const canaries = checkCanaries();
  emptyReports();
  const sums = { suites: 0, passed: 0, failed: 0, skipped: 0, seconds: 0 };
  const queue = allSuites()
    .filter(({ name }) => folders.some((folder) => name.startsWith(folder)))
    .filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
    .map(watched);
  const worker = async () => {
    for (let suite = queue.shift(); suite !== undefined; suite = queue.shift()) add(sums, suite, await runSuite(suite));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const findings = takeReports();
  for (const text of findings) console.log(text);
  return {
    compiler: versionOfCompiler(),
    ...sums,
    seconds: Math.round(sums.seconds),
    canaries,
    findings: findings.length,
  };
}

function buildSanitized() {
  runQuietly('cmake', [
    ...['-S', root, '-B', build, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DCMAKE_CXX_COMPILER=g++'],
    // A separate libubsan: two shared run-time libraries share symbols, and the reports of one are lost.
    ...['-DBUSBAR_SANITIZE=address;undefined', '-DCMAKE_MODULE_LINKER_FLAGS=-static-libubsan'],
  ]);
  runQuietly('cmake', ['--build', build, '--target', 'busbar', 'canary', '--parallel', '2']);
  // Where busbar looks for the binary of this machine in the folder that BUSBAR_PREBUILD names.
  const folder = join(build, 'package', 'prebuilds', `${process.platform}-${process.arch}`);
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'busbar.glibc.node'), { force: true });
  symlinkSync(join(build, 'busbar.node'), join(folder, 'busbar.glibc.node'));
}

/**
 * The executable preloads the library. Then it removes the variable, and sets `process.execPath` to itself for tests.
 */
function writeNode() {
  const library = runQuietly('g++', ['-print-file-name=libasan.so']).trim();
  const module = join(build, 'forget-preload.cjs');
  writeFileSync(module, `delete process.env.LD_PRELOAD;\nprocess.execPath = ${JSON.stringify(node)};\n`);
  const command = `exec '${process.execPath}' --require '${module}' "$@"`;
  writeFileSync(node, `#!/bin/sh\nLD_PRELOAD='${library}' ${command}\n`);
  chmodSync(node, 0o755);
}

function watched(suite) {
  return { ...suite, command: node, env: { ...suite.env, ...environment(suite.env) }, seconds: suite.seconds * TIMES };
}

function environment({ BUSBAR_TRANSPORT = 'socket' } = {}) {
  const toFile = `log_path=${join(reports, 'report')}`;
  const suppressions = suppressionsOf(BUSBAR_TRANSPORT);
  return {
    BUSBAR_PREBUILD: join(build, 'package'),
    BUSBAR_TEST_PATIENCE: String(TIMES),
    // Freed memory is kept for a while, to detect its use: not so much of it that tests of memory are affected.
    ASAN_OPTIONS: `detect_leaks=1:detect_stack_use_after_return=1:quarantine_size_mb=16:${toFile}`,
    UBSAN_OPTIONS: `print_stacktrace=1:${toFile}`,
    LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`,
  };
}

/**
 * The leaks that LeakSanitizer ignores. libsystemd forgets the descriptors of a message that it drops, and the array of
 * their numbers.
 */
function suppressionsOf(transport) {
  const file = join(build, `leaks-${transport}.supp`);
  const ofNode = readFileSync(join(root, 'scripts', 'sanitize', 'leaks-of-node.supp'), 'utf8');
  // A message that busbar itself forgets is still detected: its memory comes from malloc or calloc.
  writeFileSync(file, transport === 'sd-bus' ? `${ofNode}leak:reallocarray\n` : ofNode);
  return file;
}

/** The sanitizers detect intentional faults, and none elsewhere. Returns the number of kinds that they detected. */
function checkCanaries() {
  const kinds = { leak: /LeakSanitizer/, 'use after free': /heap-use-after-free/, overflow: /signed integer overflow/ };
  for (const [kind, pattern] of Object.entries(kinds)) {
    const { status, report } = runCanary(kind);
    if (status === 0 || !pattern.test(report))
      throw new SetupError(`The sanitizers do not detect a ${kind}:\n${report}`);
  }
  const { status, report } = runCanary(undefined);
  if (status !== 0 || report !== '')
    throw new SetupError(`The sanitizers report a fault where there is none:\n${report}`);
  return Object.keys(kinds).length;
}

function runCanary(CANARY) {
  emptyReports();
  const script = `require(${JSON.stringify(join(build, 'native', 'test', 'canary', 'canary.node'))})`;
  const env = { ...process.env, ...environment(), CANARY };
  const { status } = spawnSync(node, ['--eval', script], { env });
  return { status, report: takeReports().join('\n') };
}

function emptyReports() {
  rmSync(reports, { recursive: true, force: true });
  // A process of another user may have something to report.
  mkdirSync(reports, { recursive: true });
  chmodSync(reports, 0o777);
}

function takeReports() {
  return readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
}

function add(sums, suite, result) {
  sums.suites++;
  for (const key of ['passed', 'failed', 'skipped', 'seconds']) sums[key] += result[key];
  console.log(`${suite.name}: ${result.passed} passed, ${result.failed} failed, ${result.seconds.toFixed(1)} s`);
  if (result.failed > 0) console.log(`${result.output.trimEnd()}\n${result.failure ?? ''}\n`);
}

function versionOfCompiler() {
  return runQuietly('g++', ['--version']).split('\n')[0];
}
