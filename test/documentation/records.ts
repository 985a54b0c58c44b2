/**
 * The records of pages: for each page, a Markdown file beside these tests quotes the sentences that promise something, in
 * the order of the page, each with a list of the tests that would fail if it were false.
 *
 * A line of such a list is the path of a file and the words by which the test is found in it: its title, or any words for
 * files that are not test files (type tests, tools). Instead of tests a sentence may have one of the {@link EXEMPTIONS}.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../helpers/paths.js';

export interface Held {
  readonly sentence: string;
  /** The lines of its list. */
  readonly by: readonly string[];
}

/** Why a sentence with such words needs no test. */
const EXEMPTIONS: ReadonlyMap<string, string> = new Map([
  ['advice', 'it says what the reader should do, or may'],
  ['background', 'it is about D-Bus, the system or another program, and not about what busbar does'],
  ['measured', 'it compares speeds, which `npm run bench` measures: a test of them would depend on the machine'],
  ['contents', 'it is about this page or the project: what it has, and what has happened'],
]);

/** The sentences that a record quotes, with their lists. */
export function readRecord(markdown: string): Held[] {
  const blocks = markdown.split(/\n{2,}/).map((block) => block.trim());
  const held: Held[] = [];
  for (const [index, block] of blocks.entries()) {
    if (!block.startsWith('- ')) continue;
    held.push({ sentence: blocks[index - 1] ?? '', by: block.split('\n').map((line) => line.replace(/^- /, '')) });
  }
  return held;
}

/** The fault of a line of a list; `undefined` if the test exists. */
export function faultOf(line: string): string | undefined {
  if (EXEMPTIONS.has(line)) return undefined;
  const [, path, words] = /^([\w./-]+): (.+)$/.exec(line) ?? [];
  if (path === undefined || words === undefined) return `“${line}” is neither a test nor an exemption`;
  const file = join(projectRoot, path);
  if (!existsSync(file)) return `${path} does not exist`;
  const text = readFileSync(file, 'utf8');
  const found = TITLES.test(path) ? titlesOf(text).some((title) => title.test(words)) : text.includes(words);
  return found ? undefined : `${path} has no “${words}”`;
}

/** Files in which tests have titles: those of uvu, and those of native/test/check.h. */
const TITLES = /\.test\.ts$|_test\.cc$/;
const LITERAL = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/.source;
/**
 * A title is the argument of `test`, or of a file's own function, together with the test function: `onBus('…', async () =>
 * …)`; or it is the key of a case in a table.
 */
const TITLE = [
  new RegExp(`(?:\\b(?:test|TEST)\\(|\\btest,)\\s*(?:${LITERAL})`, 'g'),
  new RegExp(`\\b(?!skip\\b)\\w+\\(\\s*(?:${LITERAL}),\\s*(?:\\w+,\\s*)?(?:async\\b|\\()`, 'g'),
  new RegExp(`^ {2}(?:${LITERAL}): \\{$`, 'gm'),
];

/** The pattern of a title: in a template any text may stand for a value. A skipped test has none. */
function titlesOf(source: string): RegExp[] {
  const found = TITLE.flatMap((pattern) => [...source.matchAll(pattern)]);
  return found.map(([, single, double, template]) => {
    const literal = (single ?? double ?? template ?? '').replace(/\\(.)/g, '$1');
    const parts = template === undefined ? [literal] : literal.split(/\$\{[^}]*\}/);
    return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
  });
}
