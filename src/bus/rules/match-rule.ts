/**
 * Match rules: which messages a connection asks the bus for. A {@link MatchRule} is the one form of them here;
 * `formatMatchRule` writes it as the bus reads it, `parse-match-rule.ts` reads that back, and `match-filter.ts`
 * decides by it. What a rule may hold is in `match-conditions.ts`.
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
 * Writes a rule as `AddMatch` takes it. Equal rules become equal texts, whatever the order of their keys, and conditions
 * that are always met are left out: `eavesdrop: false`, and the path namespace `/` of a signal or call. The text has 1024
 * bytes at most; `subscribe` adds `type='signal',`, which are 14 of them.
 *
 * @throws {@link InvalidArgumentError} if no bus would take the rule
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
        `a match rule can have one condition for each argument, argument ${index} has two`,
      );
    }
    written.push(`arg${index}${kind === 'equal' ? '' : kind}=${quote(value)}`);
  }
  // dbus-broker refuses the key whatever its value is; left out, it is false.
  if (rule.eavesdrop === true) written.push("eavesdrop='true'");
  const text = written.join(',');
  const bytes = Buffer.byteLength(text);
  if (bytes > RULE_BYTES_MAXIMUM) {
    throw new InvalidArgumentError(
      `the match rule has ${bytes} bytes, buses take ${RULE_BYTES_MAXIMUM}: ${quoted(text)}`,
    );
  }
  return text;
}

/**
 * Whether every message of the rule's type meets its path namespace: calls and signals all have a path below `/`.
 * dbus-broker finds no message that does.
 */
function isMetByEvery({ type, pathNamespace }: MatchRule): boolean {
  return pathNamespace === '/' && (type === 'signal' || type === 'method_call');
}

/** Within quotation marks a backslash is itself, and an apostrophe has to be written outside of them. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
