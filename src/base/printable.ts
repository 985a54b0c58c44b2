/**
 * Text that others wrote, as it may be printed: on one line, and without what a terminal takes for a command.
 */

/** Control characters of ASCII but the tab, those of Latin-1, and the two line ends of Unicode. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are looked for
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g;

const shortForms: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/** The text with each control character written as an escape of JavaScript: a line end becomes `\n`. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (character) => shortForms[character] ?? escapeOf(character));
}

/** The stack of an error. Its first part is the text of the error; the lines behind that are made by the runtime. */
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
