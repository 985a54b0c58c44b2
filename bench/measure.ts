/** Runs a peer once in a workload, with newly started programs. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath } from '../test/helpers/paths.js';
import { Program } from '../test/helpers/program.js';
import type { MeasuredPeer, PreparedPeer } from './peers.js';
import { placed } from './placement.js';
import type { Values } from './values.js';
import type { Arrangement, Workload } from './workloads.js';

/** The environment of a measured peer: a bus on which the sd-bus service runs. */
export interface Surroundings {
  readonly address: string;
  /** The peer whose client drives services. */
  readonly driver: PreparedPeer;
}

type Measure = (peer: PreparedPeer, workload: Workload, surroundings: Surroundings) => Promise<Values>;

export function measure(peer: PreparedPeer, workload: Workload, surroundings: Surroundings): Promise<Values> {
  const arrangements: Readonly<Record<Arrangement, Measure>> = {
    client: measureClient,
    service: measureService,
    'peer-to-peer': measurePeers,
    cold: measureColdStarts,
    'system-calls': countSystemCalls,
  };
  return arrangements[workload.arrangement](peer, workload, surroundings);
}

async function measureClient(peer: PreparedPeer, workload: Workload, { address }: Surroundings): Promise<Values> {
  const { program: name, parameters, nodeFlags } = workload;
  const command = placed(peer.command('client', nodeFlags), workload);
  await using program = startProgram(command, address, name, { ...peer.parameters, ...parameters });
  const { operations, cpu, wall, ...more } = await warmAndGo(program, workload, peer.language);
  return { cpu: cpu / operations, wall: wall / operations, ...more };
}

let services = 0;

async function measureService(
  peer: PreparedPeer,
  workload: Workload,
  { address, driver }: Surroundings,
): Promise<Values> {
  const { program, parameters, driverParameters } = workload;
  const name = `org.example.Bench.Service${++services}`;
  await using service = startProgram(peer.command('service'), address, program, {
    ...peer.parameters,
    ...parameters,
    name,
  });
  await ready(service);
  await using client = startProgram(driver.command('client'), address, 'drive', {
    ...driverParameters,
    destination: name,
  });
  const report = await warmAndGo(client, workload, peer.language);
  return { cpu: report.serviceCpu / report.operations, wall: report.wall / report.operations };
}

/** The peer at both ends of a socket, without a bus. The result is the throughput; CPU time is that of the client. */
async function measurePeers(peer: PreparedPeer, workload: Workload): Promise<Values> {
  const { program: name } = workload;
  const parameters = { ...peer.parameters, ...workload.parameters };
  const folder = mkdtempSync(join(tmpdir(), 'busbar-peers-'));
  try {
    const address = `unix:path=${join(folder, 'socket')}`;
    await using service = startProgram(peer.command('service'), address, 'service', parameters);
    await ready(service);
    await using client = startProgram(peer.command('client'), address, name, parameters);
    const { operations, cpu, wall } = await warmAndGo(client, workload, peer.language);
    return { cpu: cpu / operations, wall: wall / operations };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Processes that make one call each: the cost of import and connecting. The time is from the start to the reply. */
async function measureColdStarts(
  peer: PreparedPeer,
  { program: name, operations }: Workload,
  { address }: Surroundings,
): Promise<Values> {
  let cpu = 0;
  let wall = 0;
  for (let i = 0; i < operations; i++) {
    const began = performance.now();
    await using program = startProgram(peer.command('client'), address, name, peer.parameters);
    cpu += (await reported(program)).cpu;
    wall += (performance.now() - began) * 1000;
  }
  return { cpu: cpu / operations, wall: wall / operations };
}

/**
 * System calls of an operation: strace counts those of two runs, one with few operations and one with many, and the
 * difference belongs to the operations alone.
 */
async function countSystemCalls(peer: PreparedPeer, workload: Workload, { address }: Surroundings): Promise<Values> {
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

// The protocol of the programs, which bench/peers/sd-bus/harness.h describes.

/** The report of a program on one round: times in microseconds for all operations, and its other measurements. */
export interface Report {
  readonly operations: number;
  readonly cpu: number;
  readonly wall: number;
  readonly [more: string]: number;
}

/** Milliseconds that a program has for all its work. */
const PATIENCE = 120_000;

/** Starts a program of a peer with its parameters. */
export function startProgram(
  [command, ...args]: readonly string[],
  address: string,
  workload: string,
  parameters: Readonly<Record<string, string>>,
): Program {
  const named = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  // Reading certificates takes Node.js longer than a library takes to connect.
  const env = { NODE_EXTRA_CA_CERTS: undefined };
  return Program.start(command, [...args, address, workload, ...named], { timeLimit: PATIENCE, env });
}

/** The next report of a program. */
async function reported(program: Program): Promise<Report> {
  try {
    return JSON.parse(await program.line(/^\{/)) as Report;
  } catch (error) {
    throw reasonOf(program) ?? error;
  }
}

/** Waits until a program is ready. */
export async function ready(program: Program): Promise<void> {
  try {
    await program.line('ready');
  } catch (error) {
    throw reasonOf(program) ?? error;
  }
}

/** Has a program do a number of operations. */
export function go(program: Program, operations: number): Promise<Report> {
  program.write(`go ${operations}\n`);
  return reported(program);
}

/** Has a program do the operations of a workload, after warming up. */
async function warmAndGo(program: Program, workload: Workload, language: MeasuredPeer['language']): Promise<Report> {
  await ready(program);
  await go(program, warmUpOf(workload, language));
  return go(program, workload.operations);
}

/** JavaScript compilers take about 90 000 messages to settle; C and Python only have caches to fill. */
function warmUpOf({ operations, warmUp = 3 * operations }: Workload, language: MeasuredPeer['language']): number {
  return language === 'JavaScript' || language === 'GJS' ? warmUp : Math.ceil(warmUp / 20);
}

/** Why a program ended, in one line: its last line about an error. Stacks and versions come after that. */
function reasonOf({ stderr }: Program): Error | undefined {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /^[\w.]*(Error|Exception|Warning)\b/.test(line));
  const line = telling.at(-1) ?? lines.find((text) => text !== '');
  return line === undefined ? undefined : new Error(line.slice(0, 200));
}
