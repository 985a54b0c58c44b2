/** The peer at both ends of a socket of its own, without a bus. What counts is the throughput; CPU time is the client's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PreparedPeer } from '../peers.js';
import type { Values } from '../quantities.js';
import type { Workload } from '../workloads/index.js';
import { ready, startProgram, warmAndGo } from './program.js';

export async function measurePeers(peer: PreparedPeer, workload: Workload): Promise<Values> {
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
