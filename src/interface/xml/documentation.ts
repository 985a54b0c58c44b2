/**
 * Reads the documentation that introspection data has beside annotations: elements of other namespaces (`<doc:doc>` of
 * DeviceKit, `<tp:docstring>` of Telepathy), and comments before elements as gtk-doc and `gdbus-codegen` read them. Only
 * `parseIntrospection` with the option `documentation` does.
 */

import type { XmlElement } from './xml.js';

/** A comment before an element. */
interface Comment {
  readonly body: string;
  /** By the names of arguments. */
  readonly args: ReadonlyMap<string, string>;
}

/** The elements that contain the documentation of the element around them, without their prefixes. */
const ROOTS = /^(?:\w+:)?(?:doc|docstring)$/;
/** Elements whose text is a paragraph of its own. */
const BLOCKS =
  /^(?:\w+:)?(?:p|para|description|summary|item|li|dt|dd|term|definition|permission|errors?|example|code|pre|dl|ul|ol|list|rationale|possible-errors|seealso|since|deprecated|inpara)$/;
const ITEMS = /^(?:\w+:)?(?:li|term|dt|error)$/;
/** Elements that explain the one before. */
const EXPLANATIONS = /^(?:\w+:)?(?:definition|dd)$/;
const VERBATIM = /^(?:\w+:)?(?:code|pre)$/;

/** What is documented of an element. */
interface Documented {
  /** The text of an element within. */
  text?: string;
  /** The text about it in a comment. */
  readonly comment: string | undefined;
  /** The texts about its arguments in that comment. */
  readonly args: ReadonlyMap<string, string> | undefined;
}

/** Collects documentation while a document is read. */
export class DocumentationReader {
  readonly #documented = new Map<XmlElement, Documented>();
  /** Open elements that introspection data defines. */
  readonly #open: Documented[] = [];
  /** The comment that was read last. It belongs to the next element. */
  #comment: string | undefined;
  /** The text of the documentation that is read, in blocks; `undefined` outside. */
  #blocks: string[] | undefined;
  #verbatim = 0;

  /**
   * The documentation of an element: of the element within, or of the comment before it; for an argument also of the
   * comment before its method or signal.
   */
  textOf(element: XmlElement): string | undefined {
    const { text, comment } = this.#documented.get(element) ?? {};
    return text ?? (comment || undefined);
  }

  /** An element that introspection data defines begins. */
  begin(element: XmlElement): void {
    const name = element.attributes.get('name');
    const comment = this.#comment === undefined ? undefined : readComment(this.#comment, name);
    this.#comment = undefined;
    const ofOwner = element.name === 'arg' ? this.#open.at(-1)?.args?.get(name ?? '') : undefined;
    const documented = { comment: comment?.body ?? ofOwner, args: comment?.args };
    this.#documented.set(element, documented);
    this.#open.push(documented);
  }

  /** The element ends. */
  end(): void {
    this.#open.pop();
    this.#comment = undefined;
  }

  comment(text: string): void {
    this.#comment = text;
  }

  /** An element that introspection data does not define begins. */
  openUnknown(name: string, isOutermost: boolean, title: string | undefined): void {
    if (isOutermost) this.#blocks = ROOTS.test(name) ? [''] : undefined;
    const blocks = this.#blocks;
    if (blocks === undefined) return;
    if (VERBATIM.test(name)) this.#verbatim++;
    if (EXPLANATIONS.test(name)) {
      while (blocks.length > 1 && blocks.at(-1)?.trim() === '') blocks.pop();
      blocks.push(`${blocks.pop()?.trimEnd()}: `);
    } else if (BLOCKS.test(name)) {
      const label = name.endsWith('error') && title !== undefined ? `${title}: ` : '';
      blocks.push(ITEMS.test(name) ? `- ${label}` : '');
    }
  }

  text(text: string): void {
    const blocks = this.#blocks;
    if (blocks === undefined) return;
    const last = blocks.pop() as string;
    const added = this.#verbatim > 0 ? text : text.replace(/\s+/g, ' ');
    blocks.push(/^(?:- )?$|[ \n]$/.test(last) && this.#verbatim === 0 ? last + added.trimStart() : last + added);
  }

  /** The element ends. */
  closeUnknown(name: string, isOutermost: boolean): void {
    const blocks = this.#blocks;
    if (blocks === undefined) return;
    if (VERBATIM.test(name)) this.#verbatim--;
    if (BLOCKS.test(name)) blocks.push('');
    if (!isOutermost) return;
    this.#blocks = undefined;
    const owner = this.#open.at(-1);
    const shown = blocks.map((block) => block.replace(/^\s*\n|\s+$/g, '')).filter((block) => /[^\s-]/.test(block));
    if (owner === undefined || shown.length === 0) return;
    owner.text ??= shown.join('\n\n').replace(/\n\n(?=- )/g, '\n');
  }
}

/**
 * Reads a comment: the name of the element in the first line, lines `@name: text` for arguments, and then text about the
 * element. A line about an argument goes on in lines that begin in the midst of a sentence, or further to the right.
 */
function readComment(text: string, name: string | undefined): Comment | undefined {
  const lines = text.split('\n').map((line) => line.trimEnd());
  while (lines[0] === '') lines.shift();
  const [, symbol, first = ''] = /^\s*(.*?)(?::(?:\s+(.*))?)?$/.exec(lines.shift() ?? '') ?? [];
  if (symbol !== name) return undefined;
  const args = new Map<string, string>();
  let last: string | undefined;
  let indent = 0;
  while (lines.length > 0) {
    const line = lines[0] as string;
    const [, blanks = '', argument, about = ''] = /^(\s*)@([\w.-]+):\s*(.*)$/.exec(line) ?? [];
    if (argument !== undefined) {
      args.set(argument, about);
      last = argument;
      indent = blanks.length;
    } else if (last !== undefined && line !== '' && (/^\s*[a-z]/.test(line) || line.search(/\S/) > indent)) {
      args.set(last, `${args.get(last)} ${line.trim()}`.trim());
    } else break;
    lines.shift();
  }
  const short = args.get('short_description');
  const body = dedented([...(first === '' ? [] : [first]), ...lines]);
  return { body: [short ?? '', body].filter((part) => part !== '').join('\n\n'), args };
}

/** Lines without the blanks that all of them begin with. */
function dedented(lines: readonly string[]): string {
  const least = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return lines
    .map((line) => line.slice(least))
    .join('\n')
    .trim();
}
