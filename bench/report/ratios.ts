/** How a peer stands to the two that matter: C over sd-bus, and the best of the other JavaScript libraries. */
import { reference } from '../peers.js';
import { type Quantity, quantityOf } from '../quantities.js';
import type { MeasuredPeer, WorkloadResults } from '../results.js';

export interface Ratios {
  /** As a multiple of the C program's. */
  readonly c: number | undefined;
  /** As a multiple of that of the best JavaScript library besides busbar. */
  readonly javascript: number | undefined;
}

export function ratiosOf(
  { cells }: WorkloadResults,
  peers: readonly MeasuredPeer[],
  id: string,
  quantity: Quantity,
): Ratios {
  const own = quantityOf(cells[id], quantity);
  const others = peers.filter((peer) => peer.language === 'JavaScript' && !peer.id.startsWith('busbar'));
  const best = Math.min(...others.map((peer) => quantityOf(cells[peer.id], quantity) ?? Infinity));
  return { c: ratio(own, quantityOf(cells[reference], quantity)), javascript: ratio(own, best) };
}

function ratio(own: number | undefined, other: number | undefined): number | undefined {
  return own === undefined || other === undefined || other === Infinity ? undefined : own / other;
}
