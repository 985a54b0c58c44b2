/** What is behind the cells: each run, each binary, each load, and what else was tried, as rows of tables. */
import { isNewer } from '../prebuilds/inspection.mjs';

export function runRows(runs) {
  const head = ['target', 'runtime', 'poller', 'tests', 'passed', 'failed', 'skipped', 'seconds', 'date'];
  const rows = runs.map((run) => [
    run.target,
    `${run.runtime} ${run.version}${run.under === undefined ? '' : ` under ${run.under}`}`,
    ...[run.poller, `test/${run.suite}`, run.passed, run.failed, run.skipped, run.seconds, run.date],
  ]);
  return { head, rows };
}

/** Why tests were skipped, once each. */
export function skipReasons(runs) {
  const skipping = new Map();
  for (const { runtime, reasons } of runs) {
    for (const reason of reasons) skipping.set(reason, (skipping.get(reason) ?? new Set()).add(runtime));
  }
  return [...skipping].map(([reason, runtimes]) => `- ${reason} (${[...runtimes].join(', ')})`);
}

export function workerRows(runs) {
  const head = ['runtime', 'workers of each poller', 'passed', 'failed', 'seconds', 'date'];
  const rows = runs.map(({ runtime, version, workers, passed, failed, seconds, date }) => [
    ...[`${runtime} ${version}`, workers, passed, failed, seconds, date],
  ]);
  return { head, rows };
}

export function installationRows(runs) {
  const head = ['what', 'version', 'passed', 'failed', 'skipped', 'date'];
  const rows = runs.map((run) => head.map((key) => run[key]));
  return { head, rows };
}

export function binaryRows(inspections) {
  const head = ['binary', 'bytes', 'needs', 'newest versions', 'limits'];
  const rows = inspections.map(({ file, elf, checks, kept }) => {
    const problems = checks.filter(({ problem }) => problem !== undefined).map(({ statement }) => `not: ${statement}`);
    if (elf === undefined) return [file, '–', '–', '–', 'not inspected'];
    const outcome = kept ? 'kept' : problems.join('; ');
    return [file, elf.bytes, elf.needed.join(', '), newest(elf.versions) || 'it has none', outcome];
  });
  return { head, rows };
}

/** `GLIBC 2.28, GLIBCXX 3.4.21`. */
function newest(versions) {
  const families = new Map();
  for (const [family, version] of versions) {
    if (!families.has(family) || isNewer(version, families.get(family))) families.set(family, version);
  }
  return [...families].map(([family, version]) => `${family} ${version.join('.')}`).join(', ');
}

export function loadRows(loads) {
  const head = ['binary', 'under', 'passed', 'failed', 'date'];
  const rows = loads.map(({ file, library, emulator, passed, failed, date }) => [
    ...[file, emulator === undefined ? library : `${library} in ${emulator}`, passed, failed, date],
  ]);
  return { head, rows };
}
