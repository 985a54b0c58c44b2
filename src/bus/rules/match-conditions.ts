/**
 * The keys of a match rule, and the valid values of each.
 *
 * @see D-Bus specification, section "Match Rules"
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { unknownKey } from '../../base/known-options.js';
import {
  checkBusName,
  checkBusNamespace,
  checkInterfaceName,
  checkMemberName,
  checkObjectPath,
  quoted,
} from '../../base/names.js';

/** Message types by their names in match rules, with their codes in messages. */
export const matchTypes = { method_call: 1, method_return: 2, error: 3, signal: 4 } as const;

/** The conditions of a match rule. A message must meet all of them; a condition that is left out is always met. */
export interface MatchRule {
  /** The type of the message. */
  readonly type?: keyof typeof matchTypes | undefined;
  /** The sender's unique name, or a well-known name, which stands for its owner at that time. */
  readonly sender?: string | undefined;
  /** A message without an interface never meets this condition. */
  readonly interface?: string | undefined;
  /** The method or signal. */
  readonly member?: string | undefined;
  /** The object that is called, or that emits the signal. */
  readonly path?: string | undefined;
  /** This path and all below it. Not together with `path`. */
  readonly pathNamespace?: string | undefined;
  /** The destination of the message. Broadcast signals have none. */
  readonly destination?: string | undefined;
  /** The first argument is a bus or interface name that equals this one, or begins with it and a `.`. */
  readonly arg0namespace?: string | undefined;
  /**
   * `arg0path` to `arg63path`: the argument is a string or object path. It equals this value, or one of the two ends in
   * `/` and is a prefix of the other.
   */
  readonly [argumentPath: `arg${number}path`]: string | undefined;
  /** `arg0` to `arg63`: the argument is a string (not an object path) that equals this value. */
  readonly [argument: `arg${number}`]: string | undefined;
  /**
   * `true`: also match messages that are addressed to other connections. The specification deprecates it in favour of
   * monitors; dbus-broker refuses it.
   */
  readonly eavesdrop?: boolean | undefined;
}

/** A condition on an argument of the body. A bus accepts one for each argument. */
export interface ArgumentCondition {
  readonly index: number;
  readonly kind: 'equal' | 'path' | 'namespace';
  readonly value: string;
}

/** From the specification: "Only argument indexes from 0 to 63 should be accepted". */
const ARGUMENT_INDEX_MAXIMUM = 63;
const ARGUMENT_KEY = /^arg(0|[1-9][0-9]*)(path|namespace)?$/;

type HeaderKey = 'type' | 'sender' | 'interface' | 'member' | 'path' | 'pathNamespace' | 'destination';

/** Conditions on the header, in the order in which rules are written, each with its key in the rule and its check. */
export const headerConditions: Readonly<Record<HeaderKey, readonly [name: string, check: (value: string) => void]>> = {
  type: ['type', checkType],
  sender: ['sender', (value) => checkBusName(value, 'sender of a match rule')],
  interface: ['interface', (value) => checkInterfaceName(value, 'interface of a match rule')],
  member: ['member', (value) => checkMemberName(value, 'member of a match rule')],
  path: ['path', (value) => checkObjectPath(value, 'path of a match rule')],
  pathNamespace: ['path_namespace', (value) => checkObjectPath(value, 'path namespace of a match rule')],
  destination: ['destination', (value) => checkBusName(value, 'destination of a match rule')],
};

/**
 * The conditions on arguments, by index.
 *
 * @throws {@link InvalidArgumentError} if an index is out of range or a value is not a string
 */
export function argumentConditions(rule: MatchRule): readonly ArgumentCondition[] {
  const conditions: ArgumentCondition[] = [];
  for (const [key, value] of Object.entries(rule)) {
    const match = ARGUMENT_KEY.exec(key);
    if (match === null || value === undefined) continue;
    const index = Number(match[1]);
    if (index > ARGUMENT_INDEX_MAXIMUM) {
      throw new InvalidArgumentError(
        `${key} of a match rule: only arguments 0 to ${ARGUMENT_INDEX_MAXIMUM} can be matched`,
      );
    }
    const kind = (match[2] ?? 'equal') as ArgumentCondition['kind'];
    checkArgument(key, kind, index, value);
    conditions.push({ index, kind, value });
  }
  return conditions.sort((a, b) => a.index - b.index);
}

/**
 * Refuses unknown keys: a misspelt condition would otherwise match everything.
 *
 * @throws {@link InvalidArgumentError}
 */
export function checkKeys(rule: MatchRule): void {
  for (const key of Object.keys(rule)) {
    if (Object.hasOwn(headerConditions, key) || key === 'eavesdrop' || ARGUMENT_KEY.test(key)) continue;
    const known = [
      ...Object.keys(headerConditions),
      'arg0 … arg63',
      'arg0path … arg63path',
      'arg0namespace',
      'eavesdrop',
    ];
    throw unknownKey('a match rule', 'key', key, known);
  }
  if (rule.eavesdrop !== undefined && typeof rule.eavesdrop !== 'boolean') {
    throw new InvalidArgumentError('eavesdrop of a match rule must be true or false');
  }
}

function checkType(value: string): void {
  if (!Object.hasOwn(matchTypes, value)) {
    const known = Object.keys(matchTypes).join(', ');
    throw new InvalidArgumentError(`invalid type of a match rule ${quoted(String(value))}: expected ${known}`);
  }
}

function checkArgument(
  key: string,
  kind: ArgumentCondition['kind'],
  index: number,
  value: unknown,
): asserts value is string {
  if (typeof value !== 'string') throw new InvalidArgumentError(`${key} of a match rule must be a string`);
  if (/[\0\p{Surrogate}]/u.test(value)) {
    throw new InvalidArgumentError(`${key} of a match rule ${quoted(value)} contains a NUL or a lone surrogate`);
  }
  if (kind !== 'namespace') return;
  if (index !== 0) throw new InvalidArgumentError(`${key} of a match rule: only arg0namespace exists`);
  checkBusNamespace(value, `${key} of a match rule`);
}
