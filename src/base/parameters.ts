/**
 * Checks of arguments. Programs in plain JavaScript get an error immediately for a mistake that would otherwise fail
 * much later.
 */
import { InvalidArgumentError } from './errors.js';
import { isArray } from './revoked.js';

/** @throws {@link InvalidArgumentError} that names the parameter */
export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw new InvalidArgumentError(`${name}: expected a function, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} that names the parameter */
export function checkObject(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw new InvalidArgumentError(`${name}: expected an object, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} that names the parameter */
export function checkArray(value: unknown, name: string): void {
  if (!isArray(value)) throw new InvalidArgumentError(`${name}: expected an array, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} that names the parameter, unless the value is a function or `undefined` */
export function checkOptionalFunction(value: unknown, name: string): void {
  if (value !== undefined) checkFunction(value, name);
}

/** @throws {@link InvalidArgumentError} that names the parameter, unless the value is a boolean or `undefined` */
export function checkBoolean(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new InvalidArgumentError(`${name}: expected a boolean, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} that names the parameter, unless the value is a string or `undefined` */
export function checkOptionalString(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'string') return;
  throw new InvalidArgumentError(`${name}: expected a string, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} unless the value is a time to wait or `undefined` */
export function checkTimeout(value: unknown, name = 'timeout'): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  const given = typeof value === 'number' ? String(value) : kindOf(value);
  throw new InvalidArgumentError(`${name}: expected a number of milliseconds, got ${given}`);
}

/** Returns the check of an option that must be one of some strings. */
export function oneOf(choices: readonly string[]): (value: unknown, name: string) => void {
  return (value, name) => checkChoice(value, choices, name);
}

/**
 * @throws {@link InvalidArgumentError} that names the parameter, unless the value is one of the choices or `undefined`
 */
export function checkChoice(value: unknown, choices: readonly string[], name: string): void {
  if (value === undefined || choices.includes(value as string)) return;
  const given = typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : kindOf(value);
  throw new InvalidArgumentError(`${name}: expected ${choices.join(' or ')}, got ${given}`);
}

/** @throws {@link InvalidArgumentError} unless the value is an AbortSignal or `undefined` */
export function checkSignal(value: unknown, name = 'signal'): void {
  if (value === undefined || value instanceof AbortSignal) return;
  throw new InvalidArgumentError(`${name}: expected an AbortSignal, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
