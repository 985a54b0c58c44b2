/**
 * The texts of a definition that introspection data carries: annotations, documentation, names that are free text. What
 * XML cannot represent is refused.
 */
import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import { suggestion } from '../base/nearest-name.js';
import { readDocs } from './annotations.js';
import type { Annotations, ArgumentDescription } from './description.js';
import { isXmlText } from './xml/xml.js';

export function readAnnotations(annotations: Readonly<Record<string, string>> = {}): Annotations {
  const isTable = typeof annotations === 'object' && annotations !== null && !Array.isArray(annotations);
  if (!isTable) throw new InvalidArgumentError('annotations: expected an object with strings by name');
  const read = new Map(Object.entries(annotations));
  for (const [name, value] of read) {
    checkFreeText(name, 'annotation name');
    checkFreeText(value, `annotation ${quoted(name)}`);
  }
  return read;
}

export function checkFreeText(text: string, what: string): void {
  if (typeof text !== 'string') throw new InvalidArgumentError(`${what} must be a string, not ${typeof text}`);
  if (!isXmlText(text)) {
    throw new InvalidArgumentError(
      `${what} ${quoted(text)} contains a character that introspection data cannot contain`,
    );
  }
}

/** The documentation in the options, else that of the annotations. */
export function docsOf(docs: string | undefined, annotations: Annotations): { readonly docs?: string } {
  if (docs === undefined) return readDocs(annotations);
  checkFreeText(docs, '"docs"');
  return { docs };
}

export function readArgumentDocs(
  docs: Readonly<Record<string, string>> | undefined,
): ReadonlyMap<string, string> | undefined {
  return docs === undefined ? undefined : within('"argumentDocs"', () => readAnnotations(docs));
}

/** The arguments with their documentation. */
export function documented(
  args: readonly ArgumentDescription[],
  docs: ReadonlyMap<string, string> | undefined,
): readonly ArgumentDescription[] {
  if (docs === undefined) return args;
  return args.map((arg) => {
    const text = docs.get(arg.name ?? '');
    return text === undefined ? arg : { ...arg, docs: text };
  });
}

/** Refuses documentation of arguments that do not exist. */
export function checkDocumented(
  docs: ReadonlyMap<string, string> | undefined,
  args: readonly ArgumentDescription[],
): void {
  const names = args.flatMap(({ name }) => name ?? []);
  for (const name of docs?.keys() ?? []) {
    if (names.includes(name)) continue;
    throw new InvalidArgumentError(`"argumentDocs": there is no argument ${quoted(name)}${suggestion(name, names)}`);
  }
}

/** Adds the place of an error to its text. The stack is of little help, because definitions are tables. */
export function within<T>(place: string, describe: () => T): T {
  try {
    return describe();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    // Not set as the cause: the same sentence would be printed once for each level.
    throw new InvalidArgumentError(`${place}: ${error.message}`);
  }
}
