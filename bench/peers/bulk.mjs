/** The workloads with much of one thing. Like those of `client.mjs`, each returns a function that does N operations. */
import { NAME, PATH } from './names.mjs';

const parts = { ascii: 'a text of ascii ', greek: 'ελληνικά' };

/** @type {Record<string, (peer: import('./peer.mjs').Peer, parameters: URLSearchParams) => Promise<(operations: number) => Promise<object | void>>>} */
export const bulk = { bytes, text, queue, unsubscribe };

async function bytes(peer, parameters) {
  const sent = Buffer.alloc(Number(parameters.get('size')), 0x5a);
  return echoed(await peer.echoBytes(NAME, PATH), sent);
}

async function text(peer, parameters) {
  const part = parts[parameters.get('text')];
  const sent = part.repeat(Math.floor(Number(parameters.get('size')) / Buffer.byteLength(part)));
  return echoed(await peer.echo(NAME, PATH), sent);
}

function echoed(echo, sent) {
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const { length } = await echo(sent);
      if (length !== sent.length) throw new Error(`${length} of ${sent.length} came back`);
    }
  };
}

/** Only taking the signals from the queue is measured. */
async function queue(peer) {
  return async (operations) => {
    let done;
    const finished = new Promise((resolve) => {
      done = resolve;
    });
    const watcher = await peer.watcher(NAME, PATH, operations, done);
    peer.send(NAME, 'Emit', 'u', operations);
    await finished;
    const result = await measured(async () => {
      for (let i = 0; i < operations; i++) await watcher.next();
    });
    watcher.end();
    return result;
  };
}

/** Only ending is measured: of subscriptions in the middle of all others. */
async function unsubscribe(peer, parameters) {
  const count = Number(parameters.get('listeners')) / 2;
  const subscribe = await peer.subscriber(NAME, PATH);
  const add = (number) => Array.from({ length: number }, subscribe);
  return async (operations) => {
    const before = add(count);
    const ended = add(operations);
    const after = add(count);
    await peer.ping();
    const result = await measured(async () => {
      for (const end of ended) end();
    });
    for (const end of [...before, ...after]) end();
    await peer.ping();
    return result;
  };
}

/** The processor time and the time of a part of the operations, in place of those of the whole. */
async function measured(run) {
  const start = process.cpuUsage();
  const startWall = performance.now();
  await run();
  const { user, system } = process.cpuUsage(start);
  return { cpu: user + system, wall: (performance.now() - startWall) * 1000 };
}
