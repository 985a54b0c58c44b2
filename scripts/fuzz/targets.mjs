/**
 * The fuzz targets: built with Clang, AddressSanitizer, UndefinedBehaviorSanitizer and libFuzzer, and run one by one.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runQuietly } from '../setup/report.mjs';

export const buildFolder = join(root, 'build', 'fuzz');
export const programs = join(buildFolder, 'native', 'fuzz');

/** The requirements of fuzzing, in the form of `scripts/setup/system-packages.mjs`. */
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

/** The first line in which a program describes itself. */
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

/** Longer inputs add nothing new, but take more time; only the reader handles messages of more than 64 KiB differently. */
const maximumLengths = { signature: 300, sasl: 4096, bridge: 4096, socket_reader: 75_000 };
const MAXIMUM_LENGTH = 8192;

/**
 * Runs a program and reports its processor time: most of a run may be waiting for a processor. The program handles an
 * interruption.
 */
const measured = 'trap : INT; "$@"; status=$?; times >&2; exit $status';

/** The exit code of libFuzzer after an interruption. The work until then counts, but leaks are not looked for. */
const INTERRUPTED = 72;

export const targets = ['message', 'header', 'signature', 'sasl', 'socket_reader', 'bridge'];

export const findingsOf = (target) => join(root, 'native', 'fuzz', 'findings', target);

/**
 * @param seeds the folder of initial inputs; the inputs that it makes are kept in a separate folder
 * @param onProgress gets a line of libFuzzer's from time to time
 */
export async function runTarget(target, { seconds, seeds, corpus, onProgress = () => {} }) {
  const folder = corpus ?? join(buildFolder, 'corpus', target);
  const findings = findingsOf(target);
  for (const path of [folder, findings]) mkdirSync(path, { recursive: true });
  const before = new Set(readdirSync(findings));
  // Leaks are looked for once, at the end: a check after each input would take longer than the input.
  const child = spawn(
    '/bin/sh',
    [
      ...['-c', measured, 'sh', join(programs, `${target}_fuzz`)],
      ...[`-max_total_time=${seconds}`, `-max_len=${maximumLengths[target] ?? MAXIMUM_LENGTH}`],
      ...['-timeout=10', '-rss_limit_mb=2048', '-print_final_stats=1', '-detect_leaks=0'],
      ...[`-dict=${join(root, 'native', 'fuzz', 'dbus.dict')}`, `-artifact_prefix=${findings}/`],
      ...[folder, seeds, findings],
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
    },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    // The statistics come last; a report of a finding is shorter than this.
    output = (output + text).slice(-64 * 1024);
    const line = text.split('\n').findLast((each) => /^#\d+\s/.test(each));
    if (line !== undefined) onProgress(line);
  });
  const status = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  const interrupted = status === INTERRUPTED;
  const found = readdirSync(findings).filter((name) => !before.has(name));
  const last = [...output.matchAll(/^#\d+\s.*cov: (\d+) ft: (\d+) corp: (\d+)/gm)].at(-1);
  return {
    target,
    executions: numberIn(output, /stat::number_of_executed_units: +(\d+)/),
    cpuSeconds: cpuSecondsOf(output),
    coverage: Number(last?.[1] ?? 0),
    corpus: Number(last?.[3] ?? 0),
    skipped: /^skipped: (.*)$/m.exec(output)?.[1],
    found,
    interrupted,
    // An input that is merely slow is kept without a failure.
    failed: (status !== 0 && !interrupted) || found.length > 0,
    output,
  };
}

/** The last output of the shell: user and system time, of itself and of its children. */
function cpuSecondsOf(output) {
  const [, ...parts] = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n*$/m.exec(output.trimEnd().split('\n').at(-1)) ?? [];
  const [userMinutes, userSeconds, systemMinutes, systemSeconds] = parts.map(Number);
  return 60 * (userMinutes + systemMinutes) + userSeconds + systemSeconds;
}

function numberIn(text, pattern) {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
