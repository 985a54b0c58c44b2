// Peers whose ends use different transports, in either role: the handshake of this library with that of sd-bus, and the
// very first messages, which may come together with the end of the handshake.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectError, type ConnectionEvent, connect, listen, type MessageBus } from '../../src/index.js';
import type { TransportKind } from '../../src/native/binding.js';
import { transportKind } from '../../src/native/runtime.js';
import { Example, exampleObject, folder, PATH, peers } from '../helpers/peers.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('peers and transports');

const tested = transportKind();
const other: TransportKind = tested === 'socket' ? 'sd-bus' : 'socket';

/** Passes a descriptor there and back. */
async function passes(bus: MessageBus): Promise<void> {
  const fd = openSync('/proc/self/stat', 'r');
  const returned = (await bus.proxy(Example, PATH).call.Pass(fd)) as { readonly fd: number; close(): void };
  // By its path: not every runtime reads descriptors that it did not open.
  assert.match(readFileSync(`/proc/self/fd/${returned.fd}`, 'utf8'), `${process.pid} (`);
  returned.close();
  closeSync(fd);
}

for (const [server, client] of [
  [tested, other],
  [other, tested],
] as const) {
  const both = `a server on ${server} and a client on ${client}`;

  test(`${both} call each other, and pass descriptors`, async () => {
    await using ends = await peers({ transport: server }, { transport: client });
    for (const [here, there] of [
      [ends.client, ends.accepted],
      [ends.accepted, ends.client],
    ] as const) {
      there.export(PATH, exampleObject());
      assert.is(here.canSendFileDescriptors, true);
      assert.is(await here.proxy(Example, PATH).call.Echo('hello'), 'hello');
      await passes(here);
      assert.is(await here.proxy(Example, PATH).call.Size(Buffer.alloc(2 ** 20)), 2 ** 20);
    }
  });

  test(`${both} agree on an anonymous client, also over TCP`, async () => {
    for (const address of [`unix:tmpdir=${folder}`, 'tcp:host=127.0.0.1']) {
      const listening = { transport: server, anonymous: true, address };
      await using ends = await peers(listening, { transport: client, anonymous: true });
      ends.accepted.export(PATH, exampleObject());
      assert.is(ends.client.canSendFileDescriptors, address.startsWith('unix'));
      assert.is(await ends.client.proxy(Example, PATH).call.Echo('hello'), 'hello');
    }
  });
}

test('a client refuses a server with another guid than its address has', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: () => {} });
  const guid = /guid=([0-9a-f]+)/.exec(server.address)?.[1] as string;
  const upper = server.address.replace(guid, guid.toUpperCase());
  await (await connect({ address: upper, peer: true })).close();
  for (const [other, reason] of [
    ['0123456789abcdef0123456789abcdef', /E[A-Z]+ while trying to authenticate/],
    ['0'.repeat(32), /"guid" is all zeros/],
  ] as const) {
    const error = await rejection(connect({ address: server.address.replace(guid, other), peer: true }));
    assert.instance(error, ConnectError);
    assert.match(error.message, reason);
  }
});

// sd-bus ends a connection if it reads descriptors together with the end of the handshake: here it only sends them.
if (tested === 'socket') {
  test('descriptors in a client’s very first message arrive', async () => {
    for (const transport of [tested, other]) {
      await using server = await listen({
        address: `unix:tmpdir=${folder}`,
        onConnection: (bus) => bus.export(PATH, exampleObject()),
      });
      for (let i = 0; i < 50; i++) {
        await using client = await connect({ address: server.address, peer: true, transport });
        await passes(client);
      }
    }
  });

  test('descriptors in a server’s very first message arrive', async () => {
    for (const transport of [tested, other]) {
      for (let i = 0; i < 50; i++) {
        let passed: Promise<void> | undefined;
        await using server = await listen({
          address: `unix:tmpdir=${folder}`,
          transport,
          onConnection: (bus) => {
            passed = passes(bus);
          },
        });
        await using client = await connect({ address: server.address, peer: true });
        client.export(PATH, exampleObject());
        await client
          .proxy(Example, PATH)
          .call.Echo('any')
          .catch(() => {});
        await passed;
      }
    }
  });
}

test('a host name is looked up, and each of its addresses tried', async () => {
  // With sd-bus only the first one.
  const transport = 'socket';
  const listening = { address: 'tcp:host=127.0.0.1', anonymous: true, onConnection: () => {}, transport } as const;
  await using server = await listen(listening);
  const port = /port=([0-9]+)/.exec(server.address)?.[1] as string;
  const options = { peer: true, anonymous: true, transport } as const;
  await (await connect({ ...options, address: `tcp:host=localhost,port=${port}` })).close();
  const unknown = await rejection(connect({ ...options, address: `tcp:host=host.invalid,port=${port}` }));
  assert.instance(unknown, ConnectError);
  assert.match(
    unknown.message,
    /host\.invalid,port=[0-9]+ \(address\): its host host\.invalid has no address: getaddrinfo /,
  );
});

test('the error for an unreachable peer has the reason', async () => {
  const refused = async (address: string) =>
    (await rejection(connect({ address, peer: true, anonymous: true }))).message;
  assert.match(await refused('unix:path=/nonexistent/socket'), /ENOENT while trying to connect \(the socket does not/);
  assert.match(await refused('tcp:host=127.0.0.1,port=1'), /ECONNREFUSED while trying to connect \(no peer listens/);
  const path = join(folder, 'no-server');
  const silent = createServer().listen(path);
  await new Promise((resolve) => silent.once('listening', resolve));
  const error = await rejection(connect({ address: `unix:path=${path}`, peer: true, timeout: 100 }));
  assert.match(error.message, /ETIMEDOUT while trying to authenticate/);
  silent.close();
});

test('addresses are tried in order, including those that only sd-bus supports', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: () => {} });
  const others = 'unix:path=/nonexistent/socket;unixexec:path=/bin/false;unix:dir=/tmp';
  await (await connect({ address: `${others};${server.address}`, peer: true })).close();
  const { message } = await rejection(connect({ address: others, peer: true }));
  assert.match(message, /unixexec:path=\/bin\/false \(address\): E[A-Z]+ while trying to .*the program ended/);
  assert.match(message, /unix:dir=\/tmp \(address\): "dir" is for servers/);
});

test('an address that is not one socket’s is connected to by sd-bus, whatever transport is requested', async () => {
  const transports: unknown[] = [];
  const note = (event: unknown) => void transports.push((event as ConnectionEvent).transport);
  subscribe('busbar:connection', note);
  for (const transport of ['socket', 'sd-bus'] as const) {
    await rejection(connect({ address: 'unixexec:path=/bin/false', peer: true, transport }));
  }
  unsubscribe('busbar:connection', note);
  assert.ok(transports.length > 1);
  assert.ok(transports.every((transport) => transport === 'sd-bus'));
});

test('a peer that sends descriptors at once can be connected to with socket; with sd-bus the error names the cause', async () => {
  const signal = { path: '/', interface: 'org.example.Peer', member: 'Take', signature: 'h' };
  const onConnection = (bus: MessageBus) => {
    const fd = openSync('/dev/null', 'r');
    bus.emit({ ...signal, body: [fd] });
    closeSync(fd);
  };
  await using server = await listen({ address: `unix:tmpdir=${folder}`, transport: 'socket', onConnection });
  await using client = await connect({ address: server.address, peer: true, transport: 'socket' });
  assert.is(client.state, 'open');
  // Whether the descriptors arrive in one read with the last line depends on the machine; here both ends share a loop.
  for (let attempt = 0; attempt < 20; attempt++) {
    const result = await connect({ address: server.address, peer: true, transport: 'sd-bus' }).catch(
      (error: Error) => error,
    );
    if (!(result instanceof Error)) {
      await result.close();
      continue;
    }
    assert.instance(result, ConnectError);
    assert.match(result.message, 'EIO while trying to authenticate (the peer sent file descriptors at once');
    assert.not.match(result.message, 'rejected this user');
    return;
  }
  assert.unreachable('the descriptors never came together with the handshake');
});

test.run();
