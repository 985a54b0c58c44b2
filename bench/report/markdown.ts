/** The report: what was measured on what, how it compares, and which targets it reaches. */
import type { CodecResults } from '../codec/results.js';
import type { DaemonResults, Results, WorkloadResults } from '../results.js';
import { formatted, shortNumber } from './numbers.js';
import { headings, rowsOf } from './rows.js';
import { type Check, targets } from './targets.js';

export function markdownReport(results: Results): string {
  return [
    '# Benchmarks',
    introduction,
    '![CPU time of every library in every workload](overview.svg)',
    '## Targets',
    'Where one is missed, [profile.md](profile.md) says why.',
    targetsTable(results),
    ...results.daemons.flatMap((daemon) => daemonSection(daemon, results)),
    ...(results.codecs === undefined ? [] : ['## Codecs', codecsTable(results.codecs)]),
    '## How it was measured',
    method(results),
  ]
    .join('\n\n')
    .concat('\n');
}

const introduction = `What a message costs with busbar, with C programs over sd-bus, libdbus and GDBus, and with other libraries for
Node.js and Python. \`npm run bench\` makes this page; CPU times are of the process that is measured, with all its
threads, for one operation. × C compares with C over sd-bus, × best JS with the best of the other JavaScript libraries.
Wall times depend on what else the two ends and the bus do on the same cores.`;

function daemonSection({ daemon, version, workloads }: DaemonResults, { peers }: Results): readonly string[] {
  const growing = workloads.filter(({ workload }) => workload.growth !== undefined);
  const others = workloads.filter(({ workload }) => workload.growth === undefined);
  const growth =
    growing.length === 0
      ? []
      : ['### Growth', '![CPU time of a message by what the program holds](growth.svg)', growthTable(growing, peers)];
  return [
    `## Through ${daemon} ${version}`,
    ...others.flatMap((results) => {
      const rows = rowsOf(results, peers);
      if (rows.length === 0) return [];
      const table = markdownTable(
        ['', ...headings(results)],
        rows.map(({ id, title, cells }) => {
          const name = id.startsWith('busbar') ? `**${title}**` : title;
          return typeof cells === 'string' ? [name, `failed: ${cells}`] : [name, ...cells];
        }),
      );
      return [`### ${results.workload.title}`, `For each ${results.workload.operation}.`, table];
    }),
    ...growth,
  ];
}

function growthTable(results: readonly WorkloadResults[], peers: Results['peers']): string {
  const ours = peers.filter(({ id }) => results.some(({ cells }) => cells[id] !== undefined));
  const rows = results.map(({ workload, cells }) => [
    workload.title,
    ...ours.map(({ id }) => {
      const cell = cells[id];
      return 'values' in cell ? formatted('cpu', cell.values.cpu) : `failed: ${cell.failure}`;
    }),
  ]);
  return markdownTable(['CPU for each message', ...ours.map(({ title }) => title)], rows);
}

function targetsTable(results: Results): string {
  const rows = targets.flatMap(({ number, title, checks }) => {
    if (checks.length === 0) return [[number, title, '', '', 'not measured']];
    return checks.map((check, index) => [
      index === 0 ? number : '',
      `${index === 0 ? `${title}: ` : ''}${check.what}`,
      `≤ ${check.limit}${check.unit}`,
      ...verdict(check, check.value(results)),
    ]);
  });
  return markdownTable(['#', 'busbar, socket transport', 'target', 'measured', ''], rows);
}

function verdict({ limit, unit }: Check, value: number | undefined): readonly [measured: string, met: string] {
  if (value === undefined || Number.isNaN(value)) return ['–', 'not measured'];
  const measured = `${shortNumber(value)}${unit}`;
  if (value <= limit) return [measured, 'met'];
  return [measured, `missed by ${Math.round((value / limit - 1) * 100)} %`];
}

/** A table of the codecs' times, also for the report of their own. */
function codecsTable({ libraries, tasks }: CodecResults): string {
  const rows = tasks.map(({ title, microseconds }) => [
    title,
    ...libraries.map(({ id }) => formatted('cpu', microseconds[id])),
  ]);
  return markdownTable(['', ...libraries.map(({ title }) => title)], rows);
}

function method({ machine, peers, absent, rounds, daemons }: Results): string {
  const facts = [
    `${machine.date}, ${machine.distribution}, Linux ${machine.kernel}, ${machine.processor}, ${machine.cores} cores, ${machine.memory}`,
    `Buses: ${daemons.map(({ daemon, version }) => `${daemon} ${version}`).join(', ')}`,
    ...peers.map(({ title, version }) => `${title}: ${version}`),
    ...absent.map(({ title, reason }) => `${title} is missing: ${reason}`),
  ];
  return `${facts.map((fact) => `- ${fact}`).join('\n')}

Values are medians of up to ${rounds} rounds; in a round every peer has its turn, each time in a new order. A program is
started afresh for each round, warms up (JavaScript for three times as many operations as are then measured, since its compilers
take that long to settle), and reports its own CPU time (\`getrusage\`: user and system time of all threads) and the time that passed. Clients talk to the same C service over
sd-bus; services are called by the same C client. The texts that are echoed vary. System calls are counted by
\`strace -f -c\`, heap in portions so small that nothing is collected meanwhile.`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${head.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
