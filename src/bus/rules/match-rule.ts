/**
 * Match rules: which messages a connection asks the bus for. {@link MatchRule} is their form in this program.
 * `formatMatchRule` writes a rule as text for the bus, `parse-match-rule.ts` reads that text, `match-filter.ts` matches
 * messages, and `match-conditions.ts` defines the keys.
 *
 * @see D-Bus specification, section "Match Rules"
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { checkObject } from '../../base/parameters.js';
import { argumentConditions, checkKeys, headerConditions, type MatchRule } from './match-conditions.js';

export type { MatchRule } from './match-conditions.js';
export { compileMatchRule, type MatchableMessage, senderToVerify } from './match-filter.js';

/** dbus-daemon and dbus-broker refuse longer rules. */
const RULE_BYTES_MAXIMUM = 1024;

/**
 * Formats a rule as the argument of `AddMatch`. Equal rules have equal texts, whatever the order of their keys.
 * Conditions that are always met are left out: `eavesdrop: false`, and the path namespace `/` of a signal or call. The
 * text has 1024 bytes at most, including the 14 bytes of `type='signal',` that `subscribe` adds.
 *
 * @throws {@link InvalidArgumentError} if no bus would accept the rule
 */
export function formatMatchRule(rule: MatchRule): string {
  checkObject(rule, 'rule');
  checkKeys(rule);
  if (rule.path !== undefined && rule.pathNamespace !== undefined) {
    throw new InvalidArgumentError('a match rule can have a path or a path namespace, not both');
  }
  const written: string[] = [];
  for (const [key, [name, check]] of Object.entries(headerConditions)) {
    const value = rule[key as keyof typeof headerConditions];
    if (value === undefined) continue;
    check(value);
    if (key === 'pathNamespace' && isMetByEvery(rule)) continue;
    written.push(`${name}=${quote(value)}`);
  }
  const conditions = argumentConditions(rule);
  for (const [place, { index, kind, value }] of conditions.entries()) {
    if (conditions[place - 1]?.index === index) {
      throw new InvalidArgumentError(
        `a match rule can have one condition for each argument; argument ${index} has two`,
      );
    }
    written.push(`arg${index}${kind === 'equal' ? '' : kind}=${quote(value)}`);
  }
  // dbus-broker refuses the key with any value. Leaving it out means false.
  if (rule.eavesdrop === true) written.push("eavesdrop='true'");
  const text = written.join(',');
  const bytes = Buffer.byteLength(text);
  if (bytes > RULE_BYTES_MAXIMUM) {
    throw new InvalidArgumentError(
      `the match rule has ${bytes} bytes; buses accept at most ${RULE_BYTES_MAXIMUM}: ${quoted(text)}`,
    );
  }
  return text;
}

/**
 * Whether every message of the rule's type meets its path namespace: all calls and signals have a path below `/`.
 * dbus-broker matches no message with that namespace.
 */
function isMetByEvery({ type, pathNamespace }: MatchRule): boolean {
  return pathNamespace === '/' && (type === 'signal' || type === 'method_call');
}

/** Within quotation marks a backslash is itself, and an apostrophe must be written outside of them. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
