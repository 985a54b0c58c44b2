/**
 * How an encoder says that a value does not fit its signature. A misfit is thrown where the value is, and gathers the
 * path to it on its way out, so that values that fit pay nothing for it. It never leaves the codec: `encoder.ts` makes
 * an `InvalidArgumentError` of it, whose stack then is the caller's.
 */
import { types } from 'node:util';
import { quoted } from '../base/names.js';
import { isRevoked } from '../base/revoked.js';
import { Variant } from '../values/variant.js';

export class Misfit {
  #path = '';
  readonly #problem: string;

  /** @param problem what is wrong, for instance `expected ay, got string` */
  constructor(problem: string) {
    this.#problem = problem;
  }

  within(step: string): this {
    this.#path = step + this.#path;
    return this;
  }

  get message(): string {
    return `${this.#path}: ${this.#problem}`;
  }
}

/** A value that is of another type than the signature asks for, or out of its range. */
export function misfit(expected: string, value: unknown): Misfit {
  return new Misfit(`expected ${expected}, got ${describe(value)}`);
}

/** What a value was refused for: a revoked Proxy throws whatever is asked of it, and is nothing that could be sent. */
export function misfitOf(value: unknown, error: unknown): unknown {
  return error instanceof Misfit || !holdsRevoked(value) ? error : new Misfit('got a Proxy that was revoked');
}

function holdsRevoked(value: unknown): boolean {
  try {
    let content = value;
    while (!types.isProxy(content) && Variant.isVariant(content)) content = content.value;
    return isRevoked(content);
  } catch {
    return types.isProxy(value) || Variant.isVariant(value);
  }
}

/** Adds a step to the path of a misfit; whatever else was thrown stays as it is. To be thrown again. */
export function within(step: string, error: unknown): unknown {
  return error instanceof Misfit ? error.within(step) : error;
}

export function atIndex(index: number, error: unknown): unknown {
  return within(`[${index}]`, error);
}

export function atKey(key: unknown, error: unknown): unknown {
  if (typeof key !== 'string') return within(`[${describe(key)}]`, error);
  return within(/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${quoted(key)}]`, error);
}

/** What a value is, in few words: the value itself where it is a number, else its type or class. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array of ${value.length}`;
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
      return String(value);
    case 'object':
      return className(value);
    default:
      return typeof value;
  }
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name !== 'string' || name === '' || name === 'Object' ? 'object' : name;
}
