// Where a server of peers listens, how its connections are taken, and how it ends.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  InvalidArgumentError,
  ListenError,
  type ListenOptions,
  listen,
  type MessageBus,
  type PeerServer,
} from '../../src/index.js';
import { libraryEntry, moduleArguments, workerPreamble } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { Program, run } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('peer servers');

const own = () => mkdtempSync(join(folder, 'own-'));

/** Listens, has a client call, and returns the address of the call. */
async function addressThatWorks(options: ListenOptions): Promise<string> {
  await using server = await listen({ ...options, onConnection: (bus) => bus.export(PATH, exampleObject()) });
  await using client = await connect({
    address: server.address,
    peer: true,
    anonymous: options.anonymous,
    timeout: 2000 * patience,
  });
  assert.is(await client.proxy(Example, PATH).call.Echo('hello'), 'hello');
  return server.address;
}

test('a server listens on a path, and removes the socket', async () => {
  const path = join(own(), 'a socket, with odd characters');
  const address = await addressThatWorks({ address: `unix:path=${path.replace(/[ ,]/g, escape)}` });
  assert.match(address, /^unix:path=\/.*\/a%20socket%2c%20with%20odd%20characters,guid=[0-9a-f]{32}$/);
  assert.is(existsSync(path), false);
});

test('a server chooses a name in a folder', async () => {
  for (const key of ['dir', 'tmpdir']) {
    const parent = own();
    const address = await addressThatWorks({ address: `unix:${key}=${parent}` });
    assert.match(address, new RegExp(`^unix:path=${parent}/dbus-[0-9a-f]+,guid=[0-9a-f]{32}$`));
    assert.equal(readdirSync(parent), []);
  }
});

test('a server listens on an abstract name', async () => {
  const name = `busbar-${process.pid}`;
  const address = await addressThatWorks({ address: `unix:abstract=${name}` });
  assert.match(address, new RegExp(`^unix:abstract=${name},guid=`));
});

test('a server listens in the runtime folder', async () => {
  const before = process.env.XDG_RUNTIME_DIR;
  try {
    process.env.XDG_RUNTIME_DIR = own();
    const address = await addressThatWorks({ address: 'unix:runtime=yes' });
    assert.ok(address.startsWith(`unix:path=${process.env.XDG_RUNTIME_DIR}/bus,guid=`));
    delete process.env.XDG_RUNTIME_DIR;
    assert.match(await failure('unix:runtime=yes'), 'XDG_RUNTIME_DIR is not set');
  } finally {
    if (before !== undefined) process.env.XDG_RUNTIME_DIR = before;
  }
});

test('a server listens on a free TCP port, for anonymous peers', async () => {
  const port = /^tcp:host=127\.0\.0\.1,port=([1-9][0-9]*),guid=/;
  assert.match(await addressThatWorks({ address: 'tcp:host=127.0.0.1,port=0', anonymous: true }), port);
  assert.match(await addressThatWorks({ address: 'tcp:host=127.0.0.1,bind=*', anonymous: true }), port);
  const named = await addressThatWorks({ address: 'tcp:family=ipv4', anonymous: true });
  assert.match(named, /^tcp:host=localhost,port=[0-9]+,family=ipv4,guid=/);
});

test('a server listens on the first usable address of a list', async () => {
  const path = join(own(), 'second');
  const address = await addressThatWorks({ address: `unix:path=/nonexistent/socket;unix:path=${path}` });
  assert.ok(address.startsWith(`unix:path=${path},`));
});

async function failure(address: string): Promise<string> {
  const error = await rejection(listen({ address }));
  assert.instance(error, ListenError);
  return error.message;
}

test('the error for an unusable address has the reason', async () => {
  assert.match(await failure('unix:path=/nonexistent/socket'), /ENOENT.*the folder does not exist/);
  assert.match(await failure('unix:'), 'exactly one of path, abstract');
  assert.match(await failure(`unix:path=/${'x'.repeat(120)}`), 'at most 107');
  assert.match(await failure('unixexec:path=/bin/true'), 'cannot listen on the transport');
  assert.match(
    await failure('tcp:host=localhost,port=0'),
    'clients cannot be verified over TCP: set `anonymous: true`',
  );
  assert.instance(await rejection(listen({ address: 'nonsense' })), InvalidArgumentError);
  const options = { address: `unix:tmpdir=${folder}`, limits: { unauthenticated: 0 } };
  assert.instance(await rejection(listen(options)), InvalidArgumentError);
});

/** Leaves a socket at a path as a killed server does, and optionally has another server listen there. */
async function leaveStale(path: string): Promise<void> {
  const other = createServer().listen(path);
  await new Promise((resolve) => other.once('listening', resolve));
  const kept = `${path}.kept`;
  renameSync(path, kept);
  other.close();
  renameSync(kept, path);
}

test('a socket with a server is left alone, and a socket without one is replaced', async () => {
  const path = join(own(), 'socket');
  const other = createServer().listen(path);
  await new Promise((resolve) => other.once('listening', resolve));
  assert.match(await failure(`unix:path=${path}`), /EADDRINUSE.*another server listens there/);
  other.close();
  await leaveStale(path);
  await addressThatWorks({ address: `unix:path=${path}` });
  assert.equal(readdirSync(dirname(path)), []);
});

test('a file that is not a socket is never removed', async () => {
  const parent = own();
  const path = join(parent, 'socket');
  for (const [what, make] of [
    ['a regular file', () => writeFileSync(path, 'kept')],
    ['a folder', () => mkdirSync(path)],
    ['a symbolic link', () => symlinkSync('/nonexistent', path)],
    ['a file that is not a socket', () => void spawnSync('mkfifo', [path])],
  ] as const) {
    make();
    const { ino } = lstatSync(path);
    assert.match(await failure(`unix:path=${path}`), `${what} exists there: choose another path`);
    assert.is(lstatSync(path).ino, ino);
    rmSync(path, { recursive: true });
  }
  // The target of a symbolic link is not removed either.
  await leaveStale(join(parent, 'real'));
  symlinkSync('real', path);
  assert.match(await failure(`unix:path=${path}`), 'a symbolic link exists there');
  assert.equal(readdirSync(parent).sort(), ['real', 'socket']);
});

test('of many servers that start at the path of a killed one, exactly one listens, and clients reach it', async () => {
  for (let round = 0; round < 5; round++) {
    const path = join(own(), 'socket');
    await leaveStale(path);
    const onConnection = (bus: MessageBus) => bus.export(PATH, exampleObject());
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => listen({ address: `unix:path=${path}`, onConnection })),
    );
    const servers = attempts.filter(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<PeerServer>[];
    assert.is(servers.length, 1);
    const client = await connect({ address: `unix:path=${path}`, peer: true });
    assert.is(await client.proxy(Example, PATH).call.Echo('hello'), 'hello');
    await client.close();
    await servers[0]?.value.close();
    assert.equal(readdirSync(dirname(path)), []);
  }
});

test('a server does not remove the socket of another server, even if it has the same inode number', async () => {
  const path = join(own(), 'socket');
  const server = await listen({ address: `unix:path=${path}`, onConnection: () => {} });
  // File systems reuse the inode number of a removed file.
  rmSync(path);
  const other = createServer().listen(path);
  await new Promise((resolve) => other.once('listening', resolve));
  await server.close();
  assert.is(existsSync(path), true);
  other.close();
});

test('the socket is removed when a process exits or ends by a signal, and a killed one does not hinder the next', async () => {
  const path = join(own(), 'socket');
  const serving = (then: string) => `
    import { listen } from ${JSON.stringify(libraryEntry)};
    const server = await listen({ address: 'unix:path=${path}', onConnection: () => {} });
    console.log('listening');
    ${then}
  `;
  for (const [code, then] of [
    [3, 'process.exit(3);'],
    [0, 'server.unref();'],
    [1, `setTimeout(() => { throw new Error('as it happens') });`],
  ] as const) {
    const result = await run(process.execPath, moduleArguments(serving(then)));
    assert.is(result.code, code, result.stderr);
    assert.is(existsSync(path), false, then);
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    const program = Program.start(process.execPath, moduleArguments(serving('')));
    await program.line('listening');
    program.kill(signal);
    // It ends as it would without a server.
    assert.is((await program.finished).signal, signal);
    assert.is(existsSync(path), true);
    await addressThatWorks({ address: `unix:path=${path}` });
  }
});

test('a relative path stays the same place if the program changes its folder', async () => {
  const parent = own();
  const script = `
    import { existsSync } from 'node:fs';
    import { connect, listen } from ${JSON.stringify(libraryEntry)};
    process.chdir(${JSON.stringify(parent)});
    const servers = [];
    for (const address of ['unix:path=socket', 'unix:dir=.', 'unix:path=./../${basename(parent)}/other']) {
      servers.push(await listen({ address, onConnection: () => {} }));
    }
    process.chdir('/');
    for (const server of servers) {
      const client = await connect({ address: server.address, peer: true });
      await client.close();
      await server.close();
    }
    console.log(servers.every((server) => server.address.startsWith('unix:path=${parent}/')));
  `;
  const { stdout, stderr } = await run(process.execPath, moduleArguments(script));
  assert.is(stdout, 'true\n', stderr);
  assert.equal(readdirSync(parent), []);
});

test('paths of sockets may have the length that the kernel accepts', async () => {
  const abstract = `busbar-${process.pid}-`.padEnd(107, 'x');
  await using server = await listen({ address: `unix:abstract=${abstract}`, onConnection: () => {} });
  const options = { address: server.address, peer: true } as const;
  const client = await connect({ ...options, transport: 'socket' });
  await client.close();
  assert.match(await failure(`unix:abstract=${abstract}x`), 'at most 107');
  const error = await rejection(connect({ ...options, transport: 'sd-bus' }));
  assert.match((error as Error).message, 'too long for sd-bus');
  const parent = own();
  const path = join(parent, 'x'.repeat(106 - parent.length));
  assert.is(path.length, 107);
  await addressThatWorks({ address: `unix:path=${path}`, transport: 'socket' });
});

test('a host that no client can connect to is refused', async () => {
  assert.match(await rejectionOf({ address: 'tcp:host=*', anonymous: true }), '"bind=*"');
  assert.match(await rejectionOf({ address: 'unix:dir=' }), '"dir" is empty');
});

async function rejectionOf(options: ListenOptions): Promise<string> {
  return ((await rejection(listen(options))) as Error).message;
}

test('a file that has replaced the socket is left alone', async () => {
  const path = join(own(), 'socket');
  const server = await listen({ address: `unix:path=${path}` });
  rmSync(path);
  writeFileSync(path, 'not ours');
  await server.close();
  assert.is(existsSync(path), true);
});

test('connections can be iterated, until the server closes', async () => {
  const server = await listen({ address: `unix:tmpdir=${folder}` });
  const taken: MessageBus[] = [];
  const loop = (async () => {
    for await (const bus of server) taken.push(bus);
  })();
  const clients = await Promise.all([1, 2, 3].map(() => connect({ address: server.address, peer: true })));
  await Promise.all(clients.map((client) => client.call(ping)));
  assert.is(taken.length, 3);
  assert.equal([...server.connections], taken);
  // Idle connections do not keep the process alive: without this timer it may end before their loss is detected.
  for (const client of clients) client.ref();
  await server.close();
  await loop;
  for (const client of clients) assert.instance(await client.disconnected, ConnectionClosedError);
});

const ping = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };

test('a waiting iterator does not get a client that has already left; the next iterator gets the next client', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  const [left, stays] = [server[Symbol.asyncIterator](), server[Symbol.asyncIterator]()];
  const first = left.next();
  const second = stays.next();
  await left.return?.();
  assert.equal(await first, { done: true, value: undefined });
  await using client = await connect({ address: server.address, peer: true });
  const { value } = await second;
  value?.export(PATH, exampleObject());
  assert.is(await client.proxy(Example, PATH).call.Echo('hello'), 'hello');
});

test('an unknown transport is refused before a client can connect', async () => {
  const address = `unix:tmpdir=${folder}`;
  assert.instance(await rejection(listen({ address, transport: 'bogus' as never })), InvalidArgumentError);
  assert.instance(await rejection(listen({ address, limits: { connections: '5' as never } })), InvalidArgumentError);
});

test('closing writes what was sent, and leaves connections open on request', async () => {
  const server = await listen({ address: `unix:tmpdir=${folder}` });
  const next = server[Symbol.asyncIterator]().next();
  const client = await connect({ address: server.address, peer: true });
  const { value: accepted } = await next;
  await server.close({ keepConnections: true });
  assert.instance(await rejection(connect({ address: server.address, peer: true })), ConnectError);
  await client.call(ping);
  const heard = new Promise((resolve) => client.subscribe({ member: 'Bye' }, resolve));
  accepted?.emit({ path: '/', interface: 'org.example.Peer', member: 'Bye' });
  await server.close();
  await heard;
  assert.instance(await client.disconnected, ConnectionClosedError);
  await server.close();
});

test('a connection that was not taken is closed with the server', async () => {
  const server = await listen({ address: `unix:tmpdir=${folder}` });
  const client = await connect({ address: server.address, peer: true });
  client.ref();
  await server.close({ keepConnections: true });
  assert.instance(await client.disconnected, ConnectionClosedError);
});

test('a handler of connections that fails is reported, and the connection stays open', async () => {
  const warnings: string[] = [];
  const listener = ({ message }: Error) => warnings.push(message);
  process.on('warning', listener);
  for (const fail of [() => Promise.reject(new Error('later')), () => assert.unreachable('at once')]) {
    await using server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: fail });
    await using client = await connect({ address: server.address, peer: true });
    await client.call(ping);
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listener);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] as string, 'later');
});

/** A program that listens, and runs `script`. */
function listening(script: string): Program {
  const preamble = `
    import { connect, listen } from ${JSON.stringify(libraryEntry)};
    const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection: () => {} });
    const client = await connect({ address: server.address, peer: true });
  `;
  return Program.start(process.execPath, moduleArguments(`${preamble}${script}; console.log('ready')`));
}

test('a server keeps its process alive, unless it is closed or unreferenced', async () => {
  const stays = ['', 'server.unref(); server.ref()'].map((script) => listening(script).staysAfter('ready'));
  const ends = ['await server.close()', 'server.unref()'].map((script) => listening(script).finished);
  assert.equal(await Promise.all(stays), [true, true]);
  for (const { code, stdout } of await Promise.all(ends)) assert.equal([code, stdout], [0, 'ready\n']);
});

test('a connection of a server keeps the process alive separately', async () => {
  const serving = (onConnection: string, then: string) =>
    Program.start(
      process.execPath,
      moduleArguments(`
        import { connect, listen, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
        const object = implement(defineInterface('org.example.Kept', { methods: { M: {} } }), { M() {} });
        const onConnection = (peer) => { ${onConnection} };
        const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection });
        const client = await connect({ address: server.address, peer: true });
        await client.call({ path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
        server.unref();
        ${then};
        console.log('ready');
      `),
    );
  const stays = [serving("peer.export('/', object)", ''), serving('', 'client.ref(); void client.disconnected')].map(
    (program) => program.staysAfter('ready'),
  );
  const ends = [
    serving('', ''),
    serving("peer.export('/', object); peer.unref()", ''),
    serving('', 'client.disconnected.then(() => console.log("never"))'),
  ].map((program) => program.finished);
  assert.equal(await Promise.all(stays), [true, true]);
  for (const { code, stdout } of await Promise.all(ends)) assert.equal([code, stdout], [0, 'ready\n']);
});

test('a worker that listens can be terminated', async () => {
  const inWorker = `
    import { parentPort } from 'node:worker_threads';
    ${workerPreamble}
    const { connect, listen } = await import(${JSON.stringify(libraryEntry)});
    const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection: () => {} });
    await connect({ address: server.address, peer: true });
    parentPort.postMessage('up');
  `;
  const script = `
    import { Worker } from 'node:worker_threads';
    const source = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(inWorker)}));
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(source);
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
    }
  `;
  const { code, stderr } = await run(process.execPath, moduleArguments(script));
  assert.is(code, 0, stderr);
});

test.run();
