/** The peer as a service that the sd-bus client calls; its CPU time is asked of it over the bus. */
import type { PreparedPeer } from '../peers.js';
import type { Values } from '../quantities.js';
import type { Workload } from '../workloads/index.js';
import type { Surroundings } from './measure.js';
import { ready, startProgram, warmAndGo } from './program.js';

let services = 0;

export async function measureService(
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
