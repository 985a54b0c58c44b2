/** The match rules of a connection as the bus has them, independent of the connection's own state. */
import { formatMatchRule, MatchRuleNotFoundError, type MessageBus, parseMatchRule } from '../../src/index.js';

const BUS = 'org.freedesktop.DBus';

/** The number of match rules that dbus-daemon counts for a connection. */
export async function rulesAtBus(bus: MessageBus): Promise<number> {
  const [stats] = (await bus.call({
    destination: BUS,
    path: '/org/freedesktop/DBus',
    interface: `${BUS}.Debug.Stats`,
    member: 'GetConnectionStats',
    signature: 's',
    body: [bus.uniqueName],
  })) as [Record<string, unknown>];
  return stats.MatchRules as number;
}

/** The rules that dbus-daemon has of a connection, as the library writes them, sorted. */
export async function ruleTextsAtBus(bus: MessageBus): Promise<string[]> {
  const [all] = (await bus.call({
    destination: BUS,
    path: '/org/freedesktop/DBus',
    interface: `${BUS}.Debug.Stats`,
    member: 'GetAllMatchRules',
  })) as [Record<string, string[]>];
  return (all[bus.uniqueName as string] ?? []).map((text) => formatMatchRule(parseMatchRule(text))).sort();
}

/**
 * How many times a bus has a rule of a connection. dbus-broker has no such statistics: the rule is removed as often as
 * possible, and added again.
 */
export async function timesAtBus(bus: MessageBus, rule: string): Promise<number> {
  const ask = (member: string) =>
    bus.call({ destination: BUS, path: '/org/freedesktop/DBus', interface: BUS, member, signature: 's', body: [rule] });
  let times = 0;
  for (;;) {
    try {
      await ask('RemoveMatch');
      times++;
    } catch (error) {
      if (!(error instanceof MatchRuleNotFoundError)) throw error;
      for (let left = times; left > 0; left--) await ask('AddMatch');
      return times;
    }
  }
}
