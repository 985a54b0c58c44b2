/**
 * A program of a library in JavaScript: `node harness.mjs PEER FOLDER ADDRESS WORKLOAD name=value…`, where PEER is a file
 * beside this one and FOLDER has the library. The protocol is that of harness.h: `ready`, then a line of JSON for each `go
 * N`.
 */
import { createInterface } from 'node:readline';
import { workloads } from './client.mjs';
import { libraryIn } from './library.mjs';
import { NAME, PATH } from './names.mjs';

const [peer, folder, address, workload, ...rest] = process.argv.slice(2);
const parameters = new URLSearchParams(rest.join('&'));

/** Operations of the portions in which the heap is measured. */
const SMALL = 100;
const LARGE = 600;

/** @type {{ peerOf: import('./peer.mjs').PeerOf }} */
const { peerOf } = await import(peer);
const library = peerOf(await libraryIn(folder));

if (workload === 'service' && parameters.has('peer')) await listen();
else await runWorkload(await library.connect(address, parameters));

async function runWorkload(peer) {
  if (workload === 'cold') await callOnce(peer);
  else if (workload === 'service') await serve(peer);
  else await answer(await workloads[workload](peer, parameters));
}

/** A process that makes one call: its usage since it was started. */
async function callOnce(peer) {
  const echo = await peer.echo(NAME, PATH);
  await echo('the first call');
  console.log(JSON.stringify({ operations: 1, cpu: cpu(), wall: 0 }));
  process.exit();
}

async function listen() {
  await library.listen(address, cpu, parameters);
  console.log('ready');
}

async function serve(peer) {
  const objects = Number(parameters.get('objects') ?? 0);
  const paths = [PATH, ...Array.from({ length: objects }, (_, i) => `${PATH}/${i}`)];
  await peer.serve(parameters.get('name'), paths, cpu);
  console.log('ready');
}

async function answer(operate) {
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [, operations] = /^go (\d+)$/.exec(line) ?? [];
    if (operations === undefined) break;
    const measure = global.gc === undefined ? measureTime : measureHeap;
    console.log(JSON.stringify(await measure(Number(operations), operate)));
  }
  process.exit();
}

async function measureTime(operations, operate) {
  const startCpu = cpu();
  const startWall = performance.now();
  const more = await operate(operations);
  const wall = (performance.now() - startWall) * 1000;
  return { operations, cpu: cpu() - startCpu, wall, ...more };
}

/** User and system time of this process with all its threads, in microseconds. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * The heap memory that an operation allocates, and that it leaves behind. It is measured in portions, each on a heap that
 * was collected just before, and so small that nothing is collected meanwhile. Portions have two sizes, and the difference
 * belongs to their operations alone.
 */
async function measureHeap(operations, operate) {
  const start = settled();
  let allocated = 0;
  let counted = 0;
  for (let done = 0; done < operations; done += SMALL + LARGE) {
    allocated -= await allocatedBy(SMALL, operate);
    allocated += await allocatedBy(LARGE, operate);
    counted += LARGE - SMALL;
  }
  await new Promise(setImmediate);
  const retained = settled() - start;
  return { operations, cpu: 0, wall: 0, allocated: allocated / counted, retained: retained / operations };
}

async function allocatedBy(operations, operate) {
  const before = settled();
  await operate(operations);
  return used() - before;
}

function settled() {
  global.gc();
  global.gc();
  return used();
}

function used() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
