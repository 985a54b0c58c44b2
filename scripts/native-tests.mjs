/**
 * Builds and runs the native tests under AddressSanitizer and UndefinedBehaviorSanitizer, and prints their counts.
 * They need a C++ compiler and CMake, but neither Node's headers nor a bus; without a compiler they are skipped.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = join(root, 'build', 'native-tests');

const missing = [
  ['C++ compiler', [process.env.CXX, 'c++', 'g++', 'clang++']],
  ['CMake', ['cmake']],
].find(([, programs]) => !programs.some(isInstalled));
if (missing !== undefined) {
  console.log(`native: skipped (no ${missing[0]})`);
  process.exit(0);
}

run('cmake', [
  ...['-S', root, '-B', build, '-DCMAKE_BUILD_TYPE=Debug'],
  ...['-DBUSBAR_ADDON=OFF', '-DBUSBAR_TESTS=ON', '-DBUSBAR_SANITIZE=address;undefined'],
]);
run('cmake', ['--build', build, '--target', 'native_tests', '--parallel', '2']);

const { stdout } = spawnSync('ctest', ['--test-dir', build, '--verbose'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  env: {
    ...process.env,
    // As much memory as libFuzzer allows: an input that was found because it takes more fails again.
    ASAN_OPTIONS: 'detect_leaks=1:hard_rss_limit_mb=2048:max_allocation_size_mb=2048',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  },
});
const passed = stdout.match(/^\d+: ok - /gm)?.length ?? 0;
const skipped = stdout.match(/^\d+: skipped - /gm)?.length ?? 0;
let failed = stdout.match(/^\d+: not ok - /gm)?.length ?? 0;
// An executable that ended early, for instance by a sanitizer, left no line for the test that it was in.
const ended = /(\d+) tests failed out of/.exec(stdout);
if (ended === null || (Number(ended[1]) > 0 && failed === 0)) failed++;
if (failed > 0) console.log(stdout);
console.log(`native: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);

function isInstalled(program) {
  return program !== undefined && spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status === 0) return;
  console.log(`${stdout}${stderr}`);
  console.log('native: 0 passed, 1 failed');
  process.exit(1);
}
