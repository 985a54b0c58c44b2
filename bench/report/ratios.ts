/** How a peer stands to the two that matter: C over sd-bus, and the best of the other JavaScript libraries. */
import { type PreparedPeer, reference } from '../peers.js';
import { type Cell, isOutcome } from '../samples.js';

export interface Ratios {
  /** CPU time as a multiple of the C program's. */
  readonly c: number | undefined;
  /** CPU time as a multiple of that of the fastest JavaScript library besides busbar. */
  readonly javascript: number | undefined;
}

export function compare(cells: ReadonlyMap<string, Cell>, peers: readonly PreparedPeer[], id: string): Ratios {
  const own = cpuOf(cells, id);
  const c = cpuOf(cells, reference);
  const others = peers.filter((peer) => peer.language === 'JavaScript' && !peer.id.startsWith('busbar'));
  const best = Math.min(...others.map((peer) => cpuOf(cells, peer.id) ?? Infinity));
  return {
    c: own === undefined || c === undefined ? undefined : own / c,
    javascript: own === undefined || best === Infinity ? undefined : own / best,
  };
}

function cpuOf(cells: ReadonlyMap<string, Cell>, id: string): number | undefined {
  const cell = cells.get(id);
  return isOutcome(cell) ? cell.cpu : undefined;
}
