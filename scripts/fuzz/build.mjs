/** Builds the targets with Clang, AddressSanitizer, UndefinedBehaviorSanitizer and libFuzzer. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runQuietly } from '../setup/report.mjs';

export const buildFolder = join(root, 'build', 'fuzz');
export const programs = join(buildFolder, 'native', 'fuzz');

/** What fuzzing needs, as `scripts/setup/system-packages.mjs` describes things. */
export const fuzzingTools = [
  {
    name: 'clang++',
    need: 'to build fuzz targets',
    present: () => versionOf('clang++') !== undefined,
    packages: { 'apt-get': 'clang', dnf: 'clang', apk: 'clang', pacman: 'clang' },
  },
  {
    name: 'libFuzzer',
    need: "Clang's run-time library",
    present: canLink,
    packages: {
      'apt-get': `libclang-rt-${clangMajor() ?? 14}-dev`,
      dnf: 'compiler-rt',
      apk: 'compiler-rt',
      pacman: 'compiler-rt',
    },
  },
  {
    name: 'cmake',
    present: () => versionOf('cmake') !== undefined,
    packages: { 'apt-get': 'cmake', dnf: 'cmake', apk: 'cmake', pacman: 'cmake' },
  },
];

/** Why the targets cannot be built here; `undefined` if they can. */
export function missingTool() {
  return fuzzingTools.find((tool) => !tool.present())?.name;
}

export function buildTargets(jobs) {
  runQuietly('cmake', [
    ...['-S', root, '-B', buildFolder, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DCMAKE_CXX_COMPILER=clang++'],
    ...['-DBUSBAR_ADDON=OFF', '-DBUSBAR_FUZZ=ON', '-DBUSBAR_SANITIZE=address;undefined'],
  ]);
  runQuietly('cmake', ['--build', buildFolder, '--target', 'fuzz_targets', '--parallel', String(jobs)]);
}

/** The first line of what a program says about itself. */
export function versionOf(program) {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

function clangMajor() {
  return /version (\d+)/.exec(versionOf('clang++') ?? '')?.[1];
}

function canLink() {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-fuzz-'));
  try {
    const source = join(folder, 'empty.cc');
    writeFileSync(source, 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n');
    const args = ['-fsanitize=fuzzer,address,undefined', source, '-o', join(folder, 'empty')];
    return spawnSync('clang++', args, { stdio: 'ignore' }).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
