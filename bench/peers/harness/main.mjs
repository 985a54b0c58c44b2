/**
 * A program of a library in JavaScript: `node main.mjs PEER ADDRESS WORKLOAD name=value…`. The protocol is the one of
 * harness.h: `ready`, then a line of JSON for each `go N`.
 */
import { createInterface } from 'node:readline';
import { workloads } from './client.mjs';
import { measureHeap } from './heap.mjs';
import { NAME, PATH } from './names.mjs';

const [folder, address, workload, ...rest] = process.argv.slice(2);
const parameters = new URLSearchParams(rest.join('&'));

/** @type {{ connect: import('./peer.mjs').Connect, listen?: import('./peer.mjs').Listen }} */
const library = await import(`../${folder}/peer.mjs`);

if (workload === 'service' && parameters.has('peer')) await listen();
else await take(await library.connect(address, parameters));

async function take(peer) {
  if (workload === 'cold') await callOnce(peer);
  else if (workload === 'service') await serve(peer);
  else await answer(await workloads[workload](peer, parameters));
}

/** A process that does one thing in its life: what it has used since it was started. */
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
