/**
 * Chooses the poller and the transport for this runtime, unless a connection asks for others.
 *
 * The poller is chosen here, before libuv is used: Bun ends the process on `uv_poll_init`, and Deno stalls or crashes
 * on the second event, so the addon cannot find out by trying. Worker threads have the poller of their runtime.
 */
import { InvalidArgumentError } from '../base/errors.js';
import type { PollerKind, TransportKind } from './binding.js';
import { environmentVariable } from './environment.js';

/** The pollers that a connection may ask for. */
export const POLLERS = ['uv', 'thread'] as const satisfies readonly PollerKind[];

/** The transports that a connection may ask for. */
export const TRANSPORTS = ['sd-bus', 'socket'] as const satisfies readonly TransportKind[];

/**
 * The poller for this runtime, or the one that `BUSBAR_POLLER` names.
 *
 * @throws {@link InvalidArgumentError} if `BUSBAR_POLLER` is neither `uv` nor `thread`
 */
export function pollerKind(): PollerKind {
  const forced = environmentVariable('BUSBAR_POLLER');
  if (forced !== undefined) return oneOf(POLLERS, forced, 'BUSBAR_POLLER');
  return process.versions.bun === undefined && process.versions.deno === undefined ? 'uv' : 'thread';
}

/**
 * The transport of connections that do not ask for one, or the one that `BUSBAR_TRANSPORT` names.
 *
 * @throws {@link InvalidArgumentError} if `BUSBAR_TRANSPORT` is neither `sd-bus` nor `socket`
 */
export function transportKind(): TransportKind {
  const forced = environmentVariable('BUSBAR_TRANSPORT');
  if (forced !== undefined) return oneOf(TRANSPORTS, forced, 'BUSBAR_TRANSPORT');
  return 'socket';
}

function oneOf<Kind extends string>(kinds: readonly Kind[], text: string, variable: string): Kind {
  const kind = kinds.find((candidate) => candidate === text);
  if (kind !== undefined) return kind;
  throw new InvalidArgumentError(
    `${variable}: expected ${kinds.join(' or ')}, got ${JSON.stringify(text.slice(0, 100))}`,
  );
}
