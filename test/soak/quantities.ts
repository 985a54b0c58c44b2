/** What is sampled, what it may do over time, and why that much. */

export interface Quantity {
  readonly title: string;
  /** As people read a value. */
  readonly format: (value: number) => string;
  /** The most by which it may grow, a second; `undefined` where it is shown only. */
  readonly limit?: number;
  /** Why this limit, or why none. */
  readonly reason: string;
  /** Whether it has to be at the end what it was at the start: for what is counted and not measured. */
  readonly returns?: boolean;
}

const mebibytes = (value: number) => `${(value / 2 ** 20).toFixed(2)} MiB`;
const plain = (value: number) => (Number.isInteger(value) ? `${value}` : value.toFixed(2));

export const quantities = {
  heap: {
    title: 'JS heap after collection',
    format: mebibytes,
    limit: 8 * 1024,
    reason: 'several thousand messages a second: one byte that each of them leaves would be seen',
  },
  external: {
    title: 'Memory outside the heap that JS objects own',
    format: mebibytes,
    limit: 16 * 1024,
    reason: 'an inbox has 256 KiB: one connection of many that stays would be seen',
  },
  rss: {
    title: 'Resident memory',
    format: mebibytes,
    limit: 128 * 1024,
    reason:
      'allocators keep pages that they freed, so this is coarse; a leak in native code of 30 bytes a message is above',
  },
  fds: {
    title: 'File descriptors',
    format: plain,
    limit: 0.02,
    reason: 'counted: what is open at rest',
    returns: true,
  },
  matchRules: {
    title: 'Match rules, as the daemon counts them',
    format: plain,
    limit: 0.02,
    reason: 'counted: those of the lasting subscriptions',
    returns: true,
  },
  pendingCalls: { title: 'Pending calls at rest', format: plain, limit: 0.02, reason: 'counted: none', returns: true },
  exportedObjects: { title: 'Exported objects at rest', format: plain, limit: 0.02, reason: 'counted', returns: true },
  delay: {
    title: 'Event-loop delay, 99th percentile',
    format: (value) => `${value.toFixed(1)} ms`,
    limit: 0.5,
    reason: 'noise of other programs is larger than what a growing queue or list costs at first',
  },
  messages: {
    title: 'Messages a second, in this process, both ways',
    format: (value) => `${Math.round(value)}`,
    reason: 'shown: the load paces itself, and the machine has other work',
  },
} as const satisfies Record<string, Quantity>;

export type QuantityName = keyof typeof quantities;
export const quantityNames = Object.keys(quantities) as QuantityName[];

/** One look at everything, at rest: no round of the load is on its way. */
export type Sample = Readonly<Record<QuantityName, number>> & { readonly seconds: number };
