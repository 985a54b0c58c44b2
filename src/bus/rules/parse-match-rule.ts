/**
 * Parses match rules from text.
 *
 * @see D-Bus specification, section "Match Rules"
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { headerConditions, type MatchRule } from './match-conditions.js';
import { formatMatchRule } from './match-rule.js';

const keysByName = new Map(Object.entries(headerConditions).map(([key, [name]]) => [name, key]));

/**
 * Parses a rule. Quoting follows the specification exactly: outside of apostrophes, `\'` is an apostrophe, every other
 * backslash is itself, and a comma ends the value (in dbus-daemon a backslash escapes it).
 *
 * @throws {@link InvalidArgumentError} if the text breaks the grammar, or no bus would accept the rule
 */
export function parseMatchRule(text: string): MatchRule {
  if (typeof text !== 'string')
    throw new InvalidArgumentError(`text: expected a string, got ${text === null ? 'null' : typeof text}`);
  const rule: Record<string, string | boolean> = {};
  const invalid = (reason: string) => new InvalidArgumentError(`invalid match rule ${quoted(text)}: ${reason}`);
  let rest = text.trimStart();
  while (rest !== '') {
    const start = /^([^\s=,]+)\s*=/.exec(rest);
    if (start === null) throw invalid(`a key followed by "=" is missing at character ${text.length - rest.length}`);
    const name = start[1] as string;
    const { value, length } = readValue(rest.slice(start[0].length));
    if (value === undefined) throw invalid(`an apostrophe is missing at the end of the value of ${quoted(name)}`);
    const key = keyOf(name);
    if (key === undefined) throw invalid(`${quoted(name)} is not a key of match rules`);
    if (Object.hasOwn(rule, key)) throw invalid(`the key ${quoted(name)} is given twice`);
    rule[key] = key === 'eavesdrop' ? readBoolean(value, invalid) : value;
    rest = rest.slice(start[0].length + length).trimStart();
  }
  formatMatchRule(rule as MatchRule);
  return rule as MatchRule;
}

/** The key in {@link MatchRule}. Buses read `arg01` as `arg1`. */
function keyOf(name: string): string | undefined {
  const argument = /^arg0*([0-9]+)(path|namespace)?$/.exec(name);
  if (argument !== null) return `arg${argument[1]}${argument[2] ?? ''}`;
  return name === 'eavesdrop' ? name : keysByName.get(name);
}

function readBoolean(value: string, invalid: (reason: string) => Error): boolean {
  if (value !== 'true' && value !== 'false') throw invalid('eavesdrop must be true or false');
  return value === 'true';
}

/** The value at the beginning of a text, and the number of characters up to and including its comma. */
function readValue(text: string): { readonly value: string | undefined; readonly length: number } {
  let value = '';
  let isQuoted = false;
  let at = 0;
  for (; at < text.length; at++) {
    const character = text[at] as string;
    if (character === "'") {
      isQuoted = !isQuoted;
    } else if (isQuoted) {
      value += character;
    } else if (character === ',') {
      return { value, length: at + 1 };
    } else if (character === '\\' && text[at + 1] === "'") {
      value += "'";
      at++;
    } else {
      value += character;
    }
  }
  return { value: isQuoted ? undefined : value, length: at };
}
