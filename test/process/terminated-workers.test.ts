// time limit: 120 s
// Workers that are terminated at any moment of a connection, with either poller: no crash, and no descriptor, thread,
// connection or socket file is left. `BUSBAR_WORKERS=1000` sets the number of workers of each poller; the default is 20.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type PollerKind } from '../../src/index.js';
import { pollerKind } from '../../src/native/runtime.js';
import { onExit } from '../helpers/exit-cleanup.js';
import { fdsLeakedByWorker, missingInRuntime, moduleArguments } from '../helpers/own-runtime.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { bundleLibrary } from './worker-library.js';

const COUNT = Number(process.env.BUSBAR_WORKERS ?? 20);
const AT_ONCE = 5;

const daemon = await PrivateBus.start();
const bus = await connect({ address: daemon.address });
const library = await bundleLibrary();
/** The paths on which workers listen, which are removed with the worker. */
const folder = mkdtempSync(join(tmpdir(), 'busbar-terminated-'));
onExit(() => rmSync(folder, { recursive: true, force: true }));
const test = suite('terminated workers');

test.after(async () => {
  await bus.close();
  await daemon.stop();
});

/** What workers do until they are terminated; each posts `there` at its moment. */
const moments: Readonly<Record<string, string>> = {
  connecting: `parentPort.postMessage('there'); for (;;) await (await connect(options)).close();`,
  'within the end of a connection': `
    const { subscribe } = await import('node:diagnostics_channel');
    const bus = await connect(options);
    subscribe('busbar:connection', ({ state }) => {
      if (state !== 'closed') return;
      parentPort.postMessage('there');
      for (;;);
    });
    await bus.close();`,
  'with pending calls': `
    const buses = await Promise.all([1, 2, 3].map(() => connect(options)));
    for (const bus of buses) {
      bus.export('/', implement(Silent, { Never: () => new Promise(() => {}) }));
      for (let i = 0; i < 20; i++) bus.proxy(Silent, bus.uniqueName, '/').call.Never().catch(() => {});
    }
    await Promise.all(buses.map((bus) => bus.listNames()));
    parentPort.postMessage('there');`,
  'with subscriptions': `
    const bus = await connect(options);
    for (let i = 0; i < 20; i++) bus.subscribe({ member: 'Member' + i }, () => {});
    bus.watchName('org.example.Nobody', {});
    await bus.listNames();
    parentPort.postMessage('there');`,
  'while receiving': `
    const bus = await connect(options);
    let heard = 0;
    await bus.subscribe({ interface: 'org.example.Flood' }, () => { if (++heard === 50) parentPort.postMessage('there'); }).ready;
    for (;;) {
      for (let i = 0; i < 50; i++) bus.emit({ path: '/', interface: 'org.example.Flood', member: 'Drop', signature: 's', body: ['x'] });
      await bus.listNames();
    }`,
  'while listening': `
    const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection: () => {}, poller: options.poller });
    for (let i = 0; i < 3; i++) await connect({ address: server.address, peer: true, poller: options.poller });
    parentPort.postMessage('there');`,
};

function start(moment: string, poller: PollerKind): Worker {
  const source = `
    import { parentPort } from 'node:worker_threads';
    const { connect, defineInterface, implement, listen } = await import(${JSON.stringify(library)});
    const options = { address: ${JSON.stringify(daemon.address)}, poller: '${poller}' };
    const Silent = defineInterface('org.example.Silent', { methods: { Never: {} } });
    ${moments[moment]}`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
}

async function live(index: number, poller: PollerKind): Promise<void> {
  const names = Object.keys(moments);
  const worker = start(names[index % names.length] as string, poller);
  worker.on('error', (error) => assert.unreachable(`${names[index % names.length]}: ${error.stack}`));
  await once(worker, 'message');
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
  await worker.terminate();
}

/** Open descriptors, by their targets: a number alone would not show what leaked. */
function openFds(): readonly string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/, '');
    } catch {
      // It was open only while the folder was read.
      return 'gone';
    }
  });
  return targets.sort();
}

function pollThreads(): number {
  const names = readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim();
    } catch {
      // It ended while the folder was read.
      return '';
    }
  });
  return names.filter((name) => name === 'busbar-poll').length;
}

async function connections(): Promise<number> {
  return (await bus.listNames()).filter((name) => name.startsWith(':')).length;
}

/** The state besides the workers, once the terminated ones have ended completely. */
async function settled(): Promise<{ fds: readonly string[]; threads: number; connections: number }> {
  let last: Awaited<ReturnType<typeof settled>> = { fds: [], threads: 0, connections: 0 };
  for (let steady = 0; steady < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = { fds: openFds(), threads: pollThreads(), connections: await connections() };
    steady = JSON.stringify(now) === JSON.stringify(last) ? steady + 1 : 0;
    last = now;
  }
  return last;
}

const pollers: readonly PollerKind[] = process.versions.bun || process.versions.deno ? ['thread'] : ['uv', 'thread'];

for (const poller of pollers) {
  test(`${COUNT} workers with the poller ${poller} are terminated at every moment of a connection`, async () => {
    await Promise.all(Object.keys(moments).map((_, index) => live(index, poller)));
    const before = await settled();
    assert.is(before.threads, pollerKind() === 'thread' ? 1 : 0);
    for (let done = 0; done < COUNT; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => live(done + i, poller)));
    }
    const after = await settled();
    assert.equal(readdirSync(folder), []);
    assert.is(after.threads, before.threads);
    assert.is(after.connections, before.connections);
    const leaked = fdsLeakedByWorker * COUNT;
    const what = `${after.fds.join(' ')} are open, and ${before.fds.join(' ')} were`;
    assert.ok(after.fds.length <= before.fds.length + leaked, what);
  });
}

/** A process whose worker ends while it takes a peer, which is when the new connection is announced. */
const endsWhileTaking = `
  import { once } from 'node:events';
  import { Worker } from 'node:worker_threads';
  const source = ${JSON.stringify(`
    import { subscribe } from 'node:diagnostics_channel';
    const { connect, listen } = await import(${JSON.stringify(library)});
    const server = await listen({ address: 'unix:tmpdir=${folder}' });
    subscribe('busbar:connection', ({ state, address }) => {
      if (state === 'connecting' && address === '') process.exit();
    });
    await connect({ address: server.address, peer: true });`)};
  await once(new Worker(new URL('data:text/javascript,' + encodeURIComponent(source))), 'exit');`;

testUnless(
  missingPrograms('strace') ?? missingInRuntime({ bun: 'seen with Node.js only', deno: 'seen with Node.js only' }),
  test,
  'a worker that ends while it takes a peer closes the socket once: another file may have the number by then',
  async () => {
    const trace = join(folder, 'system-calls');
    const args = [
      '-f',
      '-e',
      'trace=accept4,close',
      '-o',
      trace,
      process.execPath,
      ...moduleArguments(endsWhileTaking),
    ];
    // Under LeakSanitizer: it cannot inspect a process that strace traces.
    const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` };
    const { code, stderr } = await run('strace', args, { env });
    assert.is(code, 0, stderr);
    const calls = readFileSync(trace, 'utf8');
    assert.match(calls, /accept4\(.*\) = \d+$/m);
    assert.equal(calls.match(/close\(\d+\) += -1.*/g), null);
  },
);

test.run();
