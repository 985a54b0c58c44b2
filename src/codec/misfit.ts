/**
 * Tells that a value does not match its signature. An encoder throws a misfit at the value, and its callers add the
 * path to it, so values that match cost nothing. A misfit never leaves the codec: `encoder.ts` turns it into an
 * `InvalidArgumentError`, whose stack is then that of the caller.
 */
import { types } from 'node:util';
import { quoted } from '../base/names.js';
import { isRevoked } from '../base/revoked.js';
import { Variant } from '../values/variant.js';
import { KeptVariant } from './kept-variant.js';
import { ShapedValue } from './shaped-value.js';

export class Misfit {
  #path = '';
  readonly #problem: string;
  #reason = '';

  /** @param problem what is wrong, for instance `expected ay, got string` */
  constructor(problem: string) {
    this.#problem = problem;
  }

  within(step: string): this {
    this.#path = step + this.#path;
    return this;
  }

  /** Adds why the value must have its type. The innermost reason counts. */
  because(reason: string): this {
    this.#reason ||= ` (${reason})`;
    return this;
  }

  get message(): string {
    return `${this.#path}: ${this.#problem}${this.#reason}`;
  }
}

/** The misfit of a value of another type than the signature asks for, or out of its range. */
export function misfit(expected: string, value: unknown): Misfit {
  return new Misfit(`expected ${expected}, got ${describe(value)}`);
}

/** The error to throw for a value that was refused. A revoked Proxy throws for every operation, and cannot be sent. */
export function misfitOf(value: unknown, error: unknown): unknown {
  if (error instanceof Misfit) return KeptVariant.isKept(value) ? error.because(value.reason) : error;
  return holdsRevoked(value) ? new Misfit('got a Proxy that was revoked') : error;
}

function holdsRevoked(value: unknown): boolean {
  try {
    let content = value;
    while (!types.isProxy(content) && (Variant.isVariant(content) || content instanceof ShapedValue))
      content = content.value;
    return isRevoked(content);
  } catch {
    return types.isProxy(value) || Variant.isVariant(value);
  }
}

/** Adds a step to the path of a misfit, and returns it to be thrown again. Any other error is returned unchanged. */
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

/** A short description of a value: the value itself if it is a number, bigint or boolean, else its type or class. */
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
