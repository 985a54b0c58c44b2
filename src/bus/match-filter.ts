/**
 * Deciding by a match rule, as the bus does: one stream of messages arrives for all rules of a connection, and each
 * listener gets those of its own.
 *
 * @see D-Bus specification, section "Match Rules"
 */
import { report } from '../diagnostics.js';
import { isWellKnownName } from '../names.js';
import { parseSignature } from '../signature/parse.js';
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
  /** Only asked for by rules with conditions on arguments, and only if the signature can meet them. */
  readonly body: readonly unknown[];
  /** The number by which diagnostics call the connection that it came by. */
  readonly connectionId?: number;
}

/** A message for which rules are looked up. */
export interface IndexableMessage extends MatchableMessage {
  /** Only asked for if the signature begins with a string. */
  readonly firstString: string;
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
    const types = parseSignature(message.signature);
    if (!tests.every(({ index, codes }) => codes.includes(types[index]?.code ?? ' '))) return false;
    const body = readBody(message);
    return body !== undefined && tests.every(({ index, test }) => test(body[index] as string));
  };
}

/**
 * The first argument, where it is a string: what `arg0` is compared with. As for rules with conditions on arguments, a
 * body that cannot be decoded is reported.
 */
export function firstArgument(message: IndexableMessage): string | undefined {
  return message.signature.startsWith('s') ? decoded(message, () => message.firstString) : undefined;
}

function readBody(message: MatchableMessage): readonly unknown[] | undefined {
  return decoded(message, () => message.body);
}

function decoded<T>({ sender, connectionId }: MatchableMessage, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    report('message', `a message from ${sender} cannot be matched by its arguments`, error, connectionId);
    return undefined;
  }
}
