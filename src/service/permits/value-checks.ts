/** Which values a property accepts, besides those of its type. */
import { InvalidArgumentError as PublishedInvalidArgumentError } from '../../base/error-classes.js';
import { InvalidArgumentError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { describe } from '../../codec/misfit.js';
import type { PropertyDescription } from '../../interface/description.js';
import type { CallContext } from '../calls/call-context.js';
import { encodeEntry } from '../properties/encode-entry.js';
import type { MemberRules, ValueCheck } from './member-rules.js';

/** The object whose property a client sets, and the property, until its checked value is assigned. */
let checked: { readonly source: object; readonly name: string } | undefined;

interface Source {
  readonly rules: MemberRules | undefined;
  writeProperty(name: string, value: unknown, call: CallContext | undefined): unknown;
}

export function checkOf(rules: MemberRules | undefined, name: string): ValueCheck | undefined {
  return rules?.properties.get(name)?.check;
}

/**
 * Checks a value from a client, and sets it.
 *
 * @throws the error for the client if the property does not accept it
 */
export function setChecked(
  check: ValueCheck,
  source: Source,
  name: string,
  value: unknown,
  call: CallContext | undefined,
): unknown {
  const refusal = refusalOf(check, name, value);
  if (refusal !== undefined) throw new PublishedInvalidArgumentError(refusal);
  const before = checked;
  checked = { source, name };
  try {
    return source.writeProperty(name, value, call);
  } finally {
    checked = before;
  }
}

/**
 * Checks a value that the program assigns.
 *
 * @param typed the value as it is sent
 * @throws {@link InvalidArgumentError} if it has the wrong type, or the property does not accept it
 */
export function checkAssigned(source: Source, property: PropertyDescription, value: unknown, typed: unknown): void {
  const { name } = property;
  const check = checkOf(source.rules, name);
  if (check === undefined) return;
  if (checked?.source === source && checked.name === name) {
    // The setter may assign another value.
    checked = undefined;
    return;
  }
  encodeEntry(property, typed, false);
  checkFirst(check, name, value);
}

/** @throws {@link InvalidArgumentError} if the property does not accept a value of the program */
export function checkFirst(check: ValueCheck, name: string, value: unknown): void {
  const refusal = refusalOf(check, name, value);
  if (refusal !== undefined) throw new InvalidArgumentError(refusal);
}

/** @throws {@link InvalidArgumentError} if the check says neither yes nor no: it forgets its result, or is asynchronous */
function refusalOf(check: ValueCheck, name: string, value: unknown): string | undefined {
  const answer: unknown = check(value);
  if (answer === true) return undefined;
  const shown = typeof value === 'string' ? quoted(value) : describe(value);
  if (answer === false) return `the property ${name} does not accept ${shown}`;
  if (typeof answer === 'string') return `the property ${name} does not accept ${shown}: ${answer}`;
  throw new InvalidArgumentError(`the check of ${name} must return true, false or a text, not ${describe(answer)}`);
}
