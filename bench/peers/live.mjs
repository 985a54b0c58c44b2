/** The workloads of live views. Like those of `client.mjs`, each returns a function that does N operations. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { flooded } from './flooded.mjs';
import { NAME } from './names.mjs';

/** @type {Record<string, (peer: import('./peer.mjs').Peer, parameters: URLSearchParams) => Promise<(operations: number) => Promise<object | void>>>} */
export const live = { views, readViews, changes, kept };

async function views(peer) {
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const view = await peer.view(NAME);
      if (view.size === 0) throw new Error('there are no objects');
      view.end();
    }
  };
}

async function readViews(peer) {
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const view = await peer.view(NAME);
      if (view.read() !== view.size) throw new Error('objects have no values');
      view.end();
    }
  };
}

async function changes(peer, parameters) {
  let received = 0;
  const view = await peer.view(NAME);
  view.watch((rssi) => {
    if (rssi !== undefined) received++;
  });
  const flood = await flooded(peer, parameters);
  return async (operations) => {
    received = 0;
    const lateness = await flood(operations);
    if (received !== operations) throw new Error(`${received} of ${operations} changes arrived`);
    return lateness;
  };
}

/** The memory of a view for each object, when the values of all of them have been read. */
async function kept(peer) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const used = async () => {
    // What is left by promises and by the connection goes first.
    for (let times = 0; times < 4; times++) {
      await new Promise(setImmediate);
      collect();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  return async () => {
    const before = await used();
    const view = await peer.view(NAME);
    const { size } = view;
    if (view.read() !== size) throw new Error('objects have no values');
    const retained = ((await used()) - before) / size;
    view.end();
    return { retained };
  };
}
