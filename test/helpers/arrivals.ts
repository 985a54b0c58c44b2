/** What comes over a connection, as its deadlines look at it, where there is none. */
import type { Arrivals } from '../../src/connection/receiving/backlog.js';

export function arrivals(
  hasUnread: () => boolean = () => false,
  received = { messages: 0, cutAt: Number.NEGATIVE_INFINITY },
): Arrivals {
  return { hasUnread, received: () => received };
}
