/**
 * Lays out literals as the usual formatters do by default, with lines of 120 characters: what is generated stays as it is
 * when a project formats it.
 */

/** The maximum length of a line. */
export const WIDTH = 120;

/** An expression that may need several lines. */
export type Expression = string | Table | List | Labelled;

/** An object literal. */
interface Table {
  readonly rows: readonly Row[];
  /** Whether it always has a line for each member. */
  readonly open: boolean;
}

/** A member of an object literal. */
export interface Row {
  /** As it is written. */
  readonly key: string;
  readonly value: Expression;
  /** Lines above it. */
  readonly comment?: readonly string[];
}

/** An array literal, or the type of a tuple. */
interface List {
  readonly items: readonly string[];
}

/** An array literal with a type that has labels. */
interface Labelled extends List {
  readonly labels: readonly string[];
}

export function table(rows: readonly Row[], open = false): Expression {
  return { rows, open };
}

export function list(items: readonly string[]): Expression {
  return { items };
}

/** @param labels the elements of the type, each with its label */
export function labelled(items: readonly string[], labels: readonly string[]): Expression {
  return { items, labels };
}

/**
 * Writes an expression.
 *
 * @param indent the blanks before the line
 * @param before the text before it on its first line, with the blanks
 * @param after how many characters follow it on its last line
 */
export function written(expression: Expression, indent: number, before: string, after: number): string {
  const flat = inOneLine(expression);
  if (flat !== undefined && before.length + flat.length + after <= WIDTH) return flat;
  const inner = ' '.repeat(indent + 2);
  if (typeof expression === 'string') {
    // A text that is too long stands on a line of its own, unless its key is so short that it would hardly move.
    return /^\s*[^\s:].{4,}: $/.test(before) && /^['"]/.test(expression) ? `\n${inner}${expression}` : expression;
  }
  const end = ' '.repeat(indent);
  if ('rows' in expression) {
    if (expression.rows.length === 0) return '{}';
    const rows = expression.rows.flatMap(({ key, value, comment = [] }) => [
      ...comment.map((line) => inner + line),
      row(key, value, indent + 2),
    ]);
    return `{\n${rows.join('\n')}\n${end}}`;
  }
  const lines = (items: readonly string[]) => `[\n${items.map((item) => `${inner}${item},\n`).join('')}${end}]`;
  if (!('labels' in expression)) return lines(expression.items);
  const { items, labels } = expression;
  const first = bracketed(items);
  if (before.length + first.length + ' as ['.length <= WIDTH) return `${first} as ${lines(labels)}`;
  const second = bracketed(labels);
  const fits = indent + '] as '.length + second.length + after <= WIDTH;
  return `${lines(items)} as ${fits ? second : lines(labels)}`;
}

function row(key: string, value: Expression, indent: number): string {
  const before = `${' '.repeat(indent)}${key}: `;
  const text = written(value, indent, before, 1);
  return `${text.startsWith('\n') ? before.trimEnd() : before}${text},`;
}

/** The expression in one line; `undefined` if it has lines that must be apart. */
function inOneLine(expression: Expression): string | undefined {
  if (typeof expression === 'string') return expression;
  if ('labels' in expression) return `${bracketed(expression.items)} as ${bracketed(expression.labels)}`;
  if ('items' in expression) return bracketed(expression.items);
  const { rows, open } = expression;
  if (rows.length === 0) return '{}';
  if (open || rows.some(({ comment = [] }) => comment.length > 0)) return undefined;
  const members = rows.map(({ key, value }) => {
    const text = inOneLine(value);
    return text === undefined ? undefined : `${key}: ${text}`;
  });
  return members.includes(undefined) ? undefined : `{ ${members.join(', ')} }`;
}

function bracketed(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}
