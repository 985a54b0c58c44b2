/**
 * Builds and runs the native tests, and the replays of fuzzing's findings, under AddressSanitizer and
 * UndefinedBehaviorSanitizer. They need a C++ compiler and CMake, but neither Node's headers nor a bus; without a compiler
 * they are skipped. `npm run sanitize` runs them under valgrind.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readOptions } from './options.mjs';
import { root, runQuietly, SetupError } from './setup/report.mjs';
import { hasProgram } from './setup/system-packages.mjs';

const USAGE = `Usage: node scripts/native-tests.mjs

  builds and runs the native tests.

  --help      prints this text`;

/** Seconds that a test may take at normal speed. */
const LIMIT = 120;

if (import.meta.url === pathToFileURL(process.argv[1]).href) main();

/**
 * @param folder below build/
 * @param cmake options of CMake
 * @param wrapper a program with its options that runs the tests, which may take this many times as long
 * @returns how many passed, failed and were skipped, with the output of the tests that failed
 */
export function runNativeTests({ folder, cmake, env, wrapper = [], times = 1 }) {
  const build = join(root, 'build', folder);
  const options = ['-DCMAKE_BUILD_TYPE=Debug', '-DBUSBAR_ADDON=OFF', '-DBUSBAR_TESTS=ON', ...cmake];
  runQuietly('cmake', ['-S', root, '-B', build, ...options]);
  runQuietly('cmake', ['--build', build, '--target', 'native_tests', '--parallel', '2']);
  const { tests } = JSON.parse(runQuietly('ctest', ['--test-dir', build, '--show-only=json-v1']));
  const sums = { passed: 0, failed: 0, skipped: 0, output: '' };
  for (const { name, command } of tests) {
    const [program, ...args] = [...wrapper, ...command];
    const { status, signal, stdout, stderr } = spawnSync(program, args, {
      ...{ encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, timeout: times * LIMIT * 1000 },
      env: { ...process.env, ...env },
    });
    const count = (kind) => stdout.match(new RegExp(`^${kind} - `, 'gm'))?.length ?? 0;
    sums.passed += count('ok');
    sums.skipped += count('skipped');
    // A program that ended early, for instance by a sanitizer, printed no line for its current test.
    sums.failed += Math.max(count('not ok'), Number(status !== 0));
    if (status !== 0) sums.output += `${name} ended with ${signal ?? status}\n${stdout}${stderr}\n`;
  }
  return sums;
}

function main() {
  readOptions(USAGE);
  const missing = [
    ['C++ compiler', [process.env.CXX, 'c++', 'g++', 'clang++']],
    ['CMake', ['cmake']],
  ].find(([, programs]) => !programs.some((name) => name !== undefined && hasProgram(name)));
  if (missing !== undefined) return console.log(`native: skipped (no ${missing[0]})`);
  const { passed, failed, skipped, output } = tested();
  console.log(`${output}native: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

function tested() {
  try {
    return runNativeTests({
      folder: 'native-tests',
      cmake: ['-DBUSBAR_SANITIZE=address;undefined'],
      env: {
        // As much memory as libFuzzer allows: an input that was found because it takes more fails again.
        ASAN_OPTIONS: 'detect_leaks=1:hard_rss_limit_mb=2048:max_allocation_size_mb=2048',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { passed: 0, failed: 1, skipped: 0, output: `${error.message}\n` };
  }
}
