/**
 * The programs of the measurement, for any runtime: `program.mjs receive ADDRESS` is measured, `program.mjs ask ADDRESS` is
 * a second peer of it, and `program.mjs flood|pipeline|signals ADDRESS CONNECTIONS` keep it busy.
 */
import { connect, defineInterface, implement, listen } from '../dist/index.js';

const [role, address, connections = '1'] = process.argv.slice(2);
const PATH = '/org/example/fair';
const NAME = 'org.example.Fair';
const message = { path: PATH, interface: NAME };
const Fair = defineInterface(NAME, { methods: { Work: {}, Ask: {} } });

/** Milliseconds of the measurement, of which the first are for compilers; and milliseconds between two ticks. */
const LENGTH = 2000;
const WARM_UP = 500;
const INTERVAL = 10;
/** Milliseconds that the listener takes for a signal. */
const WORK = 0.05;

/** @type {Record<string, () => Promise<void>>} */
const roles = { receive, ask, flood: () => send(flood), pipeline: () => send(pipeline), signals: () => send(signals) };
await roles[role]();

async function receive() {
  const object = implement(Fair, { Work() {}, Ask() {} });
  const onConnection = (peer) => void peer.export(PATH, object);
  const server = await listen({ address: 'unix:tmpdir=/tmp', onConnection });
  let received = 0;
  if (address !== '') {
    const bus = await connect({ address });
    await bus.subscribe({ interface: NAME, member: 'Worked' }, () => {
      received++;
      const end = performance.now() + WORK;
      while (performance.now() < end);
    });
  }
  console.log(`address ${server.address}`);
  process.stdin.once('data', () => setTimeout(() => measure(() => received), WARM_UP));
}

/**
 * Prints the number of ticks of a timer, the largest delay of a tick and of the last timeout, and the longest processor
 * time between two ticks, which does not depend on other processes.
 */
function measure(receivedNow) {
  const start = performance.now();
  const receivedBefore = receivedNow();
  let last = start;
  let ticks = 0;
  let latest = 0;
  let lastBusy = busyTime();
  let longest = 0;
  setInterval(() => {
    const busy = busyTime();
    longest = Math.max(longest, busy - lastBusy);
    lastBusy = busy;
    const now = performance.now();
    latest = Math.max(latest, now - last - INTERVAL);
    last = now;
    ticks++;
  }, INTERVAL);
  setTimeout(() => {
    const end = performance.now();
    latest = Math.max(latest, end - last - INTERVAL, end - start - LENGTH);
    console.log(JSON.stringify({ ticks, latest, longest, received: receivedNow() - receivedBefore }));
    process.exit();
  }, LENGTH);
}

/** The processor time of this process with all its threads, in milliseconds. */
function busyTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Prints the longest time of an answer, whenever it grows. */
async function ask() {
  const bus = await connect({ address, peer: true });
  const proxy = bus.proxy(Fair, undefined, PATH);
  await proxy.call.Ask();
  let slowest = 0;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    const start = performance.now();
    await proxy.call.Ask();
    const taken = performance.now() - start;
    if (taken > slowest) console.log(`slowest ${taken}`);
    slowest = Math.max(slowest, taken);
  }
}

async function send(loop) {
  const options = { address, peer: loop !== signals };
  const buses = await Promise.all(Array.from({ length: Number(connections) }, () => connect(options)));
  for (const bus of buses) loop(bus).catch(() => process.exit());
}

/** Calls of an unknown method that want no reply. */
async function flood(bus) {
  for (;;) {
    for (let i = 0; i < 2000; i++) bus.send({ ...message, member: 'Nope', type: 1, flags: 1 });
    await bus.flush();
  }
}

async function pipeline(bus) {
  const lane = async () => {
    for (;;) await bus.call({ ...message, member: 'Work', timeout: 60_000 });
  };
  await Promise.all(Array.from({ length: 256 }, lane));
}

async function signals(bus) {
  for (;;) {
    for (let i = 0; i < 200; i++) bus.emit({ ...message, member: 'Worked' });
    await bus.flush();
  }
}
