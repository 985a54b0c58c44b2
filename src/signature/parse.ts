/**
 * Parses signatures into trees, for code that keeps types and examines them. A signature becomes a list of {@link Type}
 * trees. They are declared read-only, shared, and cached by the text of the signature. `grammar.ts` checks the
 * signature first.
 *
 * @see D-Bus specification, section "Type System"
 */

import { BoundedCache } from '../base/bounded-cache.js';
import { InvalidArgumentError } from '../base/errors.js';
import { checkSignature, endOfType } from './grammar.js';

/** Codes of the types that contain no other type, and may be the key of a dictionary. */
export type BasicCode = 'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h';

/** What all types have. */
export interface TypeNode {
  /** The signature of this type alone. */
  readonly signature: string;
  /** Values of this type begin at a multiple of this many bytes. */
  readonly alignment: 1 | 2 | 4 | 8;
  /** The largest number of nested containers in this type, including the type itself. */
  readonly depth: number;
}

/** A type that contains no other type. */
export interface BasicType extends TypeNode {
  /** The letter of the type. */
  readonly code: BasicCode;
}
/** The type of variants. */
export interface VariantType extends TypeNode {
  /** The letter of the type. */
  readonly code: 'v';
}
/** A struct. */
export interface StructType extends TypeNode {
  /** The first character of the type. */
  readonly code: '(';
  /** The types of the fields, in order. */
  readonly fields: readonly Type[];
}
/** An array, or a dictionary. */
export interface ArrayType extends TypeNode {
  /** The first character of the type. */
  readonly code: 'a';
  /** For a dictionary, this is a {@link DictEntryType}. */
  readonly element: Type | DictEntryType;
}
/** Occurs only as the element of an array. */
export interface DictEntryType extends TypeNode {
  /** The first character of the entry. */
  readonly code: '{';
  /** The type of the keys. */
  readonly key: BasicType;
  /** The type of the values. */
  readonly value: Type;
}

/** A complete type. Its `code` tells which one. */
export type Type = BasicType | VariantType | StructType | ArrayType;

const basicAlignments: Readonly<Record<BasicCode, TypeNode['alignment']>> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 4,
  o: 4,
  g: 1,
  h: 4,
};

/** The alignment of values in bytes, by the first character of their type. */
export const alignments: Readonly<Record<Type['code'] | '{', TypeNode['alignment']>> = {
  ...basicAlignments,
  v: 1,
  a: 4,
  '(': 8,
  '{': 8,
};

const leaves: ReadonlyMap<string, BasicType | VariantType> = new Map<string, BasicType | VariantType>([
  ...(Object.keys(basicAlignments) as BasicCode[]).map((code): [string, BasicType] => [
    code,
    { code, signature: code, alignment: basicAlignments[code], depth: 0 },
  ]),
  ['v', { code: 'v', signature: 'v', alignment: 1, depth: 1 }],
]);

const signatures = new BoundedCache<readonly Type[]>();

/**
 * Returns the complete types of a signature, in order; an empty list for the empty signature. Types are shared: they
 * must not be changed.
 *
 * @example
 * ```ts
 * for (const { code, signature } of parseSignature('sa{sv}')) console.log(code, signature);
 * ```
 * @throws {@link InvalidArgumentError} that tells the rule that the signature breaks, and the position
 */
export function parseSignature(signature: string): readonly Type[] {
  const known = signatures.get(signature);
  if (known !== undefined) return known;
  checkSignature(signature);
  return signatures.add(signature, typesIn(signature, 0, signature.length));
}

/**
 * Returns the one complete type of a signature.
 *
 * @throws {@link InvalidArgumentError} also for no type or several types
 */
export function parseSingle(signature: string): Type {
  const types = parseSignature(signature);
  if (types.length !== 1) throw notSingle(signature);
  return types[0] as Type;
}

/**
 * Checks a signature that must be one complete type, without making a tree.
 *
 * @returns the largest number of nested containers, including variants
 * @throws {@link InvalidArgumentError} also for no type or several types
 */
export function checkSingle(signature: string): number {
  const { types, depth } = checkSignature(signature);
  if (types !== 1) throw notSingle(signature);
  return depth;
}

function notSingle(signature: string): InvalidArgumentError {
  const types = typesIn(signature, 0, signature.length);
  const found =
    types.length === 0 ? 'is empty' : `has ${types.length}: ${types.map((type) => type.signature).join(', ')}`;
  return new InvalidArgumentError(`signature "${signature}" must be one complete type, but ${found}`);
}

/** Returns the complete types from `at` to `end` of a valid signature. */
function typesIn(text: string, at: number, end: number): Type[] {
  const types: Type[] = [];
  for (let from = at; from < end; ) {
    const to = endOfType(text, from);
    types.push(typeAt(text, from, to));
    from = to;
  }
  return types;
}

function typeAt(text: string, at: number, end: number): Type {
  const leaf = leaves.get(text[at] as string);
  if (leaf !== undefined) return leaf;
  const signature = text.slice(at, end);
  if (text[at] === '(') {
    const fields = typesIn(text, at + 1, end - 1);
    const depth = 1 + Math.max(...fields.map((field) => field.depth));
    return { code: '(', signature, alignment: 8, depth, fields };
  }
  const element = text[at + 1] === '{' ? dictEntryAt(text, at + 1, end) : typeAt(text, at + 1, end);
  return { code: 'a', signature, alignment: 4, depth: element.depth + 1, element };
}

function dictEntryAt(text: string, at: number, end: number): DictEntryType {
  const key = leaves.get(text[at + 1] as string) as BasicType;
  const value = typeAt(text, at + 2, end - 1);
  return { code: '{', signature: text.slice(at, end), alignment: 8, depth: value.depth + 1, key, value };
}
