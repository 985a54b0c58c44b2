/**
 * Reads and writes introspection data as XML elements. Text, comments, documentation and unknown elements are skipped,
 * unless documentation is asked for.
 * Declarations are not interpreted, so no entity can expand.
 *
 * The parser is saxes, which jsdom relies on. It is strict and conformant, has types, and does not recurse: it parses
 * 10 000 levels, at which @rgrove/parse-xml overflows the stack. sax accepts NULs, duplicate attributes and several
 * roots.
 */

import { SaxesParser } from 'saxes';
import { InvalidArgumentError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';
import type { DocumentationReader } from './documentation.js';
import type { Work } from './slices.js';

export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** The children whose names introspection data defines. */
  readonly children: readonly XmlElement[];
  /** The line on which the start tag ends, counted from 1. */
  readonly line: number;
}

export interface XmlLimits {
  /** In UTF-16 code units. */
  readonly maximumLength: number;
  readonly maximumDepth: number;
}

/**
 * The maximum number of undefined entities. Each costs the parser an error, so a document of nothing else would keep
 * the process busy for a second.
 */
const UNDEFINED_ENTITIES_MAXIMUM = 1000;
/**
 * The maximum number of elements and attributes together. The smallest have four to seven characters, and each takes
 * microseconds and half a kilobyte, so their number matters more than the length. The largest objects in use have some
 * thousands.
 */
export const PARTS_MAXIMUM = 300_000;
const CHARACTERS_A_PART = 14;
/** The maximum number of attributes of one element. Introspection data has three, and other programs add a few. */
const ATTRIBUTES_MAXIMUM = 1000;
/**
 * How many UTF-16 code units are read before the event loop may run: a few milliseconds for a text that has only
 * elements.
 */
const CHUNK = 4096;
const ELEMENTS = new Set(['node', 'interface', 'method', 'signal', 'property', 'arg', 'annotation']);
/**
 * The entities that XML itself defines. (The parser's own table also finds properties that every object inherits,
 * `&constructor;` for instance.)
 */
const entities = Object.assign(Object.create(null) as Record<string, string>, {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
});
const NOT_IN_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** Whether a text can be written in XML: most control characters, lone surrogates, U+FFFE and U+FFFF cannot. */
export function isXmlText(text: string): boolean {
  return !NOT_IN_XML.test(text);
}

/**
 * Reads a document.
 *
 * @param documentation gets what documents the elements, if that is asked for
 * @throws {@link InvalidArgumentError} if the text is not well-formed XML, or exceeds a limit
 */
export function* readXml(
  xml: string,
  { maximumLength, maximumDepth }: XmlLimits,
  documentation?: DocumentationReader,
): Work<XmlElement> {
  if (typeof xml !== 'string') throw new InvalidArgumentError(`introspection data must be a string, not ${typeof xml}`);
  if (xml.length > maximumLength) {
    throw new InvalidArgumentError(
      `introspection data of ${xml.length} characters is beyond the limit of ${maximumLength}`,
    );
  }
  // Some services begin with a line break, which XML forbids before its declaration.
  const text = xml.trimStart();
  if (text === '') throw new InvalidArgumentError('introspection data is empty');

  const parser = new SaxesParser();
  parser.ENTITIES = entities;
  const document: XmlElement[] = [];
  /** For each open element that is kept, the children to add to. */
  const open: XmlElement[][] = [document];
  let depth = 0;
  /** The depth of the outermost open unknown element. Everything in it is skipped. */
  let unknownDepth = 0;
  /** The parser's error for an entity that XML does not define, since the last start tag began. */
  let undefinedEntity: string | undefined;
  let undefinedEntities = 0;
  // A larger maximum length also raises the maximum number of parts.
  const partsMaximum = Math.max(PARTS_MAXIMUM, Math.ceil(maximumLength / CHARACTERS_A_PART));
  let parts = 0;
  let attributesOfElement = 0;
  const countPart = () => {
    if (++parts > partsMaximum) throw tooMany(partsMaximum, 'elements and attributes');
  };
  parser.on('opentagstart', () => {
    undefinedEntity = undefined;
    attributesOfElement = 0;
    countPart();
  });
  parser.on('attribute', () => {
    if (++attributesOfElement > ATTRIBUTES_MAXIMUM) throw tooMany(ATTRIBUTES_MAXIMUM, 'attributes of an element');
    countPart();
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (++depth > maximumDepth) {
      throw new InvalidArgumentError(`introspection data is nested deeper than ${maximumDepth} elements`);
    }
    if (unknownDepth > 0) return documentation?.openUnknown(name, false, attributes.name);
    if (depth > 1 && !ELEMENTS.has(name)) {
      unknownDepth = depth;
      return documentation?.openUnknown(name, true, attributes.name);
    }
    if (undefinedEntity !== undefined) throw notWellFormed(`${undefinedEntity} Entities are not expanded`);
    const children: XmlElement[] = [];
    const element = { name, attributes: new Map(Object.entries(attributes)), children, line: parser.line };
    open.at(-1)?.push(element);
    open.push(children);
    documentation?.begin(element);
  });
  parser.on('closetag', ({ name }) => {
    if (unknownDepth === 0) {
      open.pop();
      documentation?.end();
    } else {
      documentation?.closeUnknown(name, unknownDepth === depth);
      if (unknownDepth === depth) unknownDepth = 0;
    }
    depth--;
  });
  if (documentation !== undefined) {
    parser.on('text', (read) => documentation.text(read));
    parser.on('comment', (comment) => documentation.comment(comment));
  }
  parser.on('error', ({ message }) => {
    // Documentation uses entities of its own (PackageKit, UPower). Undefined entities are errors only in attributes.
    if (!message.endsWith('undefined entity.')) throw notWellFormed(printable(message));
    undefinedEntity = printable(message);
    if (++undefinedEntities > UNDEFINED_ENTITIES_MAXIMUM) {
      throw tooMany(UNDEFINED_ENTITIES_MAXIMUM, 'undefined entities');
    }
  });
  for (let at = 0; at < text.length; at += CHUNK) {
    parser.write(text.slice(at, at + CHUNK));
    yield;
  }
  parser.close();
  return document[0] as XmlElement;
}

function tooMany(maximum: number, what: string): InvalidArgumentError {
  return new InvalidArgumentError(`introspection data has more than ${maximum} ${what}`);
}

function notWellFormed(reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`introspection data is not well-formed XML: ${reason}`);
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // Written as references, because parsers turn other white space in attributes into blanks.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
const NOT_IN_XML_EVERYWHERE = new RegExp(NOT_IN_XML, 'gu');

/** Escapes a text for an attribute in double quotes. Characters that XML cannot represent become U+FFFD. */
export function escapeAttribute(text: string): string {
  return text
    .replace(/[&<>"\t\n\r]/g, (character) => escapes[character] as string)
    .replace(NOT_IN_XML_EVERYWHERE, '\uFFFD');
}
