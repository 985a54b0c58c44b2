/**
 * The messages that a sender sends and a receiver expects, made from a seed on both sides: connections, bursts of one tick
 * each, and the messages of a burst.
 */
import fc from 'fast-check';
import { contains } from '../interop/value-table.js';
import { bodies } from './arbitrary-bodies.js';
import { numbersFrom } from './random-numbers.js';

export interface PlannedMessage {
  /** As in the header: 1 a call that wants no reply, 2 a result, 3 an error, 4 a signal. */
  readonly type: 1 | 2 | 3 | 4;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** The messages of one tick. */
export type Burst = readonly PlannedMessage[];

export const INTERFACE = 'org.example.Arrival';
const MEMBER = 'Sent';

/** sd-bus refuses strings with one. */
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;

function isSentByAll(values: readonly unknown[]): boolean {
  return !contains(values, (value) => typeof value === 'string' && NONCHARACTER.test(value));
}

/** 100 a connection on average: every tenth one has so many that its outbox grows. */
const messagesOver = (connection: number) => (connection % 10 === 0 ? 910 : 10);

/** Random bodies are made once and sent many times, after paths of other lengths: then their positions differ. */
const POOL = 2000;

export class ArrivalPlan {
  readonly #pool: readonly (readonly [string, readonly unknown[]])[];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    const sendable = bodies.filter(([, values]) => isSentByAll(values));
    this.#pool = fc.sample(sendable, { seed, numRuns: POOL });
  }

  /** Random messages for one connection, in bursts of 1 to 900 in a tick. */
  *bursts(connection: number): Generator<Burst> {
    const random = numbersFrom(this.#seed * 65_537 + connection);
    for (let left = messagesOver(connection); left > 0; ) {
      // Small ones as often as large ones.
      const count = Math.min(left, Math.ceil(900 ** random()));
      left -= count;
      yield Array.from({ length: count }, () => this.#message(random));
    }
  }

  #message(random: () => number): PlannedMessage {
    return { ...this.#head(random), ...this.#values(random) };
  }

  /** Signals half of the time. What a header has is of another length each time. */
  #head(random: () => number): Pick<PlannedMessage, 'type'> & Partial<PlannedMessage> {
    const type = [1, 2, 3, 4, 4, 4][Math.floor(random() * 6)] as PlannedMessage['type'];
    const name = 'p'.repeat(1 + Math.floor(random() * 40));
    if (type === 1 || type === 4) return { type, path: `/${name}`, interface: INTERFACE, member: MEMBER };
    const replySerial = 1 + Math.floor(random() * (2 ** 32 - 1));
    return type === 2 ? { type, replySerial } : { type, replySerial, errorName: `org.example.${name}` };
  }

  #values(random: () => number): Pick<PlannedMessage, 'signature' | 'body'> {
    const kind = random();
    // A header alone, as that of a Ping.
    if (kind < 0.2) return { signature: '', body: [] };
    if (kind < 0.5) return { signature: 'y', body: [Math.floor(random() * 256)] };
    const [signature, body] = this.#pool[Math.floor(random() * POOL)] as readonly [string, readonly unknown[]];
    return { signature, body };
  }
}

/** Values of about `bytes` bytes, for types whose elements have separate code. */
const bySize: Readonly<Record<string, (bytes: number) => unknown>> = {
  s: (bytes) => 'x'.repeat(bytes),
  o: (bytes) => `/${'o'.repeat(bytes)}`,
  ay: (bytes) => Uint8Array.from({ length: bytes }, (_, index) => index % 251),
  'a(yq)': (bytes) => Array.from({ length: bytes >> 3 }, (_, index) => [index % 251, index % 65_521]),
  as: (bytes) => Array.from({ length: bytes >> 3 }, (_, index) => String.fromCharCode(97 + (index % 26)).repeat(3)),
  an: (bytes) => Array.from({ length: bytes >> 1 }, (_, index) => (index % 65_521) - 32_768),
  au: (bytes) => Array.from({ length: bytes >> 2 }, (_, index) => (index * 2_654_435_769) >>> 0),
  at: (bytes) => Array.from({ length: bytes >> 3 }, (_, index) => BigInt(index) * 11_400_714_819_323n),
  ad: (bytes) => Array.from({ length: bytes >> 3 }, (_, index) => index / 7),
  ab: (bytes) => Array.from({ length: bytes >> 2 }, (_, index) => index % 3 === 0),
  'a{uy}': (bytes) => new Map(Array.from({ length: bytes >> 3 }, (_, index) => [index, index % 251])),
  'a{sy}': (bytes) => Object.fromEntries(Array.from({ length: bytes >> 4 }, (_, index) => [`k${index}`, index % 251])),
};

/** Bytes are also given one by one, which uses another branch of the encoder. */
const listed = (value: unknown) => (value instanceof Uint8Array ? Array.from(value) : value);

/** sd-bus accepts no longer paths. */
const PATH_MAXIMUM = 64 * 1024;

/** One message of each type of a size, just below, at and above it. */
export function messagesAround(size: number): PlannedMessage[] {
  const messages: PlannedMessage[] = [];
  for (const [signature, make] of Object.entries(bySize)) {
    if (signature === 'o' && size >= PATH_MAXIMUM) continue;
    const lengths = signature === 'ay' || signature === 's' ? [-9, -1, 0, 1] : [-8];
    for (const difference of lengths) {
      const value = make(size + difference);
      const head = { type: 4, path: '/sized', interface: INTERFACE, member: MEMBER } as const;
      messages.push({ ...head, signature, body: [value] });
      if (signature === 'ay') messages.push({ ...head, path: '/sized/listed', signature, body: [listed(value)] });
    }
  }
  return messages;
}

/** A tick's messages of a size, as many as can be queued at once without being refused. */
export function burstsAround(size: number): Burst[] {
  const messages = messagesAround(size);
  const half = Math.ceil(messages.length / 2);
  return size < 2 ** 21 ? [messages] : [messages.slice(0, half), messages.slice(half)];
}

/** 4 KiB to 4 MiB. */
export const sizes: readonly number[] = Array.from({ length: 11 }, (_, index) => 2 ** (12 + index));
