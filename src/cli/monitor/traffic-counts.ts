/** What a monitor has seen: counts for the status line, and the summary at the end. */
import { printable } from '../../base/printable.js';
import type { MonitoredMessage } from '../../index.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import { type Column, table } from '../table.js';
import { durationText, label, memberOf } from './message-line.js';

/** The lines of each table of the summary. */
const LISTED = 10;
/** The members and peers that are counted each: names of all callers of a long time would fill the memory. */
const COUNTED = 10_000;
const OTHERS = '(others)';

interface Count {
  messages: number;
  bytes: number;
  replies: number;
  errors: number;
  /** Milliseconds of all replies. */
  waited: number;
  slowest: number;
}

interface SlowCall {
  readonly elapsed: number;
  readonly call: MonitoredMessage;
}

export class TrafficCounts {
  messages = 0;
  bytes = 0;
  errors = 0;
  readonly #begun = performance.now();
  readonly #members = new Map<string, Count>();
  readonly #peers = new Map<string, Count>();
  /** The slowest first. */
  readonly #slow: SlowCall[] = [];

  add(message: MonitoredMessage): void {
    const { MessageType } = library;
    const { call, elapsed, from, type } = message;
    const { length } = message.bytes;
    const isError = type === MessageType.Error;
    this.messages++;
    this.bytes += length;
    if (isError) this.errors++;
    const member = call ?? (message.member === undefined ? undefined : message);
    const counts = [countOf(this.#peers, label(from))];
    if (member !== undefined) counts.push(countOf(this.#members, memberOf(member)));
    for (const count of counts) {
      count.messages++;
      count.bytes += length;
      if (isError) count.errors++;
      if (elapsed === undefined) continue;
      count.replies++;
      count.waited += elapsed;
      count.slowest = Math.max(count.slowest, elapsed);
    }
    if (call !== undefined && elapsed !== undefined) this.#noteTime({ call, elapsed });
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** The lines of the summary. */
  summary(output: Output, dropped: number): string[] {
    const lines = [`${this.#total()}${dropped > 0 ? `, and ${dropped} were dropped, because they came too fast` : ''}`];
    if (this.messages === 0) return lines;
    lines.push('', ...table(output, columnsOf('MEMBER'), rowsOf(this.#members, this.seconds)));
    lines.push('', ...table(output, columnsOf('SENDER'), rowsOf(this.#peers, this.seconds)));
    if (this.#slow.length > 0) lines.push('', ...table(output, slowColumns, this.#slow.map(slowRow)));
    return lines;
  }

  #total(): string {
    const { messages, bytes, errors, seconds } = this;
    const rates = `${rate(messages, seconds)} messages and ${sizeText(bytes / seconds)} a second`;
    return `${messages} messages, ${sizeText(bytes)}, ${errors} errors in ${seconds.toFixed(1)} s: ${rates}`;
  }

  #noteTime(slow: SlowCall): void {
    if (this.#slow.length === LISTED && slow.elapsed <= (this.#slow.at(-1)?.elapsed ?? 0)) return;
    this.#slow.push(slow);
    this.#slow.sort((a, b) => b.elapsed - a.elapsed);
    if (this.#slow.length > LISTED) this.#slow.pop();
  }
}

function countOf(counts: Map<string, Count>, name: string): Count {
  const key = counts.size < COUNTED || counts.has(name) ? name : OTHERS;
  let count = counts.get(key);
  if (count === undefined) {
    count = { messages: 0, bytes: 0, replies: 0, errors: 0, waited: 0, slowest: 0 };
    counts.set(key, count);
  }
  return count;
}

function columnsOf(title: string): Column[] {
  const numbers = ['MESSAGES', 'A SECOND', 'BYTES', 'ERRORS', 'MEAN', 'SLOWEST'];
  return [{ title, least: 20 }, ...numbers.map((name): Column => ({ title: name, align: 'right', weight: 1 }))];
}

function rowsOf(counts: ReadonlyMap<string, Count>, seconds: number): string[][] {
  const sorted = [...counts].sort(([, a], [, b]) => b.messages - a.messages);
  return sorted.slice(0, LISTED).map(([name, { messages, bytes, replies, errors, waited, slowest }]) => {
    const times = replies === 0 ? ['', ''] : [durationText(waited / replies), durationText(slowest)];
    return [printable(name), String(messages), rate(messages, seconds), sizeText(bytes), String(errors), ...times];
  });
}

const slowColumns: Column[] = [
  { title: 'SLOWEST CALLS', align: 'right', weight: 1 },
  { title: 'MEMBER', least: 20 },
  { title: 'CALLER' },
  { title: 'CALLEE' },
];

function slowRow({ call, elapsed }: SlowCall): string[] {
  return [durationText(elapsed), printable(memberOf(call)), label(call.from), label(call.to)];
}

function rate(count: number, seconds: number): string {
  const value = count / seconds;
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

/** Bytes with three digits: `912 B`, `1.24 kB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000 || unit === 'GB')
      return `${unit === 'B' ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
    value /= 1000;
  }
  return '';
}
