/** Writes the types of values, and values to begin with, for the signatures of the members of a class. */

/** How a type is written, and the value that a property of the type begins with. */
export interface ValueType {
  readonly type: string;
  /** `undefined` if nothing stands for a value: a file descriptor. */
  readonly value: string | undefined;
}

const number = { type: 'number', value: '0' };
const bigint = { type: 'bigint', value: '0n' };
const text = { type: 'string', value: "''" };
const leaves: Readonly<Record<string, ValueType>> = {
  ...{ y: number, n: number, q: number, i: number, u: number, d: number, x: bigint, t: bigint, s: text, g: text },
  b: { type: 'boolean', value: 'false' },
  o: { type: 'string', value: "'/'" },
  h: { type: 'FileDescriptor', value: undefined },
  v: { type: 'unknown', value: "''" },
};
const bytes: ValueType = { type: 'Buffer', value: 'Buffer.alloc(0)' };

/** The length of a type above which it is written by its signature. */
const LENGTH_MAXIMUM = 60;

/** The type of the values that are read for a signature of one complete type. */
export function valueType(signature: string): ValueType {
  const { found } = scan(signature, 0);
  // The memory of buffers within other values has a type that only newer compilers have.
  const isWithin = signature !== 'ay' && signature.includes('ay');
  return isWithin || found.type.length > LENGTH_MAXIMUM ? { ...found, type: `ReadValue<'${signature}'>` } : found;
}

/** The type of several values. */
export function tupleType(signatures: readonly string[]): string {
  const text = `[${signatures.map((signature) => valueType(signature).type).join(', ')}]`;
  return text.length > 100 ? `ReadValues<'${signatures.join('')}'>` : text;
}

/** @param at the index at which the type begins in a valid signature */
function scan(signature: string, at: number): { readonly found: ValueType; readonly end: number } {
  const code = signature[at] as string;
  if (code === '(') {
    const fields: ValueType[] = [];
    let end = at + 1;
    while (signature[end] !== ')') {
      const field = scan(signature, end);
      fields.push(field.found);
      end = field.end;
    }
    const values = fields.map(({ value }) => value);
    const type = `[${fields.map((field) => field.type).join(', ')}]`;
    return { found: { type, value: values.includes(undefined) ? undefined : `[${values.join(', ')}]` }, end: end + 1 };
  }
  if (code !== 'a') return { found: leaves[code] as ValueType, end: at + 1 };
  if (signature[at + 1] === 'y') return { found: bytes, end: at + 2 };
  if (signature[at + 1] !== '{') {
    const { found, end } = scan(signature, at + 1);
    return { found: { type: `${found.type}[]`, value: '[]' }, end };
  }
  const key = scan(signature, at + 2);
  const { found, end } = scan(signature, key.end);
  const isText = key.found.type === 'string';
  const type = `${isText ? 'Record' : 'Map'}<${key.found.type}, ${found.type}>`;
  return { found: { type, value: isText ? '{}' : 'new Map()' }, end: end + 1 };
}
