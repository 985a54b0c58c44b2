/**
 * The chart of the README, docs/benchmarks/calls.svg: the cost of calls, from the figures in docs/benchmarks/report.md.
 * `npm run bench` draws it when it writes these. Colours follow the reader's choice of light or dark.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pages, tableRows } from '../scripts/report.mjs';
import { projectRoot } from '../test/helpers/paths.js';

const SECTION = 'dbus-daemon/calls-100';
/** Entries between which a reader of the README would not choose. */
const LEFT_OUT = ['**busbar, sd-bus**', '**busbar, newer Node.js**', 'Python, dbus-fast'];

const WIDTH = 960;
const PANEL = 470;
const LABEL = 175;
const VALUE = 95;
const HEAD = 34;
const ROW = 20;

interface Bar {
  readonly title: string;
  readonly value: number;
  readonly shown: string;
}

export function drawCalls(): void {
  const measured = tableRows(pages.benchmarks, SECTION)
    .filter(([title]) => !LEFT_OUT.includes(title))
    .map(([title, cpu, wall]) => ({
      title: title === '**busbar, socket**' ? 'busbar' : title,
      cpu,
      wall: microseconds(wall),
    }))
    .filter(({ wall }) => !Number.isNaN(wall))
    // In the same order in both panels: a library has one row.
    .sort((a, b) => microseconds(a.cpu) - microseconds(b.cpu));
  const calls = measured.map(({ title, wall }) => ({
    title,
    value: 1 / wall,
    shown: rounded(1e6 / wall),
  }));
  const cpu = measured.map(({ title, cpu: shown }) => ({ title, value: microseconds(shown), shown }));
  const panels = [
    ...panel('Calls each second, 100 at a time (more is better)', calls, 0),
    ...panel('CPU time of a call in the client (less is better)', cpu, WIDTH - PANEL),
  ];
  const file = 'docs/benchmarks/calls.svg';
  writeFileSync(join(projectRoot, file), picture(HEAD + ROW * measured.length, panels));
  console.log(`wrote ${file}`);
}

/** `44 100`. */
function rounded(value: number): string {
  return (Math.round(value / 100) * 100).toLocaleString('en').replaceAll(',', ' ');
}

/** From `4.90 µs` or `1.20 ms`. */
function microseconds(text: string): number {
  const [, number, unit] = /^([\d.]+) (µs|ms)$/.exec(text) ?? [];
  return Number(number) * (unit === 'ms' ? 1000 : 1);
}

function panel(title: string, bars: readonly Bar[], left: number): readonly string[] {
  const longest = Math.max(...bars.map(({ value }) => value));
  return [
    `<text x="${left}" y="18" class="title">${title}</text>`,
    ...bars.flatMap(({ title: label, value, shown }, index) => {
      const y = HEAD + index * ROW;
      const length = Math.max(1, Math.round((value / longest) * (PANEL - LABEL - VALUE)));
      const kind = { busbar: 'ours', 'C, sd-bus': 'c' }[label] ?? 'other';
      return [
        `<text x="${left + LABEL - 8}" y="${y + 12}" class="end">${label}</text>`,
        `<rect x="${left + LABEL}" y="${y + 1}" width="${length}" height="${ROW - 6}" rx="2" class="${kind}"/>`,
        `<text x="${left + LABEL + length + 6}" y="${y + 12}" class="faint">${shown}</text>`,
      ];
    }),
  ];
}

function picture(height: number, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>Calls each second, and the CPU time of a call</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 13px; }
  .end { text-anchor: end; }
  .faint { fill: #57606a; }
  .ours { fill: #0969da; }
  .c { fill: #57606a; }
  .other { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #8d96a0; }
    .ours { fill: #4493f8; }
    .c { fill: #9198a1; }
    .other { fill: #484f58; }
  }
</style>
${content.join('\n')}
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) drawCalls();
