/** The peer as a client of the sd-bus service. */
import type { PreparedPeer } from '../peers.js';
import type { Values } from '../quantities.js';
import type { Workload } from '../workloads/index.js';
import type { Surroundings } from './measure.js';
import { startProgram, warmAndGo } from './program.js';

export async function measureClient(
  peer: PreparedPeer,
  workload: Workload,
  { address }: Surroundings,
): Promise<Values> {
  const { program: name, parameters, nodeFlags } = workload;
  const command = peer.command('client', nodeFlags);
  await using program = startProgram(command, address, name, { ...peer.parameters, ...parameters });
  const { operations, cpu, wall, ...more } = await warmAndGo(program, workload, peer.language);
  return { cpu: cpu / operations, wall: wall / operations, ...more };
}
