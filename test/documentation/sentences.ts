/**
 * The sentences of a page in Markdown, and which of them promise something. A sentence ends at a full stop of a paragraph
 * or a list item, also in a box; a row of a table is one as well. Headings, programs and their output are not sentences.
 */

/** Words and numbers that make a sentence a promise. Code spans do not count. */
const PROMISING = new RegExp(
  `\\b(${[
    'never|always|exactly|only|alone|at once|at (the )?(most|least)|not more',
    'all|each|every(thing|body|where|one)?|any(thing|body|where|one)?|whatever|whoever|whichever',
    'no|none|nothing|nobody|neither|nor|cannot|must|unless|twice',
    'two|three|four|five|six|eight|ten|dozen|quarter|third|\\d+',
  ].join('|')})\\b`,
  'i',
);

/** A full stop, and the beginning of the next sentence: the project's name is never capitalised. */
const BETWEEN_SENTENCES = /(?<=[.!?][)*”"]*) (?=[`*“"([]*[A-Z`]|busbar\b)/;

export interface Sentence {
  /** On one line, without the targets of links. */
  readonly text: string;
  /** The targets of its links, as the page has them. */
  readonly links: readonly string[];
}

/** The sentences of a page, in order. */
export function sentencesOf(markdown: string): Sentence[] {
  const prose = markdown
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/^> ?(\[!\w+\]$)?/gm, '');
  const blocks = prose.split(/\n{2,}|\n(?=\s*(?:[-*]|\d+\.) |\|)/).map((block) => block.replace(/\s+/g, ' ').trim());
  return blocks.filter(isProse).flatMap(sentencesOfBlock);
}

/** Whether a sentence promises something that a test could find false. */
export function isPromise({ text }: Sentence): boolean {
  return PROMISING.test(text.replace(/`[^`]*`/g, ''));
}

/** Neither a heading nor the line below the head of a table. */
function isProse(block: string): boolean {
  return !block.startsWith('#') && /[^|\s:-]/.test(block);
}

function sentencesOfBlock(block: string): Sentence[] {
  const sentences = block.startsWith('|') ? [block] : block.replace(/^(?:[-*]|\d+\.) /, '').split(BETWEEN_SENTENCES);
  return sentences.map((sentence) => ({
    text: sentence.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1'),
    links: [...sentence.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target as string),
  }));
}
