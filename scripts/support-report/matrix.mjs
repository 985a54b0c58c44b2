/** The table of targets and runtimes: what is in each of its cells, and why. */

/** Where a runtime is published at all, by itself or by distributions; Node.js is everywhere. */
const published = {
  Bun: ['linux-x64 glibc', 'linux-arm64 glibc', 'linux-x64 musl', 'linux-arm64 musl'],
  Deno: ['linux-x64 glibc', 'linux-arm64 glibc'],
  Electron: ['linux-x64 glibc', 'linux-arm64 glibc', 'linux-arm glibc'],
};

const columns = [
  ...['20', '22', '24', '26'].map((major) => ({ title: `Node.js ${major}`, runtime: 'Node.js', major })),
  ...['Bun', 'Deno', 'Electron'].map((runtime) => ({ title: runtime, runtime })),
];

/**
 * @param inspections of inspection.mjs, one for each target, with the target's `title`
 * @param runs rows of results.mjs, with a `target` that is such a title
 * @param loads rows of loading.json
 */
export function matrix(inspections, runs, loads) {
  return {
    head: ['', ...columns.map(({ title }) => title)],
    rows: inspections.map((inspected) => [
      `${inspected.title}`,
      ...columns.map((column) => cell(inspected, column, runs, loads)),
    ]),
  };
}

function cell({ title, file, kept }, { runtime, major }, runs, loads) {
  if (published[runtime] !== undefined && !published[runtime].includes(title)) return '–';
  const own = runs.filter(
    (run) =>
      run.target === title && run.runtime === runtime && (major === undefined || run.version.startsWith(`${major}.`)),
  );
  if (own.length > 0) return runText(own);
  // The limits are those of Node.js; they say nothing of other runtimes.
  if (runtime !== 'Node.js' || !kept) return '*not run*';
  const load = loads.find((row) => row.file === file && row.failed === 0);
  return load === undefined ? '*inspected*' : '*inspected*, and loaded';
}

function runText(runs) {
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  const all = (key) => [...new Set(runs.map((run) => run[key]).filter((value) => value !== undefined))].join(', ');
  const under = all('under');
  const counts = `${sum('passed')} passed, ${sum('failed')} failed`;
  return `*run here* ${all('date')}, ${all('version')}${under === '' ? '' : ` under ${under}`}: ${counts}`;
}
