/** What is sampled, by how much it may grow, and why that much. */

export interface Quantity {
  readonly title: string;
  /** As people read a value. */
  readonly format: (value: number) => string;
  /** By how much it may grow in the second half, however long that is. */
  readonly limit?: number;
  /** What its median in the second half may be. */
  readonly ceiling?: number;
  /** Why this limit, or why none. */
  readonly reason: string;
  /** Whether it has to be at the end what it was at the start: for what is counted and not measured. */
  readonly returns?: boolean;
}

const kibibytes = 2 ** 10;
const mebibytes = 2 ** 20;

const inMebibytes = (value: number) => `${(value / mebibytes).toFixed(2)} MiB`;
const plain = (value: number) => (Number.isInteger(value) ? `${value}` : value.toFixed(2));
const milliseconds = (value: number) => `${value.toFixed(1)} ms`;

export const quantities = {
  heap: {
    title: 'JS heap without code',
    format: inMebibytes,
    limit: 128 * kibibytes,
    reason: 'caches are full before. In half an hour of 40 000 cycles it is three bytes a cycle, less than any object',
  },
  code: {
    title: 'Compiled code on the JS heap',
    format: inMebibytes,
    limit: 512 * kibibytes,
    reason: 'V8 forgets what has not run for a while, and compiles it anew; its optimising compiler is off',
  },
  external: {
    title: 'Memory outside the heap that JS objects own',
    format: inMebibytes,
    limit: 256 * kibibytes,
    reason: 'less than the memory of one connection, which leaves when its finalizer runs',
  },
  rss: {
    title: 'Resident memory',
    format: inMebibytes,
    limit: 8 * mebibytes,
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
    limit: 40,
    reason: 'a list that is searched and grows would show here; other work on the machine may double it',
  },
  delay: {
    title: 'Event-loop delay, mean',
    format: milliseconds,
    ceiling: 100,
    reason: 'of a timer of 5 ms: a starved loop is always late, other work on the machine only now and then',
  },
  longDelay: {
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
