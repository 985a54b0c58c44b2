/** What a workload is: which program of a peer runs, against what, how often, and what is told of it. */
import type { Daemon } from '../../test/helpers/private-bus.js';
import type { Peer } from '../peers.js';
import type { Quantity } from '../quantities.js';

/** How a workload is run: bench/measure/ has a file for each. */
type Arrangement =
  /** The peer is the client of the sd-bus service. */
  | 'client'
  /** The peer is the service of the sd-bus client, and what counts is the service's CPU time. */
  | 'service'
  /** The peer is at both ends, without a bus. */
  | 'peer-to-peer'
  /** The peer is started, makes one call and ends; again and again. */
  | 'cold'
  /** The peer is the client of the sd-bus service, and strace counts its system calls. */
  | 'system-calls';

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** What one operation is. */
  readonly operation: string;
  readonly arrangement: Arrangement;
  /** The workload's name in the peers' programs. */
  readonly program: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameters of the driver, where the peer is a service. */
  readonly driverParameters?: Readonly<Record<string, string>>;
  /** Options of Node.js itself. */
  readonly nodeFlags?: readonly string[];
  /** Operations in a round. */
  readonly operations: number;
  /** Operations before the round, of programs in JavaScript; three times as many as in it, if left out. */
  readonly warmUp?: number;
  /** No more rounds than this, where one takes long or the values vary little. */
  readonly roundsMaximum?: number;
  /** Part of a quick run. */
  readonly quick: boolean;
  /** Measured on this daemon only, where it takes part: what is told does not depend on it. */
  readonly daemon?: Daemon;
  /** What is told of it; peers are compared by the first. */
  readonly columns: readonly Quantity[];
  readonly takesPart: (peer: Pick<Peer, 'id' | 'language'>) => boolean;
  /** Where the same is measured at several sizes: which series this belongs to, and at which size. */
  readonly growth?: Growth;
}

interface Growth {
  readonly series: string;
  readonly title: string;
  readonly size: number;
}

export const everybody = (): boolean => true;
export const inJavaScript: Workload['takesPart'] = ({ language }) => language === 'JavaScript';
/** busbar on every transport and runtime. */
export const ours: Workload['takesPart'] = ({ id }) => id.startsWith('busbar');
