/**
 * How tools report their results: in Markdown, which is printed. With `--report` a tool also replaces its section of a page
 * in docs/, between `<!-- NAME -->` and `<!-- /NAME -->`. The figures behind the text are in build/figures/NAME.json.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './setup/report.mjs';

export const pages = {
  reliability: 'docs/reliability/report.md',
  support: 'docs/support.md',
  benchmarks: 'docs/benchmarks/report.md',
};

/**
 * Prints the text of a section below a line with the command, the date and the versions, and keeps the figures.
 *
 * @param what `page` and `section` name the place, `command` makes the same again, and `write` replaces the section
 */
export function writeResults({ page, section, command, text, figures, write = false }) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const about = `\`${command}\` (${today()}, busbar ${version}, Node.js ${process.version}, ${process.platform})`;
  print(text);
  const file = join(root, 'build', 'figures', `${section}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(figures, undefined, 2)}\n`);
  if (write) replaceSection(page, section, `${about}\n\n${text}`);
}

/** Prints Markdown, with the columns of tables below each other. */
export function print(text) {
  console.log(`\n${forTerminal(text)}\n`);
}

export function replaceSection(page, section, text) {
  const { before, after } = partsOf(page, section);
  writeFileSync(join(root, page), `${before}\n${text.trim()}\n${after}`);
  console.log(`wrote the section ${section} of ${page}`);
}

/** The text of a section as it is. */
export function readSection(page, section) {
  return partsOf(page, section).inside.trim();
}

function partsOf(page, section) {
  const text = readFileSync(join(root, page), 'utf8');
  const [begin, end] = [`<!-- ${section} -->\n`, `<!-- /${section} -->`].map((mark) => text.indexOf(mark));
  if (begin < 0 || end < begin) throw new Error(`${page} has no section ${section}`);
  const start = begin + `<!-- ${section} -->`.length;
  return { before: text.slice(0, start), inside: text.slice(start, end), after: text.slice(end) };
}

/** The rows of the first table of a section, as the texts of their cells. */
export function tableRows(page, section) {
  const table = /(?:^\|.*\|$\n?)+/m.exec(readSection(page, section))?.[0] ?? '';
  return table.trimEnd().split('\n').slice(2).map(cellsOf);
}

/**
 * These rows, and those of the section's table with other subjects, which are in the first cell. In this order of subjects.
 */
export function withOtherRows(page, section, rows, order) {
  const fresh = new Set(rows.map(([what]) => what));
  const all = [...tableRows(page, section).filter(([what]) => !fresh.has(what)), ...rows];
  return order.flatMap((what) => all.filter(([first]) => first === what));
}

/** A table; columns of numbers are aligned at their right. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell ?? '–').replaceAll('|', '\\|')).join(' | ')} |`;
  const isNumber = (_, column) =>
    rows.every((cells) => /^(?:[-–]|[-≤]? ?\d[\d.,]*( .{1,5})?)?$/.test(cells[column] ?? ''));
  return [line(head), line(head.map((...at) => (isNumber(...at) ? '--:' : '---'))), ...rows.map(line)].join('\n');
}

export function today() {
  return new Date().toISOString().slice(0, 10);
}

function forTerminal(text) {
  return text.replace(/(?:^\|.*\|$\n?)+/gm, (block) => {
    const lines = block.trimEnd().split('\n').map(cellsOf);
    const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
    const rows = [lines[0], ...lines.slice(2)];
    const pad = (cell, column) =>
      lines[1][column] === '--:' ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
    return `${rows.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n')}\n`;
  });
}

function cellsOf(line) {
  return line
    .slice(2, -2)
    .split(/ (?<!\\)\| /)
    .map((cell) => cell.replaceAll('\\|', '|'));
}
