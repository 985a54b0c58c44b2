/**
 * System calls an operation: strace counts those of two runs, one with few operations and one with many, and what the
 * difference holds belongs to the operations alone.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath } from '../../test/helpers/paths.js';
import type { PreparedPeer } from '../peers.js';
import type { Values } from '../quantities.js';
import type { Workload } from '../workloads/index.js';
import type { Surroundings } from './measure.js';
import { go, ready, startProgram } from './program.js';

export async function countSystemCalls(
  peer: PreparedPeer,
  workload: Workload,
  { address }: Surroundings,
): Promise<Values> {
  const few = Math.ceil(workload.operations / 4);
  const start = await countsOf(peer, workload, address, [few]);
  const end = await countsOf(peer, workload, address, [few, workload.operations]);
  const difference = (names?: RegExp) => (sumOf(end, names) - sumOf(start, names)) / workload.operations;
  return { systemCalls: difference(), receives: difference(/^(recv|read)/), sends: difference(/^(send|write)/) };
}

type Counts = ReadonlyMap<string, number>;

/** The system calls by name of a process that does these numbers of operations. */
async function countsOf(
  peer: PreparedPeer,
  { program: name, parameters }: Workload,
  address: string,
  numbers: readonly number[],
): Promise<Counts> {
  const strace = programPath('strace');
  if (strace === undefined) throw new Error('strace is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'busbar-strace-'));
  try {
    const output = join(folder, 'counts');
    const command = [strace, '-f', '-c', '-o', output, ...peer.command('client')];
    const program = startProgram(command, address, name, { ...peer.parameters, ...parameters });
    await ready(program);
    for (const number of numbers) await go(program, number);
    // It ends with its input, by itself: strace writes its counts only then.
    program.write('end\n');
    await program.finished;
    return parseCounts(readFileSync(output, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The table that `strace -c` writes: share, seconds, microseconds a call, calls, errors if any, and the name. */
function parseCounts(table: string): Counts {
  const rows = table.split('\n').map((line) => /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/.exec(line));
  return new Map(rows.filter((row) => row !== null && row[2] !== 'total').map((row) => [row![2], Number(row![1])]));
}

function sumOf(counts: Counts, names = /./): number {
  return [...counts].reduce((sum, [name, count]) => (names.test(name) ? sum + count : sum), 0);
}
