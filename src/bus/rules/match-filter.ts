/**
 * Matches messages against a match rule, as the bus does. All rules of a connection share one stream of messages, and
 * each listener gets only those that match its rule.
 *
 * @see D-Bus specification, section "Match Rules"
 */

import { isWellKnownName } from '../../base/names.js';
import { report } from '../../diagnostics/problems.js';
import { endOfType } from '../../signature/grammar.js';
import { type ArgumentCondition, argumentConditions, type MatchRule, matchTypes } from './match-conditions.js';

/** The parts of a message that a match rule compares. */
export interface MatchableMessage {
  /** The code of the type, as in the message. */
  readonly type: number;
  readonly sender?: string | undefined;
  readonly destination?: string | undefined;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly signature: string;
  /**
   * The argument at that index, whose type in the signature is a string or an object path. Nothing else of the body is
   * decoded, so a message that does not match costs little.
   *
   * @throws {@link DBusError} if the body is not valid
   */
  stringAt(index: number): string;
  /** The number in diagnostics of the connection that received the message. */
  readonly connectionId?: number;
}

type ArgumentTest = (value: string) => boolean;

/** The bus sends its own messages under this name. It has no unique name. */
const BUS_NAME = 'org.freedesktop.DBus';

/**
 * The well-known name in a rule's `sender`. The filter does not know its owner, so it accepts every sender: the caller
 * must compare the message's sender with the owner before it delivers the message.
 *
 * @returns `undefined` if the filter compares the sender itself, or the rule accepts any sender
 */
export function senderToVerify({ sender }: MatchRule): string | undefined {
  return sender !== undefined && sender !== BUS_NAME && isWellKnownName(sender) ? sender : undefined;
}

/**
 * A rule as messages are compared with it: all conditions except a well-known sender (see {@link senderToVerify}) and
 * `eavesdrop`, which only concerns the bus. A message whose body cannot be decoded is reported and does not meet
 * conditions on arguments. All rules are objects of one shape, which is quick to compare and takes little memory.
 */
export class MatchFilter {
  readonly #type: number | undefined;
  readonly #sender: string | undefined;
  readonly #interface: string | undefined;
  readonly member: string | undefined;
  readonly path: string | undefined;
  readonly #pathNamespace: string | undefined;
  readonly #destination: string | undefined;
  readonly arg0: string | undefined;
  readonly #matchesBody: ((message: MatchableMessage) => boolean) | undefined;

  /** @throws {@link InvalidArgumentError} if a condition on an argument is not valid */
  constructor(rule: MatchRule) {
    this.#type = rule.type === undefined ? undefined : matchTypes[rule.type];
    this.#sender = senderToVerify(rule) === undefined ? rule.sender : undefined;
    this.#interface = rule.interface;
    this.member = rule.member;
    this.path = rule.path;
    this.#pathNamespace = rule.pathNamespace;
    this.#destination = rule.destination;
    this.arg0 = rule.arg0;
    this.#matchesBody = bodyTest(argumentConditions(rule));
  }

  isMetBy(message: MatchableMessage): boolean {
    return (
      (this.#type === undefined || message.type === this.#type) &&
      (this.member === undefined || message.member === this.member) &&
      (this.#interface === undefined || message.interface === this.#interface) &&
      (this.path === undefined || message.path === this.path) &&
      (this.#sender === undefined || message.sender === this.#sender) &&
      (this.#destination === undefined || message.destination === this.#destination) &&
      (this.#pathNamespace === undefined || isBelow(this.#pathNamespace, message.path)) &&
      (this.#matchesBody === undefined || this.#matchesBody(message))
    );
  }
}

/**
 * Makes the test for a rule: see {@link MatchFilter}.
 *
 * @throws {@link InvalidArgumentError} if a condition on an argument is not valid
 */
export function compileMatchRule(rule: MatchRule): (message: MatchableMessage) => boolean {
  const filter = new MatchFilter(rule);
  return (message) => filter.isMetBy(message);
}

/** Whether a path is the namespace, or below it. */
function isBelow(namespace: string, path: string | undefined): boolean {
  if (path === undefined) return false;
  if (namespace === '/' || path === namespace) return true;
  return path.startsWith(namespace) && path[namespace.length] === '/';
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
 * The first argument if it is a string, which `arg0` is compared with. A body that cannot be decoded is reported, as
 * for rules with conditions on arguments.
 */
export function firstArgument(message: MatchableMessage): string | undefined {
  return message.signature.startsWith('s') ? argument(message, 0) : undefined;
}

/** The first character of an argument's type; a space if there is no such argument. */
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
