// time limit: 180 s
// The functions of the module settle as well: attempts to connect settle by the loss of the other side, by an AbortSignal
// and by their time limit, in every phase, and so do attempts to listen. The exported functions are found by walking the
// module, so that a function that this test does not know makes it fail.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as busbar from '../../src/index.js';
import {
  ConnectError,
  type ConnectOptions,
  connect,
  ListenError,
  listen,
  pair,
  pipe,
  serve,
  sessionBus,
  systemBus,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { folder } from '../helpers/peers.js';
import { pollerKinds } from '../helpers/poller-kinds.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { rejection } from '../helpers/rejection.js';
import { allSettle } from '../helpers/settling.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('settling of attempts');
const onSocket = transportKind() === 'socket';
const python = pythonWith('socket');

/** Functions that return nothing that has to settle. */
const plain = 'plain';

/** Functions that are tested below. */
const tried = 'tried';

/** The exports of the module that are not classes. */
const exported: Readonly<Record<string, typeof plain | typeof tried>> = {
  connect: tried,
  arrayOf: plain,
  defineInterface: plain,
  dict: plain,
  describe: plain,
  formatMatchRule: plain,
  implement: plain,
  inheritedSockets: plain,
  interfaceDifferences: plain,
  introspectionXml: plain,
  isBusName: plain,
  isErrorName: plain,
  isInterfaceName: plain,
  isMemberName: plain,
  isObjectPath: plain,
  isUniqueName: plain,
  isWellKnownName: plain,
  keepTypes: plain,
  listen: tried,
  method: plain,
  pair: tried,
  parseIntrospection: plain,
  parseMatchRule: plain,
  parseSignature: plain,
  pathEscape: plain,
  pathUnescape: plain,
  registerError: plain,
  pipe: tried,
  property: plain,
  serve: tried,
  sessionBus: tried,
  signal: plain,
  systemBus: tried,
  type: plain,
  structOf: plain,
  variant: plain,
  writePcap: plain,
};

test('the table names every function of the module', () => {
  const functions = Object.entries(busbar).filter(
    ([, value]) => typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value)),
  );
  assert.equal(functions.map(([name]) => name).sort(), Object.keys(exported).sort());
});

test('a pair and a pipe, which need no other process, settle', async () => {
  for (const end of [...(await pair()), ...(await pipe())]) await end.close();
});

test('a service ends in its time on a bus that answers nothing, whether it starts or runs', async () => {
  await using daemon = await PrivateBus.start();
  const options = { objects: {}, drain: 50, handleSignals: false };
  const running = await serve(await connect({ address: daemon.address }), { ...options, name: 'org.example.Runs' });
  const bus = await connect({ address: daemon.address });
  const abort = new AbortController();
  await daemon.kill('SIGSTOP');
  const starting = serve(bus, { ...options, name: 'org.example.Starts', signal: abort.signal });
  abort.abort();
  running.end();
  assert.is((await starting).state, 'ended');
  assert.is((await running.ended).reason, 'ended');
});

/** What a server sends to each client before it stops answering: the phases of an attempt. */
const words = {
  'nothing is sent': () => {},
  'one line is sent': (socket: Socket) => void socket.write('DATA\r\n'),
  'half a line is sent': (socket: Socket) => void socket.write('OK 0123'),
  'Hello is not answered': (socket: Socket) => {
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n')) {
        if (line.endsWith('AUTH EXTERNAL')) socket.write('DATA\r\n');
        else if (/^\0?(AUTH EXTERNAL |DATA)/.test(line)) socket.write(`OK ${'0123456789abcdef'.repeat(2)}\r\n`);
        else if (line === 'NEGOTIATE_UNIX_FD') socket.write('AGREE_UNIX_FD\r\n');
      }
    });
  },
};

let count = 0;

/** A server that rejects all clients. */
class Silent implements AsyncDisposable {
  readonly path = join(folder, `silent-${count++}`);
  readonly #sockets: Socket[] = [];
  readonly #server: Server;

  static async start(speak: (socket: Socket) => void): Promise<Silent> {
    const silent = new Silent(speak);
    await new Promise<void>((resolve) => silent.#server.listen(silent.path, resolve));
    return silent;
  }

  private constructor(speak: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.push(socket.on('error', () => {}));
      speak(socket);
    });
  }

  get clients(): number {
    return this.#sockets.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }
}

/** A server that accepts no connection, and whose queue is full. */
class Full implements AsyncDisposable {
  readonly path = join(folder, `full-${count++}`);
  readonly clients = Number.POSITIVE_INFINITY;
  #program: Program | undefined;

  static async start(): Promise<Full> {
    const full = new Full();
    full.#program = Program.start(python as string, ['-c', FULL, full.path]);
    await full.#program.line('full');
    return full;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.stop();
  }
}

const FULL = `
import socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(0)
clients = []
while True:
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    clients.append(client)
    try:
        client.connect(sys.argv[1])
    except BlockingIOError:
        break
print('full', flush=True)
time.sleep(1000)
`;

for (const poller of pollerKinds) {
  // sd-bus itself does not wait for room in the queue.
  for (const [what, speak] of Object.entries(onSocket ? { ...words, 'no connection is accepted': undefined } : words)) {
    for (const end of ['loss', 'abort', 'time'] as const) {
      const missing = speak === undefined && python === undefined ? 'python3 not installed' : undefined;
      testUnless(missing, test, `attempts settle by ${end} where ${what} (${poller})`, async () => {
        const before = openFds();
        const server = speak === undefined ? await Full.start() : await Silent.start(speak);
        const reason = new Error('given up');
        const controller = new AbortController();
        const options: ConnectOptions = {
          address: `unix:path=${server.path}`,
          poller,
          signal: controller.signal,
          timeout: end === 'time' ? 200 : 600_000,
        };
        // Between peers there is no Hello: a client that is accepted is connected.
        const kinds = what === 'Hello is not answered' ? ['bus'] : ['bus', 'peer'];
        const attempts = new Map(
          kinds.map((kind) => [kind, rejection(connect({ ...options, peer: kind === 'peer' }))] as const),
        );
        await until(() => server.clients >= attempts.size);
        // Waits until the attempts have reached this phase.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (end === 'loss') await server[Symbol.asyncDispose]();
        if (end === 'abort') controller.abort(reason);
        await allSettle(attempts);
        for (const attempt of attempts.values()) {
          if (end === 'abort') assert.is(await attempt, reason);
          else assert.instance(await attempt, ConnectError);
        }
        if (end !== 'loss') await server[Symbol.asyncDispose]();
        await assertNoFdsLeft(before);
      });
    }
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `shared attempts settle by the loss of ${daemon}, and are over then`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      const variables = { DBUS_SESSION_BUS_ADDRESS: server.address, DBUS_SYSTEM_BUS_ADDRESS: server.address };
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
      Object.assign(process.env, variables);
      try {
        process.kill(server.pid, 'SIGSTOP');
        const attempts = Object.entries({ sessionBus, systemBus }).flatMap(([name, get]) => [
          [name, rejection(get())] as const,
          [`${name} of another`, rejection(get())] as const,
        ]);
        await new Promise((resolve) => setTimeout(resolve, 20));
        await server.kill();
        await allSettle(new Map(attempts));
        for (const [name, attempt] of attempts) assert.instance(await attempt, ConnectError, name);
        await server.restart();
        for (const get of [sessionBus, systemBus]) await (await get()).close();
      } finally {
        for (const [name, former] of before) {
          if (former === undefined) delete process.env[name];
          else process.env[name] = former;
        }
      }
    },
  );
}

test('attempts settle if the lookup of a host never ends', async () => {
  const { lookup } = dns.promises;
  const { setTimeout: wait } = globalThis;
  dns.promises.lookup = (() => new Promise(() => {})) as unknown as typeof lookup;
  syncBuiltinESMExports();
  // The lookup has ten seconds, of which a hundredth is waited for.
  globalThis.setTimeout = ((then: () => void, milliseconds: number) => wait(then, milliseconds / 100)) as typeof wait;
  try {
    const reason = new Error('given up');
    const controller = new AbortController();
    const address = 'tcp:host=example.invalid,port=1';
    const connecting = rejection(connect({ address }));
    const listening = rejection(listen({ address, anonymous: true }));
    const aborted = rejection(connect({ address, signal: controller.signal, timeout: Number.POSITIVE_INFINITY }));
    globalThis.setTimeout = wait;
    controller.abort(reason);
    await allSettle(new Map(Object.entries({ connecting, listening, aborted })));
    assert.instance(await connecting, ConnectError);
    assert.instance(await listening, ListenError);
    assert.is(await aborted, reason);
    const text = 'its host example.invalid could not be looked up in time';
    assert.match((await listening).message, text);
    // sd-bus looks up names itself.
    if (onSocket) assert.match((await connecting).message, text);
  } finally {
    globalThis.setTimeout = wait;
    dns.promises.lookup = lookup;
    syncBuiltinESMExports();
  }
});

test.run();
