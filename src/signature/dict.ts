/**
 * Dictionaries with known keys, and arrays and structs that contain them. Their types are those of the entries, on both
 * sides, and their values are checked when they are written and when they are read.
 */
import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import { checkOptionalString } from '../base/parameters.js';
import { withStackAbove } from '../base/stack.js';
import { endOfType } from './grammar.js';
import { checkSingle } from './parse.js';
import type { Refined } from './refine.js';
import { type EntryShape, type Shape, type ShapedType, shapedType, textOf } from './shape.js';
import type {
  ArrayMark,
  DictMark,
  PlainSignature,
  StructMark,
  ValidDictSignature,
  ValidEntries,
} from './shape-types.js';
import type { ValidArguments, ValidType } from './types.js';

/** Stands for all keys that are not named. */
const OTHERS = '...';

/**
 * Describes a dictionary with known keys. Use it wherever the definition of an interface has a signature: for arguments,
 * results, signals and properties, and within another `dict()`, {@link arrayOf} and {@link structOf}. On the wire it is
 * the dictionary that `signature` describes, `a{sv}` by default: each value is wrapped in a variant of its type.
 *
 * - `Name: 's'` is an entry that a value must have, `'Name?': 's'` one that it may lack.
 * - `'...': 'v'` allows all other keys, and keeps them. Another signature in place of `v` is the type of all of them.
 *   Without `'...'`, a value with another key is not written; when a value is read, other keys are left out.
 * - A value that lacks a required key, or has an entry of another type, is refused on both sides, with the key's name.
 *
 * The value is an object with the types of the entries. With `variants: 'wrap'` only entries of type `v` are `Variant`
 * objects: the types of the others are known.
 *
 * @example
 * ```ts
 * const Device = defineInterface('org.example.Device1', {
 *   methods: { Pair: { in: [dict({ 'Timeout?': 'u', '...': 'v' }, 'options:a{sv}')] } },
 *   properties: { State: { type: dict({ Name: 's', Strength: 'y', 'Flags?': 'au' }), access: 'read' } },
 * });
 * ```
 *
 * @param entries the signatures of the entries, by key
 * @param signature the signature of the dictionary, whose keys are strings, object paths or signatures. The name of
 *   an argument may precede it, as in `'options:a{sv}'`
 * @throws {@link InvalidArgumentError} if a signature is invalid or does not agree with the dictionary, or a key
 *   occurs twice. If it is a literal, that is also a compile error
 */
export function dict<const E extends { readonly [key: string]: string }, const S extends string = 'a{sv}'>(
  entries: E & ValidEntries<E, S>,
  signature?: S & ValidDictSignature<S>,
): Refined<NoInfer<S>, DictMark<E>> {
  try {
    return dictText(entries, signature === undefined ? 'a{sv}' : signature) as Refined<S, DictMark<E>>;
  } catch (error) {
    throw withStackAbove(error, dict);
  }
}

/**
 * Describes an array whose elements are described by {@link dict}, {@link structOf} or another array. Any other array is
 * written as a signature alone.
 *
 * @example
 * ```ts
 * const Player = defineInterface('org.example.Player1', {
 *   methods: { GetTracks: { out: arrayOf(dict({ Title: 's', 'Artists?': 'as' })) } },
 * });
 * ```
 *
 * @param name the name of the argument, if the array is one
 * @throws {@link InvalidArgumentError} if the type of the elements is invalid
 */
export function arrayOf<const S extends string>(
  element: S & ValidType<S>,
  name?: string,
): Refined<`a${PlainSignature<S>}`, ArrayMark<S>> {
  try {
    const type = checkedType(element, 'arrayOf()');
    const shape = type.shape && ({ kind: 'array', element: type } as const);
    return named(name, `a${type.signature}`, shape) as never;
  } catch (error) {
    throw withStackAbove(error, arrayOf);
  }
}

/**
 * Describes a struct with fields that are described by {@link dict}, {@link arrayOf} or another struct. Any other struct
 * is written as a signature alone.
 *
 * @example
 * ```ts
 * const Menu = defineInterface('org.example.Menu1', {
 *   methods: { GetItems: { out: arrayOf(structOf(['i', dict({ label: 's', 'enabled?': 'b' })])) } },
 * });
 * ```
 *
 * @param name the name of the argument, if the struct is one
 * @throws {@link InvalidArgumentError} if the type of a field is invalid, or there is none
 */
export function structOf<const F extends readonly string[]>(
  fields: F & ValidArguments<F>,
  name?: string,
): Refined<`(${PlainSignatures<F>})`, StructMark<F>> {
  try {
    if (!Array.isArray(fields)) throw new InvalidArgumentError('structOf(): expected an array of types');
    const types = fields.map((field: string) => checkedType(field, 'structOf()'));
    const signature = `(${types.map((type) => type.signature).join('')})`;
    const hasShapes = types.some((type) => type.shape !== undefined);
    return named(name, signature, hasShapes ? { kind: 'struct', fields: types } : undefined) as never;
  } catch (error) {
    throw withStackAbove(error, structOf);
  }
}

/** The signatures of fields, concatenated. */
type PlainSignatures<F extends readonly string[], Text extends string = ''> = F extends readonly [
  infer First extends string,
  ...infer Others extends readonly string[],
]
  ? PlainSignatures<Others, `${Text}${PlainSignature<First>}`>
  : Text;

function named(name: string | undefined, signature: string, shape: Shape | undefined): string {
  checkOptionalString(name, 'name');
  checkSingle(signature);
  const text = name === undefined ? signature : `${name}:${signature}`;
  return shape === undefined ? text : textOf(text, shape);
}

function dictText(given: Readonly<Record<string, string>>, signature: string): string {
  const value = valueSignature(signature);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidArgumentError("dict(): expected an object of signatures by key, as in dict({ Name: 's' })");
  }
  const entries = new Map<string, EntryShape>();
  let others: ShapedType | undefined;
  for (const [key, text] of Object.entries(given)) {
    const type = checkedType(text, `dict(): the entry ${quoted(key)}`);
    if (value !== 'v' && type.signature !== value) {
      throw new InvalidArgumentError(
        `dict(): the entry ${quoted(key)} has the signature "${type.signature}", but the values of the dictionary have "${value}"`,
      );
    }
    if (key === OTHERS) {
      others = type;
      continue;
    }
    const optional = key.endsWith('?');
    const name = optional ? key.slice(0, -1) : key;
    if (entries.has(name)) throw new InvalidArgumentError(`dict(): the key ${quoted(name)} occurs twice`);
    entries.set(name, { ...type, optional });
  }
  return textOf(signature, { kind: 'dict', wraps: value === 'v', entries, ...(others && { others }) });
}

/** The signature of the values of a dictionary. */
function valueSignature(text: string): string {
  const signature = typeof text === 'string' ? text.slice(text.lastIndexOf(':') + 1) : '';
  checkSingle(signature);
  if (/^a\{[sog]/.test(signature)) return signature.slice(3, endOfType(signature, 3));
  throw new InvalidArgumentError(
    `dict(): "${signature}" is not a dictionary with text keys: give a signature such as "a{sv}", "a{sa{sv}}" or "a{oa{sv}}"`,
  );
}

function checkedType(text: string, what: string): ShapedType {
  if (typeof text !== 'string') {
    throw new InvalidArgumentError(`${what}: expected a signature, got ${text === null ? 'null' : typeof text}`);
  }
  const { signature, shape } = shapedType(text);
  const type = { signature, ...(shape && { shape }) };
  try {
    checkSingle(type.signature);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`${what}: ${error.message}`);
  }
  return type;
}
