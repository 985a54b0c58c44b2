/** Two connected peers in one process, without an address, a server or a handshake. */
import { getSystemErrorName } from 'node:util';
import { LimitsExceededError } from './base/errors.js';
import { anyValue, KnownOptions } from './base/known-options.js';
import { oneOf } from './base/parameters.js';
import { type CompleteLimits, type ConnectionLimits, completeLimits, PEER_LIMITS } from './connection/limits.js';
import { CONNECT_TIMEOUT } from './connection/opening/open.js';
import { openStream } from './connection/opening/stream.js';
import { MessageBus } from './message-bus.js';
import type { PollerKind } from './native/binding.js';
import { loadAddon } from './native/load.js';
import { POLLERS } from './native/runtime.js';

/** What both ends of a pair have in common. */
export interface PairOptions {
  /** What waits for bytes. By default the environment variable `BUSBAR_POLLER` decides, and otherwise the runtime. */
  readonly poller?: PollerKind | undefined;
  /** How many resources of this process each end may use. Each limit has a default. */
  readonly limits?: ConnectionLimits | undefined;
}

/**
 * Makes two connected peers in this process: what one end sends, the other receives. It needs no bus, no address and no
 * authentication, so it suits tests. Each end is a `MessageBus` as {@link connect} makes it with `peer: true`, and closes
 * independently: the other end then sees a lost connection.
 *
 * @example
 * ```ts
 * const [left, right] = await pair();
 * right.export('/org/example/dbustest', new TestModule());
 * const module = left.proxy(TestModule, '/org/example/dbustest');
 * console.log(await module.call.TestMethod('vm', { disks: ['sda'] }));
 * ```
 * @throws (rejects) {@link LimitsExceededError} if the process has reached its limit of descriptors
 * @throws (rejects) {@link InvalidArgumentError} if an option is not valid
 */
export async function pair(options: PairOptions = {}): Promise<[MessageBus, MessageBus]> {
  pairOptions.check(options);
  const limits = completeLimits(options.limits, PEER_LIMITS);
  const fds = loadAddon().socketPair();
  if (typeof fds === 'number') {
    throw new LimitsExceededError(`no pair of sockets can be made (${getSystemErrorName(fds)})`);
  }
  const [left, right] = await Promise.all(fds.map((fd) => openEnd(fd, options, limits)));
  return [left as MessageBus, right as MessageBus];
}

async function openEnd(fd: number, { poller }: PairOptions, limits: CompleteLimits): Promise<MessageBus> {
  const stream = { fd, text: 'an end of a pair', origin: 'pair()', transport: 'adopted', parameters: new Map() };
  const options = { role: 'none', server: 'peer', timeout: CONNECT_TIMEOUT, poller, limits } as const;
  return new MessageBus(await openStream(stream, options), { peer: true });
}

const pairOptions = new KnownOptions<PairOptions>('pair()', { poller: oneOf(POLLERS), limits: anyValue });
