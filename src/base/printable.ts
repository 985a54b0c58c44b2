/** Makes received text safe to print: on one line, and without characters that a terminal takes for commands. */

/** Control characters of ASCII except the tab, those of Latin-1, and the two line ends of Unicode. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for control characters
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g;

const shortForms: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/** The text with each control character replaced by its JavaScript escape: a line end becomes `\n`. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (character) => shortForms[character] ?? escapeOf(character));
}

/** The stack of an error, safe to print. It begins with the text of the error; the runtime made the lines after it. */
export function printableStack(stack: string, message: string): string {
  const at = stack.indexOf(message);
  const end = at < 0 ? firstFrame(stack) : at + message.length;
  const frames = stack.slice(end).split('\n').map(printable).join('\n');
  return printable(stack.slice(0, end)) + frames;
}

function firstFrame(stack: string): number {
  const at = stack.search(/\n\s+at /);
  return at < 0 ? stack.length : at;
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
