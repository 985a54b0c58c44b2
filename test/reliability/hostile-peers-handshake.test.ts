// Clients and servers that break the authentication protocol, stop in it or hang up: each ends with one clear error, other
// peers are not affected, and nothing is left behind.
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectError, connect, type ListenOptions, listen, type PeerServer } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { patience } from '../helpers/patience.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { BEGIN_EXTERNAL, RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { wireMessage } from '../helpers/wire.js';

const test = suite('hostile peers: handshake');
const onSocket = transportKind() === 'socket';

const CALL = wireMessage({ type: 1, path: PATH, interface: 'org.example.Peer', member: 'Who', serial: 7 });
const ANSWER = 'OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n';

function serve(options: Partial<ListenOptions> = {}): Promise<PeerServer> {
  const onConnection: ListenOptions['onConnection'] = (bus) => bus.export(PATH, exampleObject());
  return listen({ address: `unix:tmpdir=${folder}`, onConnection, ...options });
}

/** Other peers are served: a well-behaved client gets its answer as before. */
async function assertServes(server: PeerServer, because: string): Promise<void> {
  await using client = await connect({ address: server.address, peer: true });
  assert.is(await client.proxy(Example, PATH).call.Echo('honest'), 'honest', because);
}

/** Everything that `run` opened is closed in the end. */
async function assertLeavesNothing(run: () => Promise<void>): Promise<void> {
  const before = openFds();
  for (let i = 0; i < 5; i++) await run();
  await assertNoFdsLeft(before);
}

/** Properties of the socket transport only are not tested on sd-bus, for this reason. */
const butOnSdBus = (reason: string) => (onSocket ? undefined : reason);

/** Why sd-bus does not hang up at once: it answers as it would a typing error, and continues until the timeout. */
const patientWithLines = 'sd-bus waits for valid lines until authentication times out';

/** Clients that are disconnected at once, unless the transport under test does not. */
const hostile: readonly (readonly [what: string, bytes: string | Buffer, missing?: string | undefined])[] = [
  ['no NUL at the beginning', 'AUTH EXTERNAL\r\n'],
  ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['TLS', Buffer.from('16030100f5010000f10303', 'hex')],
  ['an endless line', `\0${'A'.repeat(200_000)}`],
  [
    'a line of 20 KiB',
    `\0AUTH ${'A'.repeat(20 * 1024)}\r\n`,
    butOnSdBus('sd-bus does not limit a line, only the handshake to 64 KiB'),
  ],
  ['a hundred attempts', `\0${'AUTH EXTERNAL 39393939\r\n'.repeat(100)}`, butOnSdBus(patientWithLines)],
  ['a hundred unknown commands', `\0${'HELLO\r\n'.repeat(100)}`, butOnSdBus(patientWithLines)],
  ['a hundred errors', `\0${'ERROR\r\n'.repeat(100)}`, butOnSdBus(patientWithLines)],
  [
    'binary garbage',
    Buffer.from(`\0${'\x80\xff\x01\x7f\r\r\n\n'.repeat(100)}`, 'latin1'),
    butOnSdBus(patientWithLines),
  ],
  ['lines without CR', '\0AUTH EXTERNAL\nDATA\nBEGIN\n', butOnSdBus(patientWithLines)],
  ['NUL in a line', '\0AUTH EXTERNAL\0\r\n', butOnSdBus(patientWithLines)],
  ['BEGIN at once', '\0BEGIN\r\n', butOnSdBus(patientWithLines)],
  ['BEGIN after a rejection', '\0AUTH EXTERNAL 39393939\r\nBEGIN\r\n', butOnSdBus(patientWithLines)],
];

for (const [what, bytes, missing] of hostile) {
  testUnless(missing, test, `a client that sends ${what} is disconnected, and its call is not answered`, async () => {
    await using server = await serve();
    await assertLeavesNothing(async () => {
      const peer = await RawPeer.connect(server.address);
      peer.write(bytes);
      peer.write(CALL);
      assert.not.match(await peer.ended, 'OK');
      assert.is(server.connections.size, 0);
    });
    await assertServes(server, what);
  });
}

test('a client that sends one byte at a time is accepted, and served', async () => {
  await using server = await serve();
  const peer = await RawPeer.connect(server.address);
  for (const byte of Buffer.concat([Buffer.from(BEGIN_EXTERNAL, 'latin1'), CALL])) {
    peer.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { replySerial, body } = await peer.message();
  assert.is(replySerial, 7);
  assert.equal([body.readUInt32LE(0), body.readUInt32LE(4)], [process.getuid?.(), process.pid]);
  peer.close();
});

test('a client that hangs up at any point of its handshake leaves nothing behind', async () => {
  await using server = await serve();
  await assertLeavesNothing(async () => {
    const peers: RawPeer[] = [];
    for (let length = 0; length < BEGIN_EXTERNAL.length; length++) {
      const peer = await RawPeer.connect(server.address);
      peer.write(BEGIN_EXTERNAL.slice(0, length));
      peers.push(peer);
    }
    for (const peer of peers) peer.close();
    await Promise.all(peers.map((peer) => peer.ended));
  });
  await assertServes(server, 'after those who hung up');
  while (server.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('a client that stops at any point of its handshake is disconnected after the timeout', async () => {
  await using server = await serve({ authenticationTimeout: 100 });
  await assertLeavesNothing(async () => {
    const peers = [];
    for (let length = 0; length < BEGIN_EXTERNAL.length; length++) {
      const peer = await RawPeer.connect(server.address);
      peer.write(BEGIN_EXTERNAL.slice(0, length));
      peers.push(peer);
    }
    await Promise.all(peers.map((peer) => peer.ended));
    assert.is(server.connections.size, 0);
  });
});

test('a server that closes in the middle of handshakes leaves nothing behind', async () => {
  await assertLeavesNothing(async () => {
    const server = await serve();
    const peers = await Promise.all(
      ['', '\0', '\0AUTH EXTERNAL\r\n'].map(async (text) => {
        const peer = await RawPeer.connect(server.address);
        peer.write(text);
        return peer;
      }),
    );
    await peers[2]?.until('DATA');
    await server.close();
    await Promise.all(peers.map((peer) => peer.ended));
  });
});

testUnless(
  butOnSdBus('sd-bus does not handle a client that hangs up before it could answer'),
  test,
  'messages of a client that then hangs up are handled, although it does not wait for the answers',
  async () => {
    let hear: (text: unknown) => void = () => {};
    await using server = await serve({
      onConnection: (bus) => {
        bus.subscribe({ member: 'Said' }, ({ body: [text] }) => hear(text));
      },
    });
    for (let i = 0; i < 20; i++) {
      const heard = new Promise((resolve) => {
        hear = resolve;
      });
      const peer = await RawPeer.connect(server.address);
      const body = Buffer.from('\x05\0\0\0hello\0', 'latin1');
      const signal = { type: 4, path: PATH, interface: 'org.example.Peer', member: 'Said', signature: 's', body };
      peer.write(Buffer.concat([Buffer.from(BEGIN_EXTERNAL, 'latin1'), wireMessage(signal)]));
      peer.close();
      assert.is(await heard, 'hello');
    }
  },
);

/** A server that sends the same to every client once it has received something, and may hang up then. */
async function withServer(
  text: string,
  hangUp: boolean,
  run: (address: string) => Promise<void>,
  portion = text.length,
): Promise<void> {
  const sockets = new Set<Socket>();
  const path = join(folder, `hostile-${++served}`);
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', async () => {
      for (let said = 0; said < text.length; said += portion) {
        socket.write(text.slice(said, said + portion), 'latin1');
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (hangUp) socket.end();
      socket.resume();
    });
  }).listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await run(`unix:path=${path}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}
let served = 0;

const failure = async (address: string, timeout = 20_000 * patience) => {
  const error = await rejection(connect({ address, peer: true, timeout }));
  assert.instance(error, ConnectError);
  return error.message;
};

test('a server that hangs up at any point of the handshake is a ConnectError', async () => {
  for (let length = 0; length < ANSWER.length; length++) {
    await withServer(ANSWER.slice(0, length), true, async (address) => {
      const text = await failure(address);
      assert.match(text, 'while trying to authenticate', `after ${length} bytes`);
      assert.not.match(text, 'ETIMEDOUT', `after ${length} bytes`);
    });
  }
});

test('connecting to a server that stops at any point of the handshake fails after the timeout', async () => {
  await Promise.all(
    Array.from({ length: ANSWER.length - 1 }, (_, length) =>
      withServer(ANSWER.slice(0, length), false, async (address) => {
        assert.match(await failure(address, 200), 'ETIMEDOUT while trying to authenticate', `after ${length} bytes`);
      }),
    ),
  );
});

for (const [what, text, reason] of [
  ['a line that never ends', `OK ${'0'.repeat(100_000)}`, 'a line of the handshake must not exceed 16 KiB'],
  ['an invalid id', 'OK xyz\r\nAGREE_UNIX_FD\r\n', 'the GUID of OK must be 32 hexadecimal digits'],
  [
    'a hundred rejections',
    'REJECTED EXTERNAL\r\n'.repeat(100),
    onSocket ? 'the peer rejected this user' : 'it rejected this client',
  ],
  [
    'a rejection of another kind',
    'REJECTED DBUS_COOKIE_SHA1\r\n',
    'the peer accepts only the authentication mechanisms DBUS_COOKIE_SHA1',
  ],
  ['a hundred errors', 'ERROR\r\n'.repeat(100), 'CANCEL must be answered with REJECTED'],
  ['zeros', '\0'.repeat(100), 'printable ASCII'],
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'.repeat(30), 'more than 64 lines'],
  ['an invalid answer to NEGOTIATE_UNIX_FD', `${ANSWER.slice(0, 37)}MAYBE\r\n`, 'AGREE_UNIX_FD or ERROR'],
] as const) {
  const silent = butOnSdBus('sd-bus does not say what was wrong with an answer, or waits for a valid one');
  testUnless(
    what === 'a hundred rejections' ? undefined : silent,
    test,
    `a server that answers with ${what} is a ConnectError with the reason`,
    async () => {
      // The reasons differ from that of a timeout.
      await assertLeavesNothing(() =>
        withServer(text, false, async (address) => {
          assert.match(await failure(address), reason);
        }),
      );
    },
  );
}

test('a server that sends one byte at a time is understood, including its first message', async () => {
  const ping = { type: 1, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping', serial: 9 };
  // sd-bus asks on a separate line, which has a separate answer, as which user it authenticates.
  const text = (onSocket ? '' : 'DATA\r\n') + ANSWER + wireMessage(ping).toString('latin1');
  await withServer(
    text,
    false,
    async (address) => {
      const client = await connect({ address, peer: true });
      assert.is(client.canSendFileDescriptors, true);
      const seen = await new Promise((resolve) => {
        client.addMessageHandler(({ serial }) => void resolve(serial));
      });
      assert.is(seen, 9);
      await client.close();
    },
    1,
  );
});

test('a client that is aborted in the middle of a handshake leaves nothing behind', async () => {
  await assertLeavesNothing(() =>
    withServer('', false, async (address) => {
      assert.match(await failure(address, 20), 'ETIMEDOUT');
    }),
  );
});

test.run();
