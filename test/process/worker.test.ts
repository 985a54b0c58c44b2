// time limit: 120 s
// Worker threads: connections in several environments of one process, which end in several ways. No crash, nothing left
// open, and the bus has as many connections as before.
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, FileDescriptor, implement } from '../../src/index.js';
import { closeReceivedFd } from '../../src/native/descriptors.js';
import { openFds } from '../helpers/open-fds.js';
import { fdsLeakedByWorker, moduleArguments } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { type Finished, run } from '../helpers/program.js';
import { until } from '../helpers/until.js';
import { bundleLibrary } from './worker-library.js';

const daemon = await PrivateBus.start();
const bus = await connect({ address: daemon.address });
const test = suite('workers');

const Echo = defineInterface('org.example.Echo', {
  methods: { Echo: { in: 's', out: 's' }, Never: {} },
  signals: { Said: { args: 's' } },
});
bus.export('/echo', implement(Echo, { Echo: (text) => text, Never: () => new Promise(() => {}) }));
await bus.requestName('org.example.Echo');

test.after(async () => {
  await bus.close();
  await daemon.stop();
});

const library = await bundleLibrary();

/** The beginning of the script of every worker. */
const preamble = `
  import { parentPort } from 'node:worker_threads';
  const { connect, defineInterface, implement } = await import(${JSON.stringify(library)});
  const Echo = defineInterface('org.example.Echo', {
    methods: { Echo: { in: 's', out: 's' }, Never: {} },
    signals: { Said: { args: 's' } },
  });
  const address = ${JSON.stringify(daemon.address)};
`;

function worker(script: string): Worker {
  const source = `data:text/javascript,${encodeURIComponent(preamble + script)}`;
  return new Worker(new URL(source));
}

/** Runs a script in a separate process, with the same beginning. */
function program(script: string): Promise<Finished> {
  return run(process.execPath, moduleArguments(preamble + script), { timeLimit: 30_000 });
}

/** The number of connections of the bus, once it has noticed those that have ended. */
async function connections(): Promise<number> {
  const names = await bus.listNames();
  return names.filter((name) => name.startsWith(':')).length;
}

async function connectionsReturnTo(before: number): Promise<void> {
  const deadline = Date.now() + 5000;
  while ((await connections()) > before && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.is(await connections(), before);
}

test('a connection works in a worker as in the main thread, at the same time', async () => {
  const before = await connections();
  const thread = worker(`
    const bus = await connect({ address });
    bus.export('/worker', implement(Echo, { Echo: (text) => 'worker says ' + text, Never() {} }));
    parentPort.postMessage(bus.uniqueName);
    const proxy = bus.proxy(Echo, 'org.example.Echo', '/echo');
    let heard = 0;
    proxy.on.Said(() => heard++);
    for (let i = 0; i < 500; i++) await proxy.call.Echo('text ' + i);
    parentPort.postMessage('done');
    parentPort.once('message', () => bus.close());
  `);
  const [name] = (await once(thread, 'message')) as [string];
  const done = once(thread, 'message');
  const proxy = bus.proxy(Echo, name, '/worker');
  for (let i = 0; i < 500; i++) assert.is(await proxy.call.Echo(`${i}`), `worker says ${i}`);
  assert.equal(await done, ['done']);
  assert.is(await connections(), before + 1);
  thread.postMessage('end');
  assert.equal(await once(thread, 'exit'), [0]);
  await connectionsReturnTo(before);
});

test('a worker with an idle connection ends', async () => {
  const before = await connections();
  const thread = worker(`
    const bus = await connect({ address });
    await bus.listNames();
    parentPort.postMessage('done');
  `);
  assert.equal(await once(thread, 'exit'), [0]);
  await connectionsReturnTo(before);
});

test('a worker that exits with open connections, calls and subscriptions leaves nothing open', async () => {
  const leave = async () => {
    const thread = worker(`
      const buses = await Promise.all([1, 2, 3].map(() => connect({ address })));
      for (const bus of buses) {
        bus.export('/', implement(Echo, { Echo: (text) => text, Never() {} }));
        bus.subscribe({ member: 'Said' }, () => {});
        bus.proxy(Echo, 'org.example.Echo', '/echo').call.Never().catch(() => {});
      }
      await buses[0].listNames();
      process.exit(7);
    `);
    assert.equal(await once(thread, 'exit'), [7]);
  };
  await leave();
  const before = await connections();
  const fds = openFds().size;
  for (let i = 0; i < 5; i++) await leave();
  await connectionsReturnTo(before);
  // Deno reports the exit before it has cleaned up.
  const deadline = Date.now() + 2000;
  const allowed = fds + 5 * fdsLeakedByWorker;
  while (openFds().size > allowed && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(openFds().size <= allowed, 'no descriptor stays open');
});

test('a worker that throws while it is connected affects only itself', async () => {
  const before = await connections();
  const thread = worker(`
    const bus = await connect({ address });
    bus.subscribe({ member: 'Said' }, () => {});
    await bus.listNames();
    throw new Error('the worker fails');
  `);
  const [error] = (await once(thread, 'error')) as [Error];
  assert.is(error.message, 'the worker fails');
  await connectionsReturnTo(before);
  assert.is(bus.state, 'open');
});

test('a signal that a worker emits right before it exits is delivered', async () => {
  const heard: unknown[] = [];
  using subscription = bus.subscribe({ interface: 'org.example.Last' }, ({ body }) => void heard.push(body[0]));
  await subscription.ready;
  const thread = worker(`
    const bus = await connect({ address });
    for (let i = 0; i < 100; i++) {
      bus.emit({ path: '/', interface: 'org.example.Last', member: 'Word', signature: 'u', body: [i] });
    }
    process.exit(0);
  `);
  await once(thread, 'exit');
  await bus.listNames();
  const deadline = Date.now() + 2000;
  while (heard.length < 100 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(
    heard,
    Array.from({ length: 100 }, (_, i) => i),
  );
});

/** No other code of this process opens it. */
const FILE = '/dev/zero';

const Files = defineInterface('org.example.Files', { methods: { Open: { out: 'h' }, Pass: { in: 'h' } } });
bus.export('/files', implement(Files, { Open: () => FileDescriptor.adopt(openSync(FILE, 'r')).handOver(), Pass() {} }));

/** What workers do with descriptors that they receive. */
const receiving = `
  const Files = defineInterface('org.example.Files', { methods: { Open: { out: 'h' }, Pass: { in: 'h' } } });
  const bus = await connect({ address });
  const files = bus.proxy(Files, '${bus.uniqueName}', '/files').call;
`;

test('a worker closes, duplicates and passes on received descriptors without a warning', async () => {
  const { code, stderr } = await program(`
    const { Worker } = await import('node:worker_threads');
    const source = ${JSON.stringify(`${preamble}${receiving}
      process.on('warning', (warning) => parentPort.postMessage(warning.message));
      for (let i = 0; i < 3; i++) {
        const file = await files.Open();
        file.dup().close();
        await files.Pass(file);
        file.close();
        await files.Pass((await files.Open()).handOver());
      }
      await bus.close();
    `)};
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source)));
    worker.on('message', (text) => console.error(text));
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  `);
  assert.is(code, 0, stderr);
  assert.is(stderr, '');
});

test('descriptors of a terminated worker are closed, except those that it passed on', async () => {
  const hold = async () => {
    const thread = worker(`${receiving}
      const held = [];
      for (let i = 0; i < 10; i++) held.push(await files.Open());
      held.push(...held.map((file) => file.dup()));
      held.shift().close();
      const taken = held.shift().take();
      globalThis.held = held;
      parentPort.postMessage(taken);
    `);
    const [taken] = (await once(thread, 'message')) as [number];
    await thread.terminate();
    return taken;
  };
  const open = () => [...openFds()].filter((fd) => fd.endsWith(` ${FILE}`));
  const taken = [await hold(), await hold(), await hold()];
  // Deno reports the exit before it has cleaned up.
  await until(() => open().length <= taken.length);
  assert.equal(open().sort(), taken.map((fd) => `${fd} ${FILE}`).sort());
  for (const fd of taken) closeReceivedFd(fd);
  assert.equal(open(), []);
});

test('a process may exit within a handler', async () => {
  const before = await connections();
  for (const [where, code, script] of [
    ['a method', 11, `bus.export('/', implement(Echo, { Echo() { process.exit(11); }, Never() {} })); own.Echo('x');`],
    ['a listener', 12, `bus.subscribe({ member: 'Said' }, () => process.exit(12)); bus.emit(said);`],
    ['a message handler', 13, `bus.addMessageHandler(() => process.exit(13)); own.Never();`],
    ['the continuation of a call', 14, `await bus.listNames(); process.exit(14);`],
    ['a watcher of a name', 15, `bus.watchName('org.example.Echo', { appeared: () => process.exit(15) });`],
    ['a close', 16, `bus.close().then(() => process.exit(16));`],
  ] as const) {
    const result = await program(`
      const bus = await connect({ address });
      const own = bus.proxy(Echo, bus.uniqueName, '/').call;
      const said = { path: '/', interface: 'org.example.Echo', member: 'Said', signature: 's', body: ['x'] };
      ${script}
      await new Promise((resolve) => setTimeout(resolve, 20_000));
    `);
    assert.is(result.code, code, `${where}: ${result.signal} ${result.stderr}`);
    assert.is(result.stderr, '', where);
  }
  await connectionsReturnTo(before);
});

test('a process that exits while its workers are connected ends cleanly', async () => {
  const before = await connections();
  const { code, signal, stderr } = await program(`
    const { Worker } = await import('node:worker_threads');
    const source = ${JSON.stringify(`${preamble}
      const bus = await connect({ address });
      bus.subscribe({ member: 'Said' }, () => {});
      parentPort.postMessage('connected');
      for (;;) await bus.listNames();
    `)};
    const bus = await connect({ address });
    const workers = [1, 2, 3].map(() => new Worker(new URL('data:text/javascript,' + encodeURIComponent(source))));
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    process.exit(3);
  `);
  assert.is(code, 3, `${signal} ${stderr}`);
  await connectionsReturnTo(before);
});

test.run();
