/**
 * Runs a peer once in a workload, on a bus with the sd-bus service: starts its program afresh, lets it warm up, and
 * takes what it reports. The programs' side of this is in bench/peers/harness/.
 */
import { Program } from '../test/helpers/program.js';
import type { PreparedPeer } from './peers.js';
import type { Sample } from './samples.js';
import type { Workload } from './workloads.js';

/** What a peer is measured against. */
export interface Surroundings {
  readonly address: string;
  /** The peer whose client drives services. */
  readonly driver: PreparedPeer;
}

/** Milliseconds that a program has for a round. */
const PATIENCE = 60_000;

/** Starts as many processes for one sample: each does a single thing. */
const COLD_STARTS = 5;

export function measure(peer: PreparedPeer, workload: Workload, surroundings: Surroundings): Promise<Sample> {
  if (workload.arrangement === 'service') return measureService(peer, workload, surroundings);
  if (workload.arrangement === 'cold') return measureColdStarts(peer, workload, surroundings);
  return measureClient(peer, workload, surroundings);
}

async function measureClient(peer: PreparedPeer, workload: Workload, { address }: Surroundings): Promise<Sample> {
  await using program = start(peer.command('client'), address, workload.program, {
    ...peer.parameters,
    ...workload.parameters,
  });
  return await warmAndGo(program, workload.operations);
}

async function measureService(peer: PreparedPeer, workload: Workload, surroundings: Surroundings): Promise<Sample> {
  const { address, driver } = surroundings;
  const name = `org.example.Bench.Service${process.hrtime.bigint()}`;
  const { parameters } = workload;
  await using service = start(peer.command('service'), address, 'service', { ...peer.parameters, ...parameters, name });
  await service.line('ready');
  await using client = start(driver.command('client'), address, 'drive', { ...parameters, destination: name });
  const { operations, wall, serviceCpu } = (await warmAndGo(client, workload.operations)) as DriverSample;
  return { operations, wall, cpu: serviceCpu };
}

interface DriverSample extends Sample {
  /** What the service says that it used, in microseconds. */
  readonly serviceCpu: number;
}

async function measureColdStarts(peer: PreparedPeer, workload: Workload, { address }: Surroundings): Promise<Sample> {
  let cpu = 0;
  let wall = 0;
  for (let i = 0; i < COLD_STARTS; i++) {
    const began = performance.now();
    await using program = start(peer.command('client'), address, workload.program, peer.parameters);
    const sample = await reported(program);
    wall += (performance.now() - began) * 1000;
    cpu += sample.cpu;
  }
  return { operations: COLD_STARTS, cpu, wall };
}

async function warmAndGo(program: Program, operations: number): Promise<Sample> {
  await program.line('ready');
  program.write(`go ${Math.ceil(operations / 4)}\n`);
  await reported(program);
  program.write(`go ${operations}\n`);
  return reported(program);
}

async function reported(program: Program): Promise<Sample> {
  return JSON.parse(await program.line(/^\{/)) as Sample;
}

function start(
  [command, ...args]: readonly string[],
  address: string,
  workload: string,
  parameters: Readonly<Record<string, string>>,
): Program {
  const named = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return Program.start(command, [...args, address, workload, ...named], { timeLimit: PATIENCE });
}
