/** Waits until what one connection to a bus has sent has arrived at others: the bus answers each in the order of its messages. */
import type { MessageBus } from '../../src/index.js';

export async function roundTrips(...buses: readonly Pick<MessageBus, 'call'>[]): Promise<void> {
  for (const bus of buses) {
    await bus.call({
      destination: 'org.freedesktop.DBus',
      path: '/',
      interface: 'org.freedesktop.DBus.Peer',
      member: 'Ping',
    });
  }
}
