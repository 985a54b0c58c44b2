/** Values in the form of busctl's command line, and in the form of its output. */
import type { Variant } from '../../src/index.js';
import { SignatureReader } from './values-notation.js';

/** How a value of a basic type is written. */
type Basic = (code: string, value: unknown) => string;

/** The arguments that follow the name of the method: the signature, and a word for each count and basic value. */
export function busctlArguments(signature: string, values: readonly unknown[]): string[] {
  return signature === '' ? [] : [signature, ...words(signature, values, spelled)];
}

/** The output of busctl for a reply. */
export function busctlOutput(signature: string, values: readonly unknown[]): string {
  return signature === '' ? '' : `${[signature, ...words(signature, values, printed)].join(' ')}\n`;
}

function words(signature: string, values: readonly unknown[], basic: Basic): string[] {
  const reader = new SignatureReader(signature);
  return values.flatMap((value) => wordsOf(reader.next(), value, basic));
}

function wordsOf(type: string, value: unknown, basic: Basic): string[] {
  switch (type[0]) {
    case 'v': {
      const { signature, value: content } = value as Variant;
      return [signature, ...wordsOf(signature, content, basic)];
    }
    case '(':
      return words(type.slice(1, -1), value as unknown[], basic);
    case 'a': {
      const element = type.slice(1);
      const elements = elementsOf(element, value);
      const list = elements.flatMap((item) => wordsOf(element, item, basic));
      return [String(elements.length), ...list];
    }
    case '{':
      return words(type.slice(1, -1), value as unknown[], basic);
    default:
      return [basic(type, value)];
  }
}

function elementsOf(element: string, value: unknown): readonly unknown[] {
  if (element === 'y') return [...(value as Buffer)];
  if (element[0] === '{') return value instanceof Map ? [...value] : Object.entries(value as object);
  return value as unknown[];
}

function spelled(code: string, value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  const isSubnormal = code === 'd' && value !== 0 && Math.abs(value as number) < SMALLEST_NORMAL;
  return isSubnormal ? hexadecimal(value as number) : String(value);
}

const SMALLEST_NORMAL = 2 ** -1022;

/** C refuses a subnormal number unless its text is exact, which decimals are not. */
function hexadecimal(value: number): string {
  const multiple = Math.abs(value) / Number.MIN_VALUE;
  return `${value < 0 ? '-' : ''}0x${multiple.toString(16)}p-1074`;
}

function printed(code: string, value: unknown): string {
  if (code === 'd') return general(value as number);
  return typeof value === 'string' ? `"${escaped(value)}"` : String(value);
}

const namedEscapes: Readonly<Record<string, string>> = {
  ...{ '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' },
  ...{ '\\': '\\\\', '"': '\\"', "'": "\\'" },
};

/** Every byte that is not printable ASCII is escaped as in C. */
function escaped(text: string): string {
  const octal = (byte: string) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
  const bytes = Buffer.from(text).toString('latin1');
  return bytes.replace(/[^\x20-\x7e]|[\\"']/g, (byte) => namedEscapes[byte] ?? octal(byte));
}

const PRECISION = 6;

/** C's `%g`. */
function general(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = value.toExponential(PRECISION - 1).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < PRECISION) return String(Number(value.toPrecision(PRECISION)));
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${Number(mantissa)}e${exponent < 0 ? '-' : '+'}${digits}`;
}
