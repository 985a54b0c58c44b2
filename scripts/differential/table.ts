/** Totals as text: a line for each reader, and what it differs in. */
import { differences } from '../../test/differential/differences.js';
import { agreementRate } from '../reliability-report/differential.mjs';
import type { Counts, Totals } from './totals.js';

const columns = ['reader', 'messages', 'as busbar', 'listed', 'not listed', 'died'] as const;

export function tableOf(totals: Totals): string {
  const rows = [...totals.byReader].map(([reader, counts]) => [reader, ...numbersOf(counts)]);
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   ');
  return [line(columns), ...rows.map(line)].join('\n');
}

/** What differs on purpose, with how often it was met. */
export function listOf(totals: Totals): string {
  const lines = differences.flatMap(({ id, readers, rule }) => {
    const met = readers.map((reader) => `${reader} ${totals.byReader.get(reader)?.deliberate[id] ?? 0}`);
    return [`${id}: ${met.join(', ')}`, `    ${rule}`];
  });
  return lines.join('\n');
}

function numbersOf({ messages, agreed, deliberate, unexpected, died }: Counts): string[] {
  const listed = Object.values(deliberate).reduce((sum, count) => sum + count, 0);
  return [String(messages), agreementRate(agreed, messages), String(listed), String(unexpected), String(died)];
}
