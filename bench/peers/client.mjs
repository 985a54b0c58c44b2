/**
 * The workloads of a client, the same for every library in JavaScript. Each returns a function that does N operations;
 * everything before that is preparation, and not measured.
 */
import { bulk } from './bulk.mjs';
import { flooded } from './flooded.mjs';
import { live } from './live.mjs';
import { MATCH_RULE, NAME, PATH } from './names.mjs';

/** Texts to send: many different ones, so that no peer benefits from a cache of one. */
const texts = Array.from({ length: 1000 }, (_, i) => `a text to echo, ${i}`);
/** Signals are emitted in bursts: after each, a program waits until they have arrived at the bus. */
const BURST = 1000;

/** @type {Record<string, (peer: import('./peer.mjs').Peer, parameters: URLSearchParams) => Promise<(operations: number) => Promise<object | void>>>} */
export const workloads = { calls, objects, signals, unmatched, emit, announce, assign, ...bulk, ...live };

async function calls(peer, parameters) {
  const window = Number(parameters.get('window') ?? 1);
  // Between peers there are no names.
  const destination = parameters.has('peer') ? undefined : NAME;
  const names = Number(parameters.get('names') ?? 0);
  // By other names of the service, or for other paths.
  const echoes = await Promise.all(
    names > 0
      ? Array.from({ length: names }, (_, i) => peer.echo(`${NAME}.N${i}`, PATH))
      : pathsOf(parameters.get('proxies')).map((path) => peer.echo(destination, path)),
  );
  for (let i = Number(parameters.get('pending') ?? 0); i > 0; i--) peer.send(destination, 'Hold', 's', 'held');
  await echoes[0]('everything before has arrived');
  return async (operations) => {
    let next = 0;
    const lane = async () => {
      while (next < operations) {
        const i = next++;
        await echoes[i % echoes.length](texts[i % texts.length]);
      }
    };
    await Promise.all(Array.from({ length: Math.min(window, operations) }, lane));
  };
}

async function objects(peer) {
  const managedObjects = await peer.managedObjects(NAME);
  return async (operations) => {
    for (let i = 0; i < operations; i++) if ((await managedObjects()) === 0) throw new Error('there are no objects');
  };
}

async function signals(peer, parameters) {
  let received = 0;
  const others = pathsOf(parameters.get('subscriptions')).slice(1);
  await Promise.all(others.map((path) => peer.onPropertiesChanged(NAME, path, () => {})));
  await peer.onPropertiesChanged(NAME, parameters.get('path') ?? PATH, (_name, changed) => {
    if (changed !== undefined) received++;
  });
  const flood = await flooded(peer, parameters);
  return async (operations) => {
    received = 0;
    const lateness = await flood(operations);
    if (received !== operations) throw new Error(`${received} of ${operations} signals arrived`);
    return lateness;
  };
}

/** The bus sends signals to which nothing here listens. */
async function unmatched(peer, parameters) {
  await peer.addMatch(MATCH_RULE);
  return flooded(peer, parameters);
}

async function emit(peer) {
  const changed = await peer.emitter();
  return async (operations) => {
    for (let i = 0; i < operations; ) {
      const end = Math.min(i + BURST, operations);
      for (; i < end; i++) changed((i % 100) - 100);
      await peer.ping();
    }
  };
}

/** PropertiesChanged emitted as a message, one in each turn. */
async function announce(peer) {
  return oncePerTurn(peer, await peer.announcer());
}

/** The same by assigning a property of an exported object. */
async function assign(peer) {
  return oncePerTurn(peer, await peer.assigner());
}

function oncePerTurn(peer, change) {
  let value = 0;
  return async (operations) => {
    for (let i = 0; i < operations; ) {
      const end = Math.min(i + BURST, operations);
      for (; i < end; i++) {
        change(value++);
        await undefined;
      }
      await peer.ping();
    }
  };
}

/** The bench's own path, and paths below it up to the number. */
function pathsOf(number) {
  return [PATH, ...Array.from({ length: Number(number ?? 1) - 1 }, (_, i) => `${PATH}/${i}`)];
}
