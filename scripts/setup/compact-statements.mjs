/**
 * The statements of a module without white space, in lines of a readable length: Node.js prints the line that threw. Lines
 * break only where a statement or a member of a class begins, so a break means nothing. Constants that follow each other
 * are declared together.
 */
import { edited, syntaxOf } from './syntax.mjs';

/** The length after which a line breaks. A statement without others in it may be longer. */
const LENGTH = 120;

/** Makes compact statements of the text of an ES module that has no white space. */
export async function compactStatements(text) {
  const joined = edited(text, (await listsIn(text)).flatMap(joints));
  const starts = (await listsIn(joined)).flat().map(({ start }) => start);
  return edited(joined, breaks(starts.sort((one, other) => one - other)));
}

/** The edits that join the declarations of constants. */
function joints(list) {
  return list.slice(1).flatMap((statement, index) => {
    const previous = list[index];
    if (![previous, statement].every(isConstant) || previous.end !== statement.start) return [];
    return [{ start: previous.end - 1, end: statement.declarations[0].start, text: ',' }];
  });
}

const isConstant = ({ type, kind }) => type === 'VariableDeclaration' && kind === 'const';

/** A line break at the last start before each line gets too long. */
function breaks(starts) {
  let line = 0;
  return starts.flatMap((start, index) => {
    const next = starts[index + 1] ?? start;
    if (next - line <= LENGTH || start === line) return [];
    line = start;
    return [{ start, end: start, text: '\n' }];
  });
}

/** Every list of statements, or of members of a class. */
async function listsIn(text) {
  const lists = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    const list = node.type === 'SwitchCase' ? node.consequent : node.body;
    if (Array.isArray(list)) lists.push(list);
    for (const child of Object.values(node)) visit(child);
  };
  visit(await syntaxOf(text));
  return lists;
}
