/** The received messages of a connection, as its deadlines see them, without a connection. */
import type { Arrivals } from '../../src/connection/receiving/backlog.js';

export function arrivals(
  hasUnread: () => boolean = () => false,
  received = { messages: 0, cutAt: Number.NEGATIVE_INFINITY },
): Arrivals {
  return { hasUnread, received: () => received };
}
