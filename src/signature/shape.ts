/**
 * Values whose dictionaries have known keys, as `dict()` describes them. A signature with a shape is a text: the
 * signature, a control character that no signature has, and the shape. So it fits wherever a signature stands. The text
 * is parsed once, when an interface is defined.
 */
import { InvalidArgumentError } from '../base/errors.js';

/** A signature, and the shape of its values if it has one. */
export interface ShapedType {
  /** One complete type. */
  readonly signature: string;
  /** The keys of the dictionaries in values of the type; absent if they are free. */
  readonly shape?: Shape;
}

/** An entry of a dictionary with known keys. */
export interface EntryShape extends ShapedType {
  /** Whether the dictionary may lack the entry. */
  readonly optional: boolean;
}

/** A dictionary with known keys. */
export interface DictShape {
  /** The kind of the value. */
  readonly kind: 'dict';
  /** Whether the values are in variants: the signature ends with `v}`. */
  readonly wraps: boolean;
  /** The known entries, by key. */
  readonly entries: ReadonlyMap<string, EntryShape>;
  /** The type of all other entries; absent if there may be none. */
  readonly others?: ShapedType;
}

/** An array whose elements have a shape. */
export interface ArrayShape {
  /** The kind of the value. */
  readonly kind: 'array';
  /** The type of the elements. */
  readonly element: ShapedType;
}

/** A struct with fields that have a shape. */
export interface StructShape {
  /** The kind of the value. */
  readonly kind: 'struct';
  /** The types of the fields, in order. */
  readonly fields: readonly ShapedType[];
}

/** What is known of the dictionaries in a value beside its signature. */
export type Shape = DictShape | ArrayShape | StructShape;

/** The shapes of several values in order; `undefined` for values without one. */
export type Shapes = readonly (Shape | undefined)[];

/** Ends the signature. Names of arguments cannot contain it either, because XML cannot. */
const MARK = '\u0001';

/** Whether the text of a type, or of one of several types, has a shape. */
export function hasShape(list: string | readonly string[] | undefined): boolean {
  if (typeof list === 'string') return list.includes(MARK);
  return Array.isArray(list) && list.some((text: unknown) => typeof text === 'string' && text.includes(MARK));
}

/** A type with the name of an argument, which counts only where the type is that of an argument. */
export interface NamedType extends ShapedType {
  /** The name before the signature of a type with a shape. */
  readonly name?: string;
}

/** Joins a signature, which may have an argument's name before it, and a shape. */
export function textOf(signature: string, shape: Shape): string {
  return `${signature}${MARK}${JSON.stringify(shape, (_key, value) => (value instanceof Map ? [...value] : value))}`;
}

/**
 * Splits a text into the signature and the shape. A text without a shape is the signature.
 *
 * @throws {@link InvalidArgumentError} if there is more than one type
 */
export function shapedType(text: string): NamedType {
  const mark = hasShape(text) ? text.indexOf(MARK) : -1;
  if (mark < 0) return { signature: text };
  const named = text.slice(0, mark);
  const colon = named.lastIndexOf(':');
  const name = colon > 0 ? { name: named.slice(0, colon) } : {};
  try {
    return { ...name, signature: named.slice(colon + 1), shape: shapeOf(JSON.parse(text.slice(mark + 1))) };
  } catch {
    throw new InvalidArgumentError(
      'a type with dict() stands alone: write arguments as a list, and other types with arrayOf() and structOf()',
    );
  }
}

/** A shape as it is in the text, with its entries as a list. */
interface Parsed {
  readonly kind: Shape['kind'];
  readonly wraps: boolean;
  readonly entries: readonly (readonly [string, ParsedType & { readonly optional: boolean }])[];
  readonly others?: ParsedType;
  readonly element: ParsedType;
  readonly fields: readonly ParsedType[];
}

interface ParsedType {
  readonly signature: string;
  readonly shape?: Parsed;
}

function shapeOf({ kind, wraps, entries, others, element, fields }: Parsed): Shape {
  if (kind === 'array') return { kind, element: typeOf(element) };
  if (kind === 'struct') return { kind, fields: fields.map(typeOf) };
  const known = entries.map(([key, entry]) => [key, { ...typeOf(entry), optional: entry.optional }] as const);
  return { kind, wraps, entries: new Map(known), ...(others && { others: typeOf(others) }) };
}

function typeOf({ signature, shape }: ParsedType): ShapedType {
  return { signature, ...(shape && { shape: shapeOf(shape) }) };
}
