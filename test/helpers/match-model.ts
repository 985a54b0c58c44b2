/** Match rules as a direct implementation of the specification, with which the library is compared. */
import type { MatchableMessage, MatchRule } from '../../src/bus/rules/match-rule.js';

/** Message types by their numbers. */
export const types = ['', 'method_call', 'method_return', 'error', 'signal'];

/** The table of keys in the specification. */
export function isMet(rule: MatchRule, message: MatchableMessage): boolean {
  return Object.entries(rule).every(([key, expected]) => {
    const value = expected as string;
    if (key === 'type') return types[message.type] === value;
    if (key === 'pathNamespace') {
      if (message.path === undefined) return false;
      return value === '/' || message.path === value || message.path.startsWith(`${value}/`);
    }
    const argument = /^arg(\d+)(path|namespace)?$/.exec(key);
    if (argument === null) return message[key as 'sender'] === value;
    const index = Number(argument[1]);
    const code = message.signature[index];
    const actual = code === 's' || code === 'o' ? message.stringAt(index) : '';
    if (argument[2] === 'path') {
      if (code !== 's' && code !== 'o') return false;
      const isPrefix = (one: string, other: string) => one.endsWith('/') && other.startsWith(one);
      return actual === value || isPrefix(actual, value) || isPrefix(value, actual);
    }
    if (code !== 's') return false;
    return argument[2] === 'namespace' ? actual === value || actual.startsWith(`${value}.`) : actual === value;
  });
}
