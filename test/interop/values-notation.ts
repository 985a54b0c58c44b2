/** Values as text that peers can write too, so that their decoded values can be compared: see `peers/echo_notation.py`. */
import type { Variant } from '../../src/index.js';

/**
 * The text of the values of a message. Numbers of type `d` and other numbers look alike here: the signature distinguishes
 * them.
 */
export function notation(signature: string, values: readonly unknown[]): string {
  const reader = new SignatureReader(signature);
  return list(values.map((value) => text(reader.next(), value)));
}

const list = (texts: readonly string[]) => `[${texts.join(',')}]`;

function text(type: string, value: unknown): string {
  switch (type[0]) {
    case 'd':
      return `{"double":"${bits(value as number)}"}`;
    case 'v': {
      const { signature, value: content } = value as Variant;
      return `{"variant":${string(signature)},"value":${text(signature, content)}}`;
    }
    case '(':
      return notation(type.slice(1, -1), value as unknown[]);
    case 'a':
      return arrayText(type.slice(1), value);
    default:
      return typeof value === 'string' ? string(value) : String(value);
  }
}

function arrayText(element: string, value: unknown): string {
  if (element === 'y') return `{"bytes":"${(value as Buffer).toString('hex')}"}`;
  if (element[0] !== '{') return list((value as unknown[]).map((item) => text(element, item)));
  const pairs = value instanceof Map ? [...value] : Object.entries(value as object);
  return `{"entries":${list(pairs.map((pair) => notation(element.slice(1, -1), pair)))}}`;
}

function bits(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

/** JSON in ASCII, because one of the peers cannot send other strings. */
function string(value: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, escaped);
}

/**
 * Takes complete types off a valid signature. The tests have their own parser, so that they do not rely on the tested one.
 */
export class SignatureReader {
  readonly #signature: string;
  #position = 0;

  constructor(signature: string) {
    this.#signature = signature;
  }

  next(): string {
    const start = this.#position;
    this.#skip();
    return this.#signature.slice(start, this.#position);
  }

  #skip(): void {
    const code = this.#signature[this.#position++];
    if (code === 'a') this.#skip();
    if (code !== '(' && code !== '{') return;
    for (let depth = 1; depth > 0; this.#position++) {
      const inner = this.#signature[this.#position] as string;
      if ('({'.includes(inner)) depth++;
      if (')}'.includes(inner)) depth--;
    }
  }
}
