/** The width of text in a terminal. */

/** Characters that take two columns: of East Asia, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
/** Characters that take none: they combine with the one before them. */
const ZERO = /\p{Mark}|\u200b|\u200d|\ufe0f/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these sequences are the colours of text
const COLOURS = /\u001b\[[\d;]*m/g;

/** The text without colours. */
export function withoutColours(text: string): string {
  return text.replace(COLOURS, '');
}

/** The number of columns that a text takes in a terminal. Colours take none. */
export function stringWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text.replace(COLOURS, '')) {
    width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }
  return width;
}
