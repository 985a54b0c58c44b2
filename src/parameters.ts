/** Checks of what users pass in: who writes plain JavaScript learns at once of what would otherwise fail much later. */
import { InvalidArgumentError } from './errors.js';

/** @throws {@link InvalidArgumentError} naming the parameter */
export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw new InvalidArgumentError(`${name}: expected a function, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} naming the parameter */
export function checkObject(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw new InvalidArgumentError(`${name}: expected an object, got ${kindOf(value)}`);
}

/** @throws {@link InvalidArgumentError} for what is there and is no AbortSignal */
export function checkSignal(value: unknown): void {
  if (value === undefined || value instanceof AbortSignal) return;
  throw new InvalidArgumentError(`signal: expected an AbortSignal, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
