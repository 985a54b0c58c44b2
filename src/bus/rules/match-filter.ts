/**
 * Deciding by a match rule, as the bus does: one stream of messages arrives for all rules of a connection, and each
 * listener gets those of its own.
 *
 * @see D-Bus specification, section "Match Rules"
 */

import { isWellKnownName } from '../../base/names.js';
import { report } from '../../diagnostics/problems.js';
import { endOfType } from '../../signature/grammar.js';
import { type ArgumentCondition, argumentConditions, type MatchRule, matchTypes } from './match-conditions.js';

/** What a match rule looks at in a message. */
export interface MatchableMessage {
  /** The code on the wire. */
  readonly type: number;
  readonly sender?: string | undefined;
  readonly destination?: string | undefined;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly signature: string;
  /**
   * The argument at that index, which the signature says is a string or an object path. Nothing else of the body is made
   * into a value: what a rule does not let through is not worth more.
   *
   * @throws {@link DBusError} where the body is faulty
   */
  stringAt(index: number): string;
  /** The number by which diagnostics call the connection that it came by. */
  readonly connectionId?: number;
}

type ArgumentTest = (value: string) => boolean;

/** The bus sends its own messages by this name; it has no unique name. */
const BUS_NAME = 'org.freedesktop.DBus';

/**
 * The well-known name that a rule wants messages from. The filter cannot tell who owns it, so it lets every sender
 * pass: compare the message's sender with the owner before anybody gets the message.
 *
 * @returns `undefined` where the filter itself compares the sender, or any will do
 */
export function senderToVerify({ sender }: MatchRule): string | undefined {
  return sender !== undefined && sender !== BUS_NAME && isWellKnownName(sender) ? sender : undefined;
}

/**
 * Makes the test for a rule. All conditions are compared but a well-known sender (see {@link senderToVerify}), and
 * `eavesdrop`, which only tells the bus what to send. A message whose body cannot be decoded is reported and does not
 * meet conditions on arguments.
 *
 * @throws {@link InvalidArgumentError} for conditions on arguments that are not valid
 */
export function compileMatchRule(rule: MatchRule): (message: MatchableMessage) => boolean {
  const type = rule.type === undefined ? undefined : matchTypes[rule.type];
  const sender = senderToVerify(rule) === undefined ? rule.sender : undefined;
  const { interface: interfaceName, member, path, pathNamespace, destination } = rule;
  const matchesPath = pathNamespace === undefined ? undefined : pathNamespaceTest(pathNamespace);
  const matchesBody = bodyTest(argumentConditions(rule));
  return (message) =>
    (type === undefined || message.type === type) &&
    (member === undefined || message.member === member) &&
    (interfaceName === undefined || message.interface === interfaceName) &&
    (path === undefined || message.path === path) &&
    (sender === undefined || message.sender === sender) &&
    (destination === undefined || message.destination === destination) &&
    (matchesPath === undefined || (message.path !== undefined && matchesPath(message.path))) &&
    (matchesBody === undefined || matchesBody(message));
}

function pathNamespaceTest(namespace: string): (path: string) => boolean {
  if (namespace === '/') return () => true;
  const below = `${namespace}/`;
  return (path) => path === namespace || path.startsWith(below);
}

const argumentTests: Readonly<Record<ArgumentCondition['kind'], (expected: string) => ArgumentTest>> = {
  equal: (expected) => (value) => value === expected,
  path: (expected) => (value) =>
    value === expected ||
    (expected.endsWith('/') && value.startsWith(expected)) ||
    (value.endsWith('/') && expected.startsWith(value)),
  namespace: (expected) => {
    const below = `${expected}.`;
    return (value) => value === expected || value.startsWith(below);
  },
};

function bodyTest(conditions: readonly ArgumentCondition[]): ((message: MatchableMessage) => boolean) | undefined {
  if (conditions.length === 0) return undefined;
  const tests = conditions.map(({ index, kind, value }) => ({
    index,
    codes: kind === 'path' ? 'so' : 's',
    test: argumentTests[kind](value),
  }));
  return (message) => {
    const { signature } = message;
    if (!tests.every(({ index, codes }) => codes.includes(codeAt(signature, index)))) return false;
    return tests.every(({ index, test }) => {
      const value = argument(message, index);
      return value !== undefined && test(value);
    });
  };
}

/**
 * The first argument, where it is a string: what `arg0` is compared with. As for rules with conditions on arguments, a
 * body that cannot be decoded is reported.
 */
export function firstArgument(message: MatchableMessage): string | undefined {
  return message.signature.startsWith('s') ? argument(message, 0) : undefined;
}

/** The first character of the type of an argument; a space where there is no such argument. */
function codeAt(signature: string, index: number): string {
  let at = 0;
  for (let left = index; left > 0 && at < signature.length; left--) at = endOfType(signature, at);
  return signature[at] ?? ' ';
}

function argument(message: MatchableMessage, index: number): string | undefined {
  try {
    return message.stringAt(index);
  } catch (error) {
    const what = `a message from ${message.sender ?? 'the peer'} cannot be matched by its arguments`;
    report('message', what, error, message.connectionId);
    return undefined;
  }
}
