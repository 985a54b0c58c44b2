/** Runs a peer once in a workload, with programs that are started afresh. */
import type { PreparedPeer } from '../peers.js';
import type { Values } from '../quantities.js';
import type { Workload } from '../workloads/index.js';
import { measureClient } from './client.js';
import { measureColdStarts } from './cold.js';
import { measurePeers } from './peer-to-peer.js';
import { measureService } from './service.js';
import { countSystemCalls } from './system-calls.js';

/** What a peer is measured against: a bus on which the sd-bus service runs. */
export interface Surroundings {
  readonly address: string;
  /** The peer whose client drives services. */
  readonly driver: PreparedPeer;
}

type Measure = (peer: PreparedPeer, workload: Workload, surroundings: Surroundings) => Promise<Values>;

const arrangements: Readonly<Record<Workload['arrangement'], Measure>> = {
  client: measureClient,
  service: measureService,
  'peer-to-peer': measurePeers,
  cold: measureColdStarts,
  'system-calls': countSystemCalls,
};

export function measure(peer: PreparedPeer, workload: Workload, surroundings: Surroundings): Promise<Values> {
  return arrangements[workload.arrangement](peer, workload, surroundings);
}
