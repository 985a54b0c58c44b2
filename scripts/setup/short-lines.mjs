/**
 * Lines of a readable length for code without white space: Node.js prints the line that threw. They break only where a
 * statement, a member or an element begins, so a break has no meaning.
 */
import { edited, syntaxOf } from './syntax.mjs';

/** The length after which a line breaks, if something begins there. */
const LENGTH = 120;

/** Breaks the lines of an ES module that has no white space. */
export async function shortLines(text) {
  const starts = startsIn(await syntaxOf(text)).sort((one, other) => one - other);
  let line = 0;
  const breaks = starts.flatMap((start, index) => {
    const next = starts[index + 1] ?? text.length;
    if (next - line <= LENGTH || start === line) return [];
    line = start;
    return [{ start, end: start, text: '\n' }];
  });
  return edited(text, breaks);
}

/** The properties of syntax nodes that have lists of such things. */
const lists = ['body', 'consequent', 'properties', 'elements'];

/** The starts of everything before which a line can break. */
function startsIn(node) {
  if (node === null || typeof node !== 'object') return [];
  const own = lists.flatMap((list) => (Array.isArray(node[list]) ? node[list] : []));
  const starts = own.filter((child) => child !== null).map(({ start }) => start);
  return [...starts, ...Object.values(node).flatMap(startsIn)];
}
