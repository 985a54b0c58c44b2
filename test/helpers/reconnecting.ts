/** Buses that reconnect, and the events of their connections. */
import type { ConnectOptions, MessageBus, Restored } from '../../src/index.js';
import { connect } from '../../src/index.js';
import type { PrivateBus } from './private-bus.js';
import { until } from './until.js';

/** Short delays: the daemon of a test is soon back. */
export const QUICK = { minDelay: 5, maxDelay: 50 };

export function connectAgain(daemon: { readonly address: string }, options: ConnectOptions = {}): Promise<MessageBus> {
  return connect({ address: daemon.address, reconnect: QUICK, ...options });
}

/** Resolves when the present loss, or the next one, is over. */
export function restoredOf(bus: MessageBus): Promise<Restored> {
  return new Promise((resolve) => {
    const watch = bus.watchConnection({
      restored(connection) {
        watch.end();
        resolve(connection);
      },
    });
  });
}

/** Kills the daemon, and resolves when the buses have no connection. */
export async function lose(daemon: PrivateBus, ...buses: readonly MessageBus[]): Promise<void> {
  await daemon.kill();
  await until(() => buses.every(({ state }) => state === 'away'));
}

/** Starts the daemon again, and resolves when all that the buses have declared works. */
export async function bringBack(daemon: PrivateBus, ...buses: readonly MessageBus[]): Promise<void> {
  const restored = buses.map(restoredOf);
  // Buses without declarations do not keep this process alive.
  const alive = setInterval(() => {}, 1000);
  try {
    await daemon.restart();
    await Promise.all(restored);
  } finally {
    clearInterval(alive);
  }
}

/** What a bus holds now. Its traffic is left out. */
export function held(bus: MessageBus) {
  const { matchRules, subscriptions, calledNames, ownedNames, pendingCalls, queuedBytes, exportedObjects } =
    bus.stats();
  const { callsInProgress, followedCallers } = bus.stats();
  return {
    matchRules,
    subscriptions,
    calledNames,
    ownedNames,
    pendingCalls,
    queuedBytes,
    exportedObjects,
    callsInProgress,
    followedCallers,
  };
}
