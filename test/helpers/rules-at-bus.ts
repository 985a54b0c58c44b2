/** How many match rules dbus-daemon itself counts for a connection, whatever the connection believes. */
import type { MessageBus } from '../../src/index.js';

export async function rulesAtBus(bus: MessageBus): Promise<number> {
  const [stats] = (await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus.Debug.Stats',
    member: 'GetConnectionStats',
    signature: 's',
    body: [bus.uniqueName],
  })) as [Record<string, unknown>];
  return stats.MatchRules as number;
}
