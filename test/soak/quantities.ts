/** The sampled quantities, how far each may grow, and why. */

export interface Quantity {
  readonly title: string;
  /** In its usual unit. */
  readonly format: (value: number) => string;
  /** How far it may grow in the second half, however long that is. */
  readonly limit?: number;
  /** The limit of its median in the second half. */
  readonly ceiling?: number;
  /** The reason for this limit, or for none. */
  readonly reason: string;
  /** Whether the value at the end must equal the first one: for counts, not for measurements. */
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
    reason:
      'caches are filled before. In half an hour of 40 000 cycles it is three bytes a cycle, less than any object',
  },
  code: {
    title: 'Compiled code on the JS heap',
    format: inMebibytes,
    limit: 512 * kibibytes,
    reason: 'V8 discards code that has not run for a while, and compiles it again; its optimising compiler is off',
  },
  external: {
    title: 'Memory outside the heap that JS objects own',
    format: inMebibytes,
    limit: 256 * kibibytes,
    reason: 'less than the memory of one connection, which its finalizer frees',
  },
  rss: {
    title: 'Resident memory',
    format: inMebibytes,
    limit: 8 * mebibytes,
    reason: 'allocators keep freed memory, and large messages come and go: a coarse limit, for leaks in native code',
  },
  fds: { title: 'File descriptors', format: plain, limit: 0.5, reason: 'counted at rest', returns: true },
  matchRules: {
    title: 'Match rules, as the daemon counts them',
    format: plain,
    limit: 0.5,
    reason: 'counted at rest: those of the permanent subscriptions',
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
    reason: 'of a timer of 5 ms: a blocked loop is always late, other work on the machine causes occasional delays',
  },
  longDelay: {
    title: 'Event-loop delay, 99th percentile',
    format: milliseconds,
    reason: 'for information: other work on the machine causes most of it',
  },
  messages: {
    title: 'Messages a second, in this process, both ways',
    format: (value) => `${Math.round(value)}`,
    reason: 'for information: the load limits its own rate, and the machine has other work',
  },
} as const satisfies Record<string, Quantity>;

export type QuantityName = keyof typeof quantities;
export const quantityNames = Object.keys(quantities) as QuantityName[];

/** One sample of all quantities, at rest: no round of the load is on its way. */
export type Sample = Readonly<Record<QuantityName, number>> & { readonly seconds: number };
