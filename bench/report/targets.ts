/**
 * What busbar set out to reach, and whether it does. A target is a list of checks; each compares a measured value with
 * a limit, and is met if the value is not above it.
 */

import { reference } from '../peers.js';
import type { Quantity } from '../quantities.js';
import { lookUp, type Results } from '../results.js';
import { workloads } from '../workloads/index.js';
import { addonBytes } from './addon-size.js';

/** busbar as it is by default. */
const SUBJECT = 'busbar-socket';
/** busbar on the runtime that dbus-native needs. */
const SUBJECT_NEWER = 'busbar-socket-newer-node';
const RIVAL = 'dbus-native';
/** Growth within this factor is flat. */
const FLAT = 1.3;

export interface Check {
  readonly what: string;
  readonly limit: number;
  /** How the numbers are meant: `×`, `µs`, … */
  readonly unit: string;
  /** `undefined` where it was not measured. */
  readonly value: (results: Results) => number | undefined;
}

export interface Target {
  readonly number: string;
  readonly title: string;
  readonly checks: readonly Check[];
}

export const targets: readonly Target[] = [
  {
    number: '1',
    title: 'Pipelined calls',
    checks: ['calls-100', 'calls-1000', 'calls-50000'].flatMap((id) => [toC(id, 'cpu', 0.6), toRival(id, 'cpu', 0.25)]),
  },
  { number: '2', title: 'Sequential calls', checks: [toC('calls-1', 'wall', 1.1), toC('calls-1', 'cpu', 1)] },
  { number: '3', title: 'Receiving signals', checks: [toC('signals', 'cpu', 0.6), toRival('signals', 'cpu', 0.35)] },
  {
    number: '4',
    title: 'GetManagedObjects of 500 devices',
    checks: [toC('objects', 'cpu', 0.5), toRival('objects', 'cpu', 0.33)],
  },
  { number: '5', title: 'Decoding a{sv} × 500', checks: [codec('decode-variants', 40)] },
  {
    number: '6',
    title: 'Encoding Notify',
    checks: [codec('encode-notify', 0.7), codec('encode-notify-message', 1)],
  },
  {
    number: '7',
    title: 'Arrays of strings and numbers',
    checks: [codec('encode-strings', 50), codec('decode-strings', 40), codec('encode-integers', 40)],
  },
  {
    number: '8',
    title: 'A megabyte of bytes, beyond copying it once',
    checks: [beyondCopying('encode-bytes'), beyondCopying('decode-bytes')],
  },
  { number: '9', title: 'Answering calls', checks: [toC('service', 'cpu', 0.7)] },
  { number: '10', title: 'Emitting signals', checks: [toC('emit', 'cpu', 0.5)] },
  {
    number: '11',
    title: 'Peer-to-peer',
    checks: [{ what: 'time of a call, to C’s at 1.3 times its throughput', limit: 1, unit: ' ×', value: peerToPeer }],
  },
  {
    number: '12',
    title: 'System calls',
    checks: [
      measured('a call or its reply', 'system-calls-calls', 'systemCalls', 0.1, '', 1 / 2),
      measured('a received signal', 'system-calls-signals', 'systemCalls', 0.1, ''),
      measured('an emitted signal', 'system-calls-emit', 'systemCalls', 0.1, ''),
    ],
  },
  {
    number: '13',
    title: 'Heap',
    checks: [
      measured('allocated for a call', 'heap-calls', 'allocated', 400, ' B'),
      // What the compilers note about the code is on the heap as well, and is not the messages’.
      measured('allocated for an unmatched signal', 'heap-unmatched', 'allocated', 8, ' B'),
      measured('kept of it', 'heap-unmatched', 'retained', 8, ' B'),
    ],
  },
  {
    number: '14',
    title: 'Timers under a flood',
    checks: [
      measured('lateness, p99', 'timer', 'timerP99', 2, ' ms'),
      measured('memory, grown by a million signals', 'timer', 'grown', 8, ' MiB', 2 ** -20),
    ],
  },
  {
    number: '15',
    title: 'A cold process',
    checks: [
      { what: 'time, to dbus-native on the same Node.js', limit: 1.1, unit: ' ×', value: coldStart },
      { what: 'the addon', limit: 150, unit: ' kB', value: () => scaled(addonBytes(), 1 / 1000) },
    ],
  },
  {
    number: '16',
    title: 'Assigning a property',
    checks: [{ what: 'CPU, to emitting its change by hand', limit: 1.5, unit: ' ×', value: assigning }],
  },
  { number: '', title: 'Growth: the dearest to the smallest size', checks: growthChecks() },
];

function toC(workload: string, quantity: Quantity, limit: number): Check {
  return ratioCheck(workload, quantity, limit, reference, 'C');
}

function toRival(workload: string, quantity: Quantity, limit: number): Check {
  return ratioCheck(workload, quantity, limit, RIVAL, 'dbus-native');
}

function ratioCheck(workload: string, quantity: Quantity, limit: number, other: string, title: string): Check {
  const name = workload.replace(/^calls-/, 'window ');
  return {
    what: `${name}: ${quantity === 'cpu' ? 'CPU' : quantity}, to ${title}`,
    limit,
    unit: ' ×',
    value: (results) => ratio(lookUp(results, workload, SUBJECT, quantity), lookUp(results, workload, other, quantity)),
  };
}

function measured(what: string, workload: string, quantity: Quantity, limit: number, unit: string, share = 1): Check {
  return { what, limit, unit, value: (results) => scaled(lookUp(results, workload, SUBJECT, quantity), share) };
}

function codec(task: string, limit: number): Check {
  return {
    what: task.replaceAll('-', ' '),
    limit,
    unit: ' µs',
    value: (results) => codecTime(results, task, 'busbar'),
  };
}

function beyondCopying(task: string): Check {
  const value = (results: Results) => {
    const [time, copy] = [codecTime(results, task, 'busbar'), codecTime(results, task, 'copy')];
    return time === undefined || copy === undefined ? undefined : time - copy;
  };
  return { what: task.replaceAll('-', ' '), limit: 50, unit: ' µs', value };
}

function codecTime({ codecs }: Results, task: string, library: string): number | undefined {
  return codecs?.tasks.find(({ id }) => id === task)?.microseconds[library];
}

function coldStart(results: Results): number | undefined {
  return ratio(lookUp(results, 'cold', SUBJECT_NEWER, 'wall'), lookUp(results, 'cold', RIVAL, 'wall'));
}

/** The time of a call, to the time that would be 1.3 times the throughput of C. */
function peerToPeer(results: Results): number | undefined {
  const time = lookUp(results, 'peer-to-peer', SUBJECT, 'wall');
  return ratio(time, scaled(lookUp(results, 'peer-to-peer', reference, 'wall'), 1 / 1.3));
}

/** What the object does for a change, beyond the signal that tells of it. */
function assigning(results: Results): number | undefined {
  return ratio(lookUp(results, 'assign', SUBJECT, 'cpu'), lookUp(results, 'announce', SUBJECT, 'cpu'));
}

function growthChecks(): readonly Check[] {
  const series = new Map<string, string[]>();
  for (const { id, growth } of workloads) {
    if (growth !== undefined) series.set(growth.series, [...(series.get(growth.series) ?? []), id]);
  }
  return [...series].map(([name, ids]) => ({
    what: name.replaceAll('-', ', '),
    limit: FLAT,
    unit: ' ×',
    value: (results) => {
      const [smallest, ...larger] = ids.map((id) => lookUp(results, id, SUBJECT, 'cpu') ?? Number.NaN);
      return ratio(Math.max(...larger), smallest);
    },
  }));
}

function ratio(value: number | undefined, other: number | undefined): number | undefined {
  return value === undefined || other === undefined ? undefined : value / other;
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value * by;
}
