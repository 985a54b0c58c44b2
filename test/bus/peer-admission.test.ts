// Admission to a server of peers: by `allow`, by identity, by number, and by time.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  InvalidArgumentError,
  type ListenOptions,
  listen,
  type PeerServer,
  type Problem,
} from '../../src/index.js';
import { blockLoopBeforeTimers } from '../helpers/block-loop.js';
import { assertNoFdsLeft, fdsSince, openFds } from '../helpers/open-fds.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { canCall, serve } from '../helpers/peer-admission.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { run } from '../helpers/program.js';
import { BEGIN_EXTERNAL, RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';
import { wireMessage } from '../helpers/wire.js';

const test = suite('admission of peers');

test('only true is a permission', async () => {
  const warnings: string[] = [];
  const listener = ({ message }: Error) => warnings.push(message);
  process.on('warning', listener);
  const rejecting = async () => assert.unreachable('as always');
  const refusals = [async () => 1, () => 1, () => {}, () => null, rejecting, () => assert.unreachable('as always')];
  refusals.push(
    async () => false,
    async () => {},
    // biome-ignore lint/suspicious/noThenProperty: any thenable is awaited
    () => ({ then: (resolve: (n: unknown) => void) => resolve('true') }),
  );
  for (const allow of refusals as unknown[] as ListenOptions['allow'][]) {
    for (const anonymous of [false, true]) {
      await using server = await serve({ allow, anonymous });
      assert.is(await canCall(server, anonymous), false);
    }
  }
  for (const allow of [() => true, async () => true, () => new Promise<boolean>((go) => setTimeout(go, 50, true))]) {
    await using server = await serve({ allow });
    assert.is(await canCall(server), true);
  }
  process.off('warning', listener);
  // The two attempts that fail, each time.
  assert.equal(warnings.length, 4);
});

test('while allow decides, the client counts as authenticating, and its time runs', async () => {
  const before = openFds();
  let asked = 0;
  let decide: (isAllowed: boolean) => void = () => {};
  const allow = () => {
    asked++;
    return new Promise<boolean>((resolve) => {
      decide = resolve;
    });
  };
  await using server = await serve({ allow, limits: { unauthenticated: 1 }, authenticationTimeout: 4000 * patience });
  const [first, second] = [canCall(server, false, 30_000), canCall(server, false, 30_000)];
  while (asked === 0) await new Promise((go) => setTimeout(go, 5));
  const one = decide;
  await new Promise((go) => setTimeout(go, 50));
  assert.is(asked, 1, 'the second one waits');
  one(true);
  // allow is not called for the second client: it is rejected when its time is over.
  assert.equal([await first, await second].sort(), [false, true]);
  assert.is(asked, 2);
  decide(true);
  await new Promise((go) => setTimeout(go, 50));
  assert.is(server.connections.size, 0);
  await server.close();
  await assertNoFdsLeft(before);
});

test('a client that is accepted while the loop is blocked has time to authenticate afterwards', async () => {
  let isAsked = false;
  const allow = async () => {
    isAsked = true;
    await blockLoopBeforeTimers(1500 * patience);
    return true;
  };
  await using server = await serve({ allow, authenticationTimeout: 500 * patience });
  const client = await RawPeer.connect(server.address);
  await until(() => isAsked);
  // One line at a time, some rounds of the loop apart.
  for (const [line, answer] of [
    ['\0AUTH EXTERNAL\r\n', 'DATA'],
    ['DATA\r\n', 'OK'],
    ['NEGOTIATE_UNIX_FD\r\n', 'AGREE_UNIX_FD'],
    ['BEGIN\r\n', ''],
  ] as const) {
    await new Promise((go) => setTimeout(go, 10));
    client.write(line);
    await client.until(answer);
  }
  await until(() => server.connections.size === 1);
  client.close();
});

test('a server that is closed while allow decides, or by allow, accepts no client', async () => {
  const before = openFds();
  for (const later of [false, true]) {
    let server: PeerServer | undefined;
    const allow = () => {
      void server?.close();
      return later ? new Promise<boolean>((resolve) => setTimeout(resolve, 20, true)) : true;
    };
    let connections = 0;
    server = await serve({ allow, onConnection: () => connections++ });
    assert.instance(await rejection(connect({ address: server.address, peer: true })), ConnectError);
    await new Promise((go) => setTimeout(go, 50));
    assert.is(connections, 0);
  }
  await assertNoFdsLeft(before);
});

test('the options of admission are checked', async () => {
  const address = `unix:tmpdir=${folder}`;
  const wrong = [{ allow: 'x' }, { allow: true }, { onConnection: 'x' }, { anonymous: 'yes' }, { anonymous: 1 }];
  for (const options of wrong) {
    assert.instance(await rejection(listen({ address, ...(options as object) })), InvalidArgumentError);
  }
  for (const options of [{ peer: 'yes' }, { peer: 1 }, { peer: true, anonymous: 'yes' }]) {
    assert.instance(await rejection(connect({ address, ...(options as object) })), InvalidArgumentError);
  }
});

test('an anonymous client is accepted only with `anonymous`', async () => {
  await using strict = await serve();
  assert.is(await canCall(strict, true), false);
  await using lenient = await serve({ anonymous: true });
  assert.is(await canCall(lenient, true), true);
  assert.is(await canCall(lenient), true);
});

test('over TCP only anonymous clients are accepted', async () => {
  await using server = await serve({ address: 'tcp:host=127.0.0.1', anonymous: true });
  assert.is(await canCall(server, true), true);
  const asked: unknown[] = [];
  await using choosy = await serve({
    address: 'tcp:host=127.0.0.1',
    anonymous: true,
    allow: (credentials) => asked.push(credentials) === 0,
  });
  assert.is(await canCall(choosy, true), false);
  assert.equal(asked, [undefined]);
});

test('a peer cannot claim to be another user', async () => {
  await using server = await serve();
  const peer = await RawPeer.connect(server.address);
  const other = Buffer.from(String((process.getuid?.() ?? 0) + 1)).toString('hex');
  peer.write(`\0AUTH EXTERNAL ${other}\r\n`);
  assert.match(await peer.until('\n'), /^REJECTED/);
  peer.write('AUTH ANONYMOUS 00\r\n');
  assert.match(await peer.until('\nREJECTED'), /\nREJECTED/);
  // sd-bus answers with an error, although the specification says to disconnect.
  peer.write('BEGIN\r\n');
  assert.not.match(await peer.until('ERROR'), 'OK');
  assert.is(server.connections.size, 0);
  peer.close();
});

test('calls that come together with the end of the handshake are answered, whatever sender they claim', async () => {
  const senders: unknown[] = [];
  await using server = await serve({
    onConnection: (bus) => {
      bus.addMessageHandler(({ sender }) => void senders.push(sender));
      bus.export(PATH, exampleObject());
    },
  });
  const peer = await RawPeer.connect(server.address);
  const call = { type: 1, path: PATH, interface: 'org.example.Peer', member: 'Who', sender: 'org.freedesktop.DBus' };
  peer.write(Buffer.concat([Buffer.from(BEGIN_EXTERNAL, 'latin1'), wireMessage({ ...call, serial: 7 })]));
  const { replySerial, signature, body } = await peer.message();
  assert.equal([replySerial, signature], [7, 'uu']);
  assert.equal([body.readUInt32LE(0), body.readUInt32LE(4)], [process.getuid?.(), process.pid]);
  assert.equal(senders, [undefined]);
  peer.close();
});

test('bytes that are not a handshake end the connection', async () => {
  await using server = await serve();
  const peer = await RawPeer.connect(server.address);
  peer.write('GET / HTTP/1.1\r\n\r\n');
  await peer.ended;
  const endless = await RawPeer.connect(server.address);
  endless.write(`\0${'A'.repeat(200_000)}`);
  await endless.ended;
  assert.is(await canCall(server), true);
});

test('a client that does not authenticate in time is disconnected', async () => {
  const wrong = '\0AUTH EXTERNAL 39393939\r\n';
  await using server = await serve({ authenticationTimeout: 200 });
  const [silent, rejected] = [await RawPeer.connect(server.address), await RawPeer.connect(server.address)];
  const started = performance.now();
  rejected.write(wrong);
  assert.is(await silent.ended, '');
  // Whether the answer comes first depends on the machine: it does if there is time for it.
  await rejected.ended;
  assert.ok(performance.now() - started < 2000 * patience);
  await using unhurried = await serve({ authenticationTimeout: 60_000 * patience });
  const answered = await RawPeer.connect(unhurried.address);
  answered.write(wrong);
  assert.match(await answered.until('REJECTED'), /^REJECTED/);
});

for (const count of [300, 800]) {
  test(`${count} clients that connect at the same moment are all accepted`, async () => {
    await using server = await serve();
    const attempt = () => connect({ address: server.address, peer: true, timeout: 60_000 * patience });
    const clients = await Promise.all(Array.from({ length: count }, attempt));
    const answers = await Promise.all(clients.map((client) => client.proxy(Example, PATH).call.Echo('hello')));
    assert.is(answers.filter((answer) => answer === 'hello').length, count);
    assert.is(server.connections.size, count);
    await Promise.all(clients.map((client) => client.close()));
  });

  test(`${count} clients of several processes are all accepted`, async () => {
    await using server = await serve();
    const each = count / 4;
    const script = `
      import { connect } from ${JSON.stringify(libraryEntry)};
      const options = { address: ${JSON.stringify(server.address)}, peer: true, timeout: ${60_000 * patience} };
      const call = { path: ${JSON.stringify(PATH)}, interface: 'org.example.Peer', member: 'Who' };
      const attempt = async () => (await connect(options)).call(call);
      const results = await Promise.allSettled(Array.from({ length: ${each} }, attempt));
      console.log(results.filter(({ status }) => status === 'fulfilled').length);
      process.exit();
    `;
    const programs = Array.from({ length: 4 }, () =>
      run(process.execPath, moduleArguments(script), { timeLimit: 60_000 }),
    );
    for (const { stdout, stderr } of await Promise.all(programs)) assert.is(stdout, `${each}\n`, stderr);
  });
}

test('if all places are taken, a client that has sent data keeps its place, and a silent one loses it', async () => {
  await using server = await serve({ limits: { unauthenticated: 3 }, authenticationTimeout: 60_000 * patience });
  const [first, silent] = [await RawPeer.connect(server.address), await RawPeer.connect(server.address)];
  first.write('\0AUTH EXTERNAL\r\n');
  assert.match(await first.until('DATA'), 'DATA');
  const third = await RawPeer.connect(server.address);
  third.write('\0AUTH');
  // The only place that can become free is that of the silent client.
  assert.is(await canCall(server), true);
  assert.is(await silent.ended, '');
  first.write('DATA\r\nBEGIN\r\n');
  assert.match(await first.until('OK '), 'OK ');
  third.write(' EXTERNAL\r\nDATA\r\nBEGIN\r\n');
  assert.match(await third.until('OK '), 'OK ');
  for (const peer of [first, third]) peer.close();
});

test('no client loses its place while no other waits for one', async () => {
  await using server = await serve({ limits: { unauthenticated: 2 }, authenticationTimeout: 60_000 * patience });
  const peers = [await RawPeer.connect(server.address), await RawPeer.connect(server.address)];
  await new Promise((go) => setTimeout(go, 1500));
  for (const peer of peers) peer.write(BEGIN_EXTERNAL);
  for (const peer of peers) assert.match(await peer.until('OK '), 'OK ');
  for (const peer of peers) peer.close();
});

test('a client whose data has not been read yet keeps its place, however long that takes', async () => {
  await using server = await serve({ limits: { unauthenticated: 1 }, authenticationTimeout: 60_000 * patience });
  const first = await RawPeer.connect(server.address);
  const second = await RawPeer.connect(server.address);
  // Both clients have sent data, and the loop is blocked beyond the time limit of silent clients.
  first.write(BEGIN_EXTERNAL);
  second.write(BEGIN_EXTERNAL);
  const until = performance.now() + 1500;
  while (performance.now() < until);
  for (const peer of [first, second]) assert.match(await peer.until('OK '), 'OK ');
  for (const peer of [first, second]) peer.close();
});

test('ten thousand silent connections do not keep a client out for long, and leave nothing behind', async () => {
  const authenticationTimeout = 5000 * patience;
  await using server = await serve({ authenticationTimeout });
  assert.is(await canCall(server), true);
  const before = openFds();
  const ended: Promise<string>[] = [];
  for (let i = 0; i < 10_000; i++) {
    const peer = await RawPeer.connect(server.address);
    ended.push(peer.ended);
    // It is behind all connections in the queue, so it waits no longer than these have to authenticate.
    if (i % 2000 === 1999) assert.is(await canCall(server, false, authenticationTimeout), true);
  }
  // Both ends of 64 connections are open, once those in the queue were accepted too.
  const deadline = performance.now() + 2 * authenticationTimeout;
  while (fdsSince(before).length > 140 && performance.now() < deadline) await new Promise((go) => setTimeout(go, 5));
  assert.ok(fdsSince(before).length <= 140);
  await server.close();
  await Promise.all(ended);
  await assertNoFdsLeft(before);
});

test('a client that does not authenticate costs no memory for messages', async () => {
  await using server = await serve({ limits: { unauthenticated: 1000 }, authenticationTimeout: 60_000 * patience });
  const peers: RawPeer[] = [];
  const more = async (count: number) => {
    for (let i = 0; i < count; i++) peers.push(await RawPeer.connect(server.address));
    // The server accepts them at an unpredictable time.
    await new Promise((go) => setTimeout(go, 500));
    globalThis.gc?.();
    return process.memoryUsage().rss;
  };
  const before = await more(100);
  const each = ((await more(400)) - before) / 400;
  for (const peer of peers) peer.close();
  // Both ends; with the memory of an inbox this would be 400 KiB and more.
  assert.ok(each < 150_000 * patience, `${each} bytes`);
});

test('connections beyond the limit are rejected, until one closes', async () => {
  await using server = await serve({ limits: { connections: 2 } });
  const open = await Promise.all([1, 2].map(() => connect({ address: server.address, peer: true })));
  // A client is connected once it has sent its last line; a client that gets an answer was accepted.
  for (const client of open) await client.proxy(Example, PATH).call.Echo('hello');
  assert.instance(await rejection(connect({ address: server.address, peer: true })), ConnectError);
  await open[0]?.close();
  // The server notices this at an unpredictable time.
  while (server.connections.size > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(await canCall(server), true);
});

test('clients that connect at the same time do not exceed the limit either', async () => {
  const turnedAway: Problem[] = [];
  const hear = (problem: unknown) => void turnedAway.push(problem as Problem);
  subscribe('busbar:problem', hear);
  await using server = await serve({ limits: { connections: 2 } });
  const attempts = await Promise.allSettled(
    Array.from({ length: 20 }, () => connect({ address: server.address, peer: true })),
  );
  const clients = attempts.filter(isFulfilled).map(({ value }) => value);
  const answers = await Promise.allSettled(clients.map((client) => client.proxy(Example, PATH).call.Echo('hello')));
  assert.is(answers.filter(isFulfilled).length, 2);
  assert.is(server.connections.size, 2);
  assert.is(turnedAway.filter(({ kind }) => kind === 'peer').length, 18);
  unsubscribe('busbar:problem', hear);
  await Promise.all(clients.map((client) => client.close()));
});

test('of ten clients at once, as many as the limit allows get OK', async () => {
  await using server = await serve({ limits: { connections: 3 } });
  const attempts = await Promise.allSettled(
    Array.from({ length: 10 }, () => connect({ address: server.address, peer: true })),
  );
  const clients = attempts.filter(isFulfilled).map(({ value }) => value);
  assert.is(clients.length, 3);
  for (const client of clients) assert.is(await client.proxy(Example, PATH).call.Echo('hello'), 'hello');
  await Promise.all(clients.map((client) => client.close()));
});

test('clients that were not taken are noticed to leave, and free their places', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}`, limits: { connections: 20 } });
  const before = openFds();
  for (let i = 0; i < 20; i++) await (await connect({ address: server.address, peer: true })).close();
  await assertNoFdsLeft(before);
  const others = await Promise.all(Array.from({ length: 20 }, () => connect({ address: server.address, peer: true })));
  await Promise.all(others.map((client) => client.close()));
  await assertNoFdsLeft(before);
});

test('the messages of a client that left are delivered once it is taken, unless its place is needed', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}`, limits: { connections: 3 } });
  const call = { path: '/', interface: 'org.example.Peer', member: 'Bye' };
  for (let i = 0; i < 5; i++) {
    const client = await connect({ address: server.address, peer: true });
    client.emit({ ...call, signature: 'u', body: [i] });
    await client.close();
    await new Promise((go) => setTimeout(go, 50));
  }
  const heard: unknown[] = [];
  let taken = 0;
  for await (const bus of server) {
    bus.addMessageHandler(({ body }) => void heard.push(body[0]));
    assert.instance(await bus.disconnected, ConnectionClosedError);
    if (++taken === 3) break;
  }
  assert.equal(heard, [2, 3, 4]);
});

function isFulfilled<T>(result: PromiseSettledResult<T>): result is PromiseFulfilledResult<T> {
  return result.status === 'fulfilled';
}

test.run();
