/** Edits of the texts of modules, by their syntax. */

/** The syntax tree of an ES module, as ESTree describes it. */
export async function syntaxOf(text) {
  const { parseAst } = await import('rolldown/parseAst');
  return parseAst(text);
}

/** A text with edits: each puts `text` in the place of what is from `start` to `end`. */
export function edited(original, edits) {
  let result = '';
  let done = 0;
  for (const { start, end, text } of [...edits].sort((one, other) => one.start - other.start)) {
    result += original.slice(done, start) + text;
    done = end;
  }
  return result + original.slice(done);
}
