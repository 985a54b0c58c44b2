/** Writes names and texts of descriptions as TypeScript: strings, keys, identifiers and comments. */
import { WIDTH } from './layout.js';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/**
 * Characters that are not seen as what they are: control characters, separators of lines, marks of direction, which
 * reorder the text that is shown, halves of characters, and what is no character: compilers take
 * U+FFFD for the sign of a file without text. Joiners are parts of emoji and words.
 */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\ufffd]/gu;

/** A string literal, with the quotes that need fewer escapes. */
export function string(text: string): string {
  const quote = count(text, "'") > count(text, '"') ? '"' : "'";
  const escaped = text
    .replace(/[\\\n\r\t]/g, (character) => escapes[character] as string)
    .replaceAll(quote, `\\${quote}`)
    .replace(UNSEEN, unicode);
  return quote + escaped + quote;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function unicode(character: string): string {
  const code = (character.codePointAt(0) as number).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}

/** The key of an object literal. `__proto__` would be its prototype. */
export function objectKey(name: string): string {
  return name === '__proto__' ? "['__proto__']" : memberKey(name);
}

/** The key of a member of a class or a type. */
export function memberKey(name: string): string {
  return IDENTIFIER.test(name) ? name : string(name);
}

/** An identifier that resembles a name: `max-speed` → `max_speed`. Names are free text. */
function identifier(name: string): string {
  const word = name.replace(/[^\w$]+/g, '_').replace(/^(?=\d)/, '_');
  return word === '' ? '_' : word;
}

/** Words that cannot name a parameter, and those whose meaning generated code uses. */
const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield notImplemented'
  ).split(' '),
);

/**
 * Identifiers for arguments, which are all different: names of parameters, and labels in the types of tuples, which
 * compilers write as names of parameters.
 *
 * @param names `undefined` for an argument without a name
 */
export function parameterNames(names: readonly (string | undefined)[]): readonly string[] {
  return different(
    names.map((name, index) => {
      const word = name === undefined ? `arg${index}` : identifier(name);
      return RESERVED.has(word) ? `${word}_` : word;
    }),
  );
}

function different(words: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return words.map((word) => {
    const found = untaken(word, (each) => taken.has(each));
    taken.add(found);
    return found;
  });
}

/** The word itself, or with the first number that makes it different. */
export function untaken(word: string, isTaken: (word: string) => boolean): string {
  let found = word;
  for (let number = 2; isTaken(found); number++) found = `${word}${number}`;
  return found;
}

/** The lines of a comment in TSDoc; none if there is no text. @param indent the blanks before its lines */
export function tsdoc(paragraphs: readonly string[], indent: number): readonly string[] {
  const width = WIDTH - indent - ' * '.length;
  const lines = paragraphs.flatMap((text, index) => [
    ...(index > 0 && !(text.startsWith('@') && paragraphs[index - 1]?.startsWith('@')) ? [''] : []),
    ...text.split('\n').flatMap((line) => wrapped(line.trimEnd(), width)),
  ]);
  if (lines.length === 0) return [];
  const [only = ''] = lines;
  if (lines.length === 1 && indent + only.length + '/**  */'.length <= WIDTH) return [`/** ${only} */`];
  return ['/**', ...lines.map((line) => ` * ${line}`.trimEnd()), ' */'];
}

/** A text within a comment: it neither ends the comment nor begins a tag. */
export function commentText(text: string): string {
  return text
    .replaceAll('*/', '*\\/')
    .replace(/^(\s*)@/gm, '$1\\@')
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, '  ')
    .replace(UNSEEN, (character) => (character === '\n' ? character : '?'))
    .trim();
}

function wrapped(line: string, width: number): readonly string[] {
  const blanks = /^\s*/.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    let at = rest.lastIndexOf(' ', width);
    if (at <= blanks.length) at = rest.indexOf(' ', width);
    // A line that began with "@" would be a tag.
    while (at > blanks.length && rest[at + 1] === '@') at = rest.lastIndexOf(' ', at - 1);
    if (at <= blanks.length) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = blanks + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
