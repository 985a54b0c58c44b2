/**
 * The grammar of names: bus names, interfaces, errors, members and object paths. Names are checked here before they are
 * sent or declared by a service. Names of properties and arguments are free text and have no rule.
 *
 * Each rule remembers the names that it accepted. Most messages use the same few names, and a look-up costs a fifth of
 * the regular expression (9 ns against 46 ns).
 *
 * @see D-Bus specification, sections "Valid Names" and "Valid Object Paths"
 */

import { BoundedCache } from './bounded-cache.js';
import { InvalidArgumentError } from './errors.js';
import { printable } from './printable.js';

/**
 * The longest bus, interface, error or member name, in bytes. Names are ASCII, so it is the number of characters as
 * well.
 */
const NAME_MAXIMUM = 255;

const QUOTED_MAXIMUM = 100;

/** Escapes, quotes and shortens a text of a peer or a caller for an error message. */
export function quoted(text: string): string {
  const json = printable(JSON.stringify(text.slice(0, QUOTED_MAXIMUM)));
  return text.length > QUOTED_MAXIMUM ? `${json.slice(0, -1)}…"` : json;
}

class NameRule {
  readonly #matches: (value: string) => boolean;
  readonly #explain: (value: string) => string;
  /** Names that were accepted. */
  readonly #remembered = new BoundedCache<true>();

  /** @param explain returns what is wrong with a value that does not match */
  constructor(matches: (value: string) => boolean, explain: (value: string) => string) {
    this.#matches = matches;
    this.#explain = explain;
  }

  accepts(value: string): boolean {
    if (this.#remembered.get(value) === true) return true;
    if (typeof value !== 'string' || !this.#matches(value)) return false;
    // Object paths may be longer. Long ones are rare, and would only fill the memory.
    if (value.length > NAME_MAXIMUM) return true;
    if (this.#remembered.isFamiliar(value)) this.#remembered.add(value, true);
    return true;
  }

  check(value: string, what: string): void {
    if (this.accepts(value)) return;
    if (typeof value !== 'string') {
      throw new InvalidArgumentError(
        `invalid ${what}: expected a string, got ${value === null ? 'null' : typeof value}`,
      );
    }
    throw new InvalidArgumentError(`invalid ${what} ${quoted(value)}: ${this.#explain(value)}`);
  }
}

/** The grammar of the elements of a dotted name. */
interface DottedGrammar {
  readonly forbidden: RegExp;
  readonly allowed: string;
  readonly leadingDigits: boolean;
}

const plain: DottedGrammar = { forbidden: /[^A-Za-z0-9_.]/u, allowed: 'A-Z a-z 0-9 _', leadingDigits: false };
const hyphenated: DottedGrammar = { forbidden: /[^A-Za-z0-9_.-]/u, allowed: 'A-Z a-z 0-9 _ -', leadingDigits: false };
const unique: DottedGrammar = { ...hyphenated, leadingDigits: true };

function explainDotted(value: string, start: number, grammar: DottedGrammar): string {
  const name = value.slice(start);
  if (name === '') return start === 0 ? 'it is empty' : 'nothing follows the ":"';
  const forbidden = explainForbidden(name, start, grammar.forbidden, `${grammar.allowed} and "." between elements`);
  if (forbidden !== undefined) return forbidden;
  const elements = name.split('.');
  let at = start;
  for (const element of elements) {
    if (element === '') return `an element is empty at character ${at}`;
    if (!grammar.leadingDigits && /^[0-9]/.test(element)) {
      return `the element ${quoted(element)} begins with a digit at character ${at}`;
    }
    at += element.length + 1;
  }
  if (elements.length < 2) return 'it needs at least two elements separated by "."';
  return explainLength(value);
}

function explainForbidden(text: string, start: number, forbidden: RegExp, allowed: string): string | undefined {
  const match = forbidden.exec(text);
  return match === null ? undefined : `${quoted(match[0])} at character ${start + match.index} (allowed: ${allowed})`;
}

function explainLength(value: string): string {
  return `it has ${value.length} characters, ${NAME_MAXIMUM} are allowed`;
}

function explainBusName(value: string): string {
  return value.startsWith(':') ? explainDotted(value, 1, unique) : explainDotted(value, 0, hyphenated);
}

function explainUniqueName(value: string): string {
  return value.startsWith(':') ? explainBusName(value) : 'a unique name begins with ":"';
}

function explainWellKnownName(value: string): string {
  return value.startsWith(':') ? 'only unique names begin with ":"' : explainBusName(value);
}

function explainMember(value: string): string {
  if (value === '') return 'it is empty';
  if (/^[0-9]/.test(value)) return 'it begins with a digit';
  return explainForbidden(value, 0, /[^A-Za-z0-9_]/u, plain.allowed) ?? explainLength(value);
}

function explainPath(value: string): string {
  if (value === '') return 'it is empty';
  if (!value.startsWith('/')) return 'it does not begin with "/"';
  const forbidden = explainForbidden(value, 0, /[^A-Za-z0-9_/]/u, `${plain.allowed} and "/" between elements`);
  if (forbidden !== undefined) return forbidden;
  const empty = value.indexOf('//');
  return empty === -1 ? 'only the root path ends with "/"' : `an element is empty at character ${empty + 1}`;
}

const uniqueGrammar = /^:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;
const wellKnownGrammar = /^[A-Za-z_-][A-Za-z0-9_-]*(?:\.[A-Za-z_-][A-Za-z0-9_-]*)+$/;
const interfaceGrammar = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/;
const memberGrammar = /^[A-Za-z_][A-Za-z0-9_]*$/;
const pathGrammar = /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/;

const isShort = (value: string) => value.length <= NAME_MAXIMUM;
const matchesUnique = (value: string) => isShort(value) && uniqueGrammar.test(value);
const matchesWellKnown = (value: string) => isShort(value) && wellKnownGrammar.test(value);

/** Some elements of a path: a repetition without a limit would overflow the stack on a path of megabytes. */
const pathElements = /(?:\/\w+){1,64}/y;

/** Paths have no maximum length. Long ones are checked part by part, and faster than a look for what is not allowed. */
function matchesLongPath(value: string): boolean {
  for (let at = 0; at < value.length; at = pathElements.lastIndex) {
    pathElements.lastIndex = at;
    if (!pathElements.test(value)) return false;
  }
  return true;
}

const matchesPath = (value: string) => (isShort(value) ? pathGrammar.test(value) : matchesLongPath(value));

const uniqueNames = new NameRule(matchesUnique, explainUniqueName);
const wellKnownNames = new NameRule(matchesWellKnown, explainWellKnownName);
const busNames = new NameRule((value) => matchesUnique(value) || matchesWellKnown(value), explainBusName);
/** A bus name, or the beginning of one. A single element with a second one appended is a bus name. */
const busNamespaces = new NameRule(
  (value) => busNames.accepts(value.includes('.') ? value : `${value}.x`),
  explainBusName,
);
const interfaceNames = new NameRule(
  (value) => isShort(value) && interfaceGrammar.test(value),
  (value) => explainDotted(value, 0, plain),
);
const memberNames = new NameRule((value) => isShort(value) && memberGrammar.test(value), explainMember);
const objectPaths = new NameRule(matchesPath, explainPath);

/** Whether a message can be addressed to this name: a unique name or a well-known name. */
export function isBusName(value: string): boolean {
  return busNames.accepts(value);
}

/** Whether this is a valid unique name, which the bus assigns to a connection, for instance `:1.42`. */
export function isUniqueName(value: string): boolean {
  return uniqueNames.accepts(value);
}

/** Whether a connection can request this name, for instance `org.example.Service`. */
export function isWellKnownName(value: string): boolean {
  return wellKnownNames.accepts(value);
}

/** Whether this is an interface name: two or more elements of letters, digits and underscores. */
export function isInterfaceName(value: string): boolean {
  return interfaceNames.accepts(value);
}

/** Whether this is an error name. Error names have the grammar of interface names. */
export function isErrorName(value: string): boolean {
  return interfaceNames.accepts(value);
}

/** Whether this is a valid name of a method or signal. Names of properties have no rule. */
export function isMemberName(value: string): boolean {
  return memberNames.accepts(value);
}

/** Whether this is an object path: `/`, or elements of letters, digits and underscores, each after a `/`. */
export function isObjectPath(value: string): boolean {
  return objectPaths.accepts(value);
}

/**
 * Checks that a value is a bus name.
 *
 * @param what what the value is for; the error text begins with it
 * @throws {@link InvalidArgumentError} that tells the broken rule and the position
 */
export function checkBusName(value: string, what = 'bus name'): void {
  busNames.check(value, what);
}

/** Like {@link checkBusName}, for the beginning of a bus name, which may have a single element. */
export function checkBusNamespace(value: string, what: string): void {
  busNamespaces.check(value, what);
}

/** Like {@link checkBusName}, for unique names only. */
export function checkUniqueName(value: string, what = 'unique name'): void {
  uniqueNames.check(value, what);
}

/** Like {@link checkBusName}, for well-known names only. */
export function checkWellKnownName(value: string, what = 'well-known name'): void {
  wellKnownNames.check(value, what);
}

/** Like {@link checkBusName}, for interface names. */
export function checkInterfaceName(value: string, what = 'interface name'): void {
  interfaceNames.check(value, what);
}

/** Like {@link checkBusName}, for error names. */
export function checkErrorName(value: string, what = 'error name'): void {
  interfaceNames.check(value, what);
}

/** Like {@link checkBusName}, for the names of methods and signals. */
export function checkMemberName(value: string, what = 'member name'): void {
  memberNames.check(value, what);
}

/** Like {@link checkBusName}, for object paths. */
export function checkObjectPath(value: string, what = 'object path'): void {
  objectPaths.check(value, what);
}
