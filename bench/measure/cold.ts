/** Processes that make one call each: what import and connecting cost. The time is from the start to the reply. */
import type { PreparedPeer } from '../peers.js';
import type { Values } from '../quantities.js';
import type { Workload } from '../workloads/index.js';
import type { Surroundings } from './measure.js';
import { reported, startProgram } from './program.js';

export async function measureColdStarts(
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
