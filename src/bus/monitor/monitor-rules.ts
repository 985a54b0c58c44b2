/**
 * The rules of a monitor. The bus applies them, and busbar applies them once more: it asks for further messages that it
 * needs itself, changes of names and perhaps replies. And buses differ: dbus-broker ignores the condition `destination` if
 * it is a well-known name, and finds too little for the conditions `argNpath`, which the bus does not get.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { checkArray } from '../../base/parameters.js';
import { BUS_INTERFACE, BUS_NAME } from '../names/driver.js';
import {
  compileMatchRule,
  formatMatchRule,
  type MatchableMessage,
  type MatchRule,
  senderToVerify,
} from '../rules/match-rule.js';
import type { MonitoredPeers } from './monitored-peers.js';

/** The conditions of a monitor: those of a match rule. A monitor gets messages to any destination without `eavesdrop`. */
export type MonitorRule = Omit<MatchRule, 'eavesdrop'>;

export const NAME_CHANGE = 'NameOwnerChanged';

/** The signals of the bus about names, by which a monitor knows them. */
export const NAME_CHANGES: MatchRule = {
  type: 'signal',
  sender: BUS_NAME,
  interface: BUS_INTERFACE,
  member: NAME_CHANGE,
};

export class MonitorRules {
  /** The rules as the bus gets them; none for all messages. */
  readonly texts: readonly string[];
  readonly #isForAll: boolean;
  readonly #tests: readonly ((message: MatchableMessage, peers: MonitoredPeers) => boolean)[];

  /**
   * @param withReplies whether the replies to all calls are needed
   * @throws {@link InvalidArgumentError} if a rule is not valid
   */
  constructor(rules: MonitorRule | readonly MonitorRule[], withReplies: boolean) {
    const all: readonly MonitorRule[] = Array.isArray(rules) ? rules : [rules];
    checkArray(all, 'rules');
    const given = all.map((rule) => {
      formatMatchRule(rule);
      const text = formatMatchRule(withoutArgumentPaths(rule));
      if ('eavesdrop' in rule) {
        throw new InvalidArgumentError('eavesdrop: a monitor gets the messages to all destinations without it');
      }
      return text;
    });
    this.#tests = all.map(testOf);
    this.#isForAll = all.length === 0 || all.some((rule) => formatMatchRule(rule) === '');
    const further: MatchRule[] = withReplies ? [{ type: 'method_return' }, { type: 'error' }] : [];
    // A rule without conditions, as no rule, is met by every message.
    this.texts =
      given.length === 0 || given.includes('') ? [] : [...given, ...[NAME_CHANGES, ...further].map(formatMatchRule)];
  }

  /** Whether a message meets one of the rules of the program. */
  areMetBy(message: MatchableMessage, peers: MonitoredPeers): boolean {
    return this.#isForAll || this.#tests.some((test) => test(message, peers));
  }
}

/** An argument that ends in `/` and is a prefix of the value meets the condition, too; not for dbus-broker. */
function withoutArgumentPaths(rule: MonitorRule): MonitorRule {
  return Object.fromEntries(Object.entries(rule).filter(([key]) => !/^arg\d+path$/.test(key)));
}

function testOf(rule: MonitorRule): (message: MatchableMessage, peers: MonitoredPeers) => boolean {
  const { destination, ...others } = rule as MatchRule;
  const test = compileMatchRule(others);
  const sender = senderToVerify(rule);
  return (message, peers) =>
    test(message) &&
    (sender === undefined || peers.ownerOf(sender) === message.sender) &&
    (destination === undefined || isSameReceiver(destination, message.destination, peers));
}

/** A unique name and the well-known names of its connection name one receiver. */
function isSameReceiver(name: string, other: string | undefined, peers: MonitoredPeers): boolean {
  if (other === undefined || name === other) return name === other;
  return (peers.ownerOf(name) ?? name) === (peers.ownerOf(other) ?? other);
}
