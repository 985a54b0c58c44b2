/** What is sampled, by how much it may grow, and why that much. */

export interface Quantity {
  readonly title: string;
  /** As people read a value. */
  readonly format: (value: number) => string;
  /**
   * By how much it may grow in the second half, however long that is: what is bounded fills up once. `undefined` where
   * it is shown only.
   */
  readonly limit?: number;
  /** Why this limit, or why none. */
  readonly reason: string;
  /** Whether it has to be at the end what it was at the start: for what is counted and not measured. */
  readonly returns?: boolean;
}

const mebibytes = 2 ** 20;

const inMebibytes = (value: number) => `${(value / mebibytes).toFixed(2)} MiB`;
const plain = (value: number) => (Number.isInteger(value) ? `${value}` : value.toFixed(2));
const milliseconds = (value: number) => `${value.toFixed(1)} ms`;

export const quantities = {
  heap: {
    title: 'JS heap after collection',
    format: inMebibytes,
    limit: 2 * mebibytes,
    reason:
      'bounded caches fill and are emptied at 1024 entries: heads of replies for callers, of each service, and names ' +
      'that were checked; and code is compiled',
  },
  external: {
    title: 'Memory outside the heap that JS objects own',
    format: inMebibytes,
    limit: 2 * mebibytes,
    reason: 'the memory of a connection is 300 KiB and leaves when its finalizer runs: a few may wait for that',
  },
  rss: {
    title: 'Resident memory',
    format: inMebibytes,
    limit: 16 * mebibytes,
    reason: 'allocators keep what is freed, and large messages come and go: coarse, for leaks in native code',
  },
  fds: { title: 'File descriptors', format: plain, limit: 0.5, reason: 'counted at rest', returns: true },
  matchRules: {
    title: 'Match rules, as the daemon counts them',
    format: plain,
    limit: 0.5,
    reason: 'counted at rest: those of the lasting subscriptions',
    returns: true,
  },
  pendingCalls: { title: 'Pending calls', format: plain, limit: 0.5, reason: 'counted at rest: none', returns: true },
  exportedObjects: { title: 'Exported objects', format: plain, limit: 0.5, reason: 'counted at rest', returns: true },
  cpu: {
    title: 'CPU time of a cycle of the load',
    format: milliseconds,
    limit: 20,
    reason: 'a list that is searched and grows would show here; other work on the machine costs caches and so time',
  },
  delay: {
    title: 'Event-loop delay, 99th percentile',
    format: milliseconds,
    reason: 'shown: on a machine with other work it is mostly that',
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
