/**
 * Measures one task with one codec: `node measure.mjs CODEC TASK REFERENCE`. Prints microseconds, or nothing if it cannot.
 * The reference is the codec that writes what is decoded.
 */
import { tasks } from './tasks.mjs';

/** Milliseconds for the compilers to settle, and for measuring. */
const WARM_UP = 300;
const MEASURE = 300;
const BATCHES = 15;

const [file, id, referenceFile] = process.argv.slice(2);
const { codec } = await import(file);
const { codec: reference } = await import(referenceFile);
const once = tasks.find((task) => task.id === id)?.prepare(codec, reference);
if (once !== undefined) {
  const perMillisecond = repeat(once, WARM_UP) / WARM_UP;
  const batch = Math.max(1, Math.round((perMillisecond * MEASURE) / BATCHES));
  const times = Array.from({ length: BATCHES }, () => timeOf(once, batch));
  // The median: in one batch or another, somebody else had the processor.
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
