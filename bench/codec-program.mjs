/**
 * Measures one task with one codec: `node codec-program.mjs TASK REFERENCE PEER FOLDER`. Prints microseconds, or nothing if
 * the codec cannot do the task. The reference is the codec that writes the bytes to decode; PEER is `copy`, or the file of
 * a peer whose library is in FOLDER.
 */
import { tasks } from './codec-tasks.mjs';
import { libraryIn } from './peers/library.mjs';

/** Milliseconds for the compilers to settle, and for measuring. */
const WARM_UP = 300;
const MEASURE = 300;
const BATCHES = 15;

const [id, referenceFile, peer, folder] = process.argv.slice(2);
const { codec: reference } = await import(referenceFile);
/**
 * Not a codec: the time to copy the bytes of an `ay` once, which no codec can avoid.
 *
 * @type {import('./peers/peer.mjs').Codec}
 */
const copy = {
  variant: (_signature, value) => value,
  dictionary: Object.fromEntries,
  encoder(signature, [bytes]) {
    if (signature !== 'ay') return undefined;
    const memory = new Uint8Array(bytes.length);
    return () => memory.set(bytes);
  },
  decoder(signature, body) {
    return signature === 'ay' ? () => Buffer.from(body.subarray(4)) : undefined;
  },
};

const codec = await codecOf();
const once = tasks.find((task) => task.id === id)?.prepare(codec, reference);
if (once !== undefined) {
  const perMillisecond = repeat(once, WARM_UP) / WARM_UP;
  const batch = Math.max(1, Math.round((perMillisecond * MEASURE) / BATCHES));
  const times = Array.from({ length: BATCHES }, () => timeOf(once, batch));
  // The median: in some batches, another program used the processor.
  console.log(times.sort((a, b) => a - b)[BATCHES >> 1]);
}

/** How often a function ran in a time. */
function repeat(run, milliseconds) {
  const end = performance.now() + milliseconds;
  let count = 0;
  for (; performance.now() < end; count++) run();
  return count;
}

function timeOf(run, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return ((performance.now() - start) * 1000) / count;
}

async function codecOf() {
  if (peer === undefined) return reference;
  if (peer === 'copy') return copy;
  const { codecOf: codecOfPeer } = await import(peer);
  return codecOfPeer(await libraryIn(folder), folder);
}
