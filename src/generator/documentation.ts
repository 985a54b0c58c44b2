/** The documentation of members as comments in TSDoc. */
import type { ArgumentDescription, InterfaceDescription } from '../interface/description.js';
import { commentText, tsdoc } from './literals.js';

/** What is documented of a member. */
interface Documented {
  readonly docs?: string;
  readonly deprecated?: boolean;
  readonly in?: readonly ArgumentDescription[];
  readonly out?: readonly ArgumentDescription[];
}

/**
 * The lines of the comment of a member; none if nothing is documented.
 *
 * @param names the names of the arguments as they are in the code
 */
export function memberComment(
  { docs = '', deprecated, in: args = [], out = [] }: Documented,
  names: readonly string[],
  indent: number,
): readonly string[] {
  const paragraphs = [
    commentText(docs),
    ...args.map((arg, index) => tag(`@param ${names[index]}`, arg.docs)),
    results(out),
    deprecated === true ? '@deprecated' : '',
  ];
  return tsdoc(
    paragraphs.filter((paragraph) => paragraph !== ''),
    indent,
  );
}

/** The lines of the comment of an interface, and further paragraphs. */
export function interfaceComment(
  { docs = '', annotations }: InterfaceDescription,
  ...others: string[]
): readonly string[] {
  const deprecated = annotations.get('org.freedesktop.DBus.Deprecated') === 'true' ? '@deprecated' : '';
  return tsdoc(
    [commentText(docs), ...others, deprecated].filter((paragraph) => paragraph !== ''),
    0,
  );
}

function results(out: readonly ArgumentDescription[]): string {
  const documented = out.filter(({ docs }) => docs !== undefined);
  const [only] = documented;
  if (only === undefined) return '';
  if (out.length === 1) return tag('@returns', only.docs);
  return `@returns ${documented.map(({ name, docs = '' }) => `${commentText(name ?? 'value')}: ${inLine(docs)}`).join('; ')}`;
}

/** A tag of TSDoc. Its text has no empty lines, which would end it in some editors. */
function tag(name: string, docs: string | undefined): string {
  return docs === undefined || docs.trim() === '' ? '' : `${name} ${inLine(docs)}`;
}

function inLine(docs: string): string {
  return commentText(docs).replace(/\s*\n\s*/g, ' ');
}
