/** Tables: columns that are as wide as their widest cell, and fit into the width of the terminal. */
import type { Output } from './output.js';
import { stringWidth } from './width.js';

export interface Column {
  readonly title: string;
  /** Numbers are aligned on the right. */
  readonly align?: 'left' | 'right';
  /** Columns with a lower number are cut first if the table is too wide; 0 by default. */
  readonly weight?: number;
  /** The least width to which the column is cut; 8 by default. */
  readonly least?: number;
  /** Gives a cell its colours, when its width is known. */
  readonly paint?: (text: string, row: number) => string;
}

const GAP = '  ';
const LEAST = 8;

/** The lines of a table, with a line of titles. Every cell is one line of printable text. */
export function table(output: Output, columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = fitted(output.width, columns, natural(columns, rows));
  const line = (cells: readonly string[], paint: (column: number, text: string) => string) =>
    columns
      .map(({ align }, index) => {
        const text = output.cut(cells[index] ?? '', widths[index] as number);
        const space = ' '.repeat(Math.max(0, (widths[index] as number) - stringWidth(text)));
        const painted = paint(index, text);
        if (align === 'right') return space + painted;
        return index === columns.length - 1 ? painted : painted + space;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  return [
    line(titles, (_, text) => output.paint('bold', text)),
    ...rows.map((cells, row) => line(cells, (index, text) => columns[index]?.paint?.(text, row) ?? text)),
  ];
}

function natural(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map(({ title }, index) =>
    rows.reduce((width, cells) => Math.max(width, stringWidth(cells[index] ?? '')), stringWidth(title)),
  );
}

/** Cuts the widest of the columns of least weight, until the line fits or no column can be cut. */
function fitted(available: number, columns: readonly Column[], natural: readonly number[]): number[] {
  const widths = [...natural];
  const least = (index: number) => Math.min(natural[index] as number, columns[index]?.least ?? LEAST);
  const weights = [...new Set(columns.map(({ weight = 0 }) => weight))].sort((a, b) => a - b);
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1)) - available;
  for (const weight of weights) {
    const able = () =>
      widths
        .map((_, index) => index)
        .filter((index) => (columns[index]?.weight ?? 0) === weight && (widths[index] as number) > least(index));
    for (let indices = able(); excess > 0 && indices.length > 0; indices = able()) {
      const widest = indices.reduce((a, b) => ((widths[b] as number) > (widths[a] as number) ? b : a));
      (widths[widest] as number)--;
      excess--;
    }
  }
  return widths;
}
