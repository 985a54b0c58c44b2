/** Figures as tables: an object of objects is a table with a row each, an object of values a list, at any depth. */

export function tablesOf(figures) {
  const plain = Object.entries(figures).filter(([, value]) => !isNested(value));
  const nested = Object.entries(figures).filter(([, value]) => isNested(value));
  const parts = [];
  if (plain.length > 0) parts.push(plain.map(([name, value]) => `- ${name}: ${shown(value)}`).join('\n'));
  for (const [name, value] of nested) parts.push(`**${name}**\n\n${nestedTable(value)}`);
  return parts.join('\n\n');
}

function nestedTable(value) {
  const entries = Array.isArray(value) ? value.map((row, index) => [index + 1, row]) : Object.entries(value);
  if (!entries.every(([, row]) => isNested(row) && !Array.isArray(row))) {
    return entries.map(([name, row]) => `- ${name}: ${shown(row)}`).join('\n') || '- none';
  }
  const columns = [...new Set(entries.flatMap(([, row]) => Object.keys(row)))];
  const rows = entries.map(([name, row]) => [name, ...columns.map((column) => shown(row[column]))]);
  return table(['', ...columns], rows);
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function isNested(value) {
  return typeof value === 'object' && value !== null;
}

function shown(value) {
  if (value === undefined || value === null) return '–';
  if (!isNested(value)) return String(value);
  const parts = Object.entries(value).map(([name, part]) =>
    Array.isArray(value) ? shown(part) : `${name}: ${shown(part)}`,
  );
  return parts.join(', ') || '–';
}
