/**
 * Match rules: which messages a connection asks the bus for. A {@link MatchRule} is the one form of them here;
 * `formatMatchRule` writes it as the bus reads it, `parse-match-rule.ts` reads that back, and `match-filter.ts`
 * decides by it. What a rule may hold is in `match-conditions.ts`.
 *
 * @see D-Bus specification, section "Match Rules"
 */
import { InvalidArgumentError } from '../errors.js';
import { quoted } from '../names.js';
import { argumentConditions, checkKeys, headerConditions, type MatchRule } from './match-conditions.js';

export type { MatchRule } from './match-conditions.js';
export { compileMatchRule, type MatchableMessage, senderToVerify } from './match-filter.js';

/** dbus-daemon and dbus-broker refuse longer rules. */
const RULE_BYTES_MAXIMUM = 1024;

/**
 * Writes a rule as `AddMatch` takes it. Equal rules become equal texts, whatever the order of their keys.
 *
 * @throws {@link InvalidArgumentError} if no bus would take the rule
 */
export function formatMatchRule(rule: MatchRule): string {
  checkKeys(rule);
  if (rule.path !== undefined && rule.pathNamespace !== undefined) {
    throw new InvalidArgumentError('a match rule can have a path or a path namespace, not both');
  }
  const written: string[] = [];
  for (const [key, [name, check]] of Object.entries(headerConditions)) {
    const value = rule[key as keyof typeof headerConditions];
    if (value === undefined) continue;
    check(value);
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
  if (rule.eavesdrop !== undefined) written.push(`eavesdrop=${quote(String(rule.eavesdrop))}`);
  const text = written.join(',');
  const bytes = Buffer.byteLength(text);
  if (bytes > RULE_BYTES_MAXIMUM) {
    throw new InvalidArgumentError(
      `the match rule has ${bytes} bytes, buses take ${RULE_BYTES_MAXIMUM}: ${quoted(text)}`,
    );
  }
  return text;
}

/** Within quotation marks a backslash is itself, and an apostrophe has to be written outside of them. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
