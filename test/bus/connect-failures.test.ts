// Why a connection could not be made, as a user reads it: real servers that reject all clients, or that are not D-Bus
// servers.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECT_TIMEOUT } from '../../src/connection/opening/open.js';
import { ConnectError, type ConnectOptions, connect, listen } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { ConfiguredDaemon, type DaemonConfiguration } from '../helpers/daemon-by-configuration.js';
import { libraryEntry, missingInRuntime, moduleArguments } from '../helpers/own-runtime.js';
import { missingPrograms } from '../helpers/paths.js';
import { patience } from '../helpers/patience.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('failures to connect');
const folder = mkdtempSync(join(tmpdir(), 'busbar-failures-'));
test.after(() => rmSync(folder, { recursive: true }));

const missing = missingPrograms('dbus-daemon');
const notRoot = process.geteuid?.() === 0 ? undefined : 'only root may be several users';
const onSocket = transportKind() === 'socket';
/** The id of a user without files. */
const NOBODY = 65_534;

/** sd-bus gets the same answers, but does not pass them on. */
const UNTOLD = "the error of the transport 'socket' says which";

async function failure(options: ConnectOptions): Promise<string> {
  const error = await rejection(connect({ timeout: 20_000 * patience, ...options }));
  assert.instance(error, ConnectError);
  return error.message;
}

async function asUser<Result>(uid: number, act: () => Promise<Result>): Promise<Result> {
  process.seteuid?.(uid);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

const TURNED_AWAY: readonly (readonly [string, DaemonConfiguration, Partial<ConnectOptions>, string])[] = [
  [
    'takes anonymous clients alone',
    { auth: ['ANONYMOUS'] },
    {},
    'EACCES while trying to authenticate (the bus accepts only anonymous clients: connect with `anonymous: true`)',
  ],
  [
    'takes cookies alone',
    { auth: ['DBUS_COOKIE_SHA1'] },
    {},
    '(the bus accepts only the authentication mechanisms DBUS_COOKIE_SHA1, which busbar does not have: enable EXTERNAL on it)',
  ],
  [
    'takes no anonymous clients',
    {},
    { anonymous: true },
    '(the bus accepts only clients that authenticate as a user: leave `anonymous` out)',
  ],
];

for (const [what, configuration, options, text] of TURNED_AWAY) {
  testUnless(missing, test, `a bus that ${what} has its own error text`, async () => {
    await using daemon = await ConfiguredDaemon.start(configuration);
    assert.match(await failure({ address: daemon.address, ...options }), onSocket ? text : UNTOLD);
  });
}

testUnless(missing, test, 'the advice for a bus of anonymous clients works', async () => {
  await using daemon = await ConfiguredDaemon.start({ auth: ['ANONYMOUS'] });
  await (await connect({ address: daemon.address, anonymous: true })).close();
});

testUnless(missing, test, 'the error of a bus with another guid names both guids', async () => {
  await using daemon = await ConfiguredDaemon.start({});
  const guid = /guid=([0-9a-f]+)/.exec(daemon.address)?.[1] as string;
  const text = await failure({ address: daemon.address.replace(guid, '1'.repeat(32)) });
  if (!onSocket) assert.match(text, UNTOLD);
  else assert.match(text, `does not have the GUID that the address requires; it said "OK ${guid}" (correct the guid`);
  assert.not.match(text, 'this user');
});

testUnless(
  missing,
  test,
  'the error of a TCP bus that accepts only users says that it cannot verify them',
  async () => {
    await using daemon = await ConfiguredDaemon.start({ listen: 'tcp:host=127.0.0.1,port=0' });
    assert.match(await failure({ address: daemon.address }), 'a bus cannot verify users over TCP');
  },
);

for (const [owner, user] of [
  [NOBODY, 0],
  [0, NOBODY],
] as const) {
  testUnless(
    missing ?? notRoot,
    test,
    `user ${user} is told that the session bus belongs to user ${owner}`,
    async () => {
      await using daemon = await ConfiguredDaemon.start({ uid: owner });
      const text = await asUser(user, () => failure({ address: daemon.address }));
      assert.match(
        text,
        `(the socket belongs to user ${owner}, this process is user ${user}, and a session bus accepts only its own user)`,
      );
    },
  );
}

testUnless(
  missing ?? notRoot,
  test,
  'for an abstract socket, which has no owner, the error names the user of the process that listens',
  async () => {
    const name = `busbar-failures-${process.pid}`;
    await using daemon = await ConfiguredDaemon.start({ uid: NOBODY, listen: `unix:abstract=${name}` });
    assert.match(
      await failure({ address: daemon.address }),
      `the socket belongs to user ${NOBODY}, this process is user 0`,
    );
  },
);

/** Why no program can run as a user of a namespace without that user id; `undefined` if one can. */
function missingNamespaces(): string | undefined {
  const { status, stdout } = spawnSync('unshare', ['--user', 'id', '-u'], { encoding: 'utf8' });
  return status === 0 && stdout === `${NOBODY}\n` ? undefined : 'unshare --user does not work here';
}

testUnless(
  missing ??
    notRoot ??
    missingInRuntime({ bun: 'the program is run by unshare', deno: 'the program is run by unshare' }) ??
    missingNamespaces(),
  test,
  'if users have no id, as in containers, the error says so of the socket’s owner',
  async () => {
    await using daemon = await ConfiguredDaemon.start({ uid: NOBODY });
    const script = `
      import { connect } from ${JSON.stringify(libraryEntry)};
      await connect({ address: '${daemon.address}' }).catch(({ message }) => console.log(message));
    `;
    const env = { TSX_DISABLE_CACHE: '1', HOME: '/nonexistent' };
    const { stdout, stderr } = await run('unshare', ['--user', process.execPath, ...moduleArguments(script)], { env });
    assert.match(
      stdout,
      'the socket belongs to a user without an id here, and a session bus accepts only its own user',
      stderr,
    );
    assert.match(stdout, 'in a container, map the user’s id');
  },
);

/** Runs one kind of server over TCP while `use` runs, and returns the result of `use`. */
async function serving<Result>(server: Server, use: (address: string) => Promise<Result>): Promise<Result> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`tcp:host=127.0.0.1,port=${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const says = (text: string) => createServer((socket) => socket.end(Buffer.from(text, 'latin1')));

for (const [what, make, said] of [
  [
    'HTTP',
    () => createWebServer((_, response) => response.end('hello')),
    'it is not a D-Bus server: it said "HTTP/1.1 400 Bad Request"',
  ],
  ['SSH', () => says('SSH-2.0-OpenSSH_9.2\r\n'), 'it is not a D-Bus server: it said "SSH-2.0-OpenSSH_9.2"'],
  [
    'SMTP',
    () => says('220 mail.example.org ESMTP\r\n'),
    'it is not a D-Bus server: it said "220 mail.example.org ESMTP"',
  ],
  [
    'TLS',
    () => says('\x15\x03\x03\0\x02\x02\x50'),
    'printable ASCII that end with CR LF; it said "\\x15\\x03\\x03\\x00\\x02\\x02P" (is it a bus?)',
  ],
] as const) {
  test(`the error for ${what} quotes the server`, async () => {
    const text = await serving(make(), (address) => failure({ address }));
    assert.match(text, onSocket ? said : UNTOLD);
    assert.not.match(text, 'this user');
  });
}

/** The answers of a bus to each line, of sd-bus or of this library, and the line after which it hangs up. */
function answering(lines: number): Server {
  return createServer((socket) => {
    let read = '';
    let answered = 0;
    socket.on('error', () => {});
    if (lines === 0) socket.destroy();
    socket.on('data', (bytes) => {
      read += bytes.toString('latin1');
      for (let end = read.indexOf('\r\n'); end >= 0 && answered < lines; end = read.indexOf('\r\n')) {
        const line = read.slice(0, end).replace('\0', '');
        read = read.slice(end + 2);
        answered++;
        const answer = ANSWERS[line];
        if (answered < lines) socket.write(answer ?? '');
        else socket.end(answer);
      }
    });
  });
}

const ANSWERS: Readonly<Record<string, string>> = {
  'AUTH EXTERNAL': 'DATA\r\n',
  DATA: `OK ${'1'.repeat(32)}\r\n`,
  NEGOTIATE_UNIX_FD: 'AGREE_UNIX_FD\r\n',
};

const BEFORE_OK = 'ECONNRESET while trying to authenticate: it closed the connection';

for (const [lines, text] of [
  [0, `${BEFORE_OK} without an answer (the bus rejected this user`],
  [1, `${BEFORE_OK} after it said "DATA"`],
  [2, `${BEFORE_OK} after it said "OK 11111111111111111111111111111111"`],
] as const) {
  test(`the error for a server that hangs up after ${lines} lines quotes its last line`, async () => {
    // Over a unix socket, whose handshake has one line more than over TCP.
    const path = join(folder, `hangs-up-${lines}`);
    const server = answering(lines);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const message = await failure({ address: `unix:path=${path}` });
    if (onSocket) assert.match(message, text);
    else assert.match(message, /E[A-Z]+ while trying to authenticate/);
    server.close();
  });
}

testUnless(PrivateBus.missing(), test, 'the error for a bus that hangs up after Hello says so', async () => {
  const server = answering(4);
  const path = join(folder, 'greeted');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const message = await failure({ address: `unix:path=${path}` });
  assert.match(
    message,
    `${path} (address): the server was reached, but closed the connection after Hello: the connection was lost: `,
  );
  server.close();
});

test('the error for a peer says that it is not a bus, and how to connect to it', async () => {
  await using peer = await listen({ address: `unix:tmpdir=${folder}`, onConnection: () => {} });
  const text = await failure({ address: peer.address });
  assert.match(text, 'the server was reached, but it is not a message bus, because it does not know Hello');
  assert.match(text, 'to a peer, connect with `peer: true`');
  await (await connect({ address: peer.address, peer: true })).close();
});

test('the error for a host without an address names the host', async () => {
  for (const peer of [false, true]) {
    assert.match(
      await failure({ address: 'tcp:host=host.invalid,port=80', peer }),
      'its host host.invalid has no address',
    );
  }
});

test('connecting to a silent server fails after the timeout, and the error has the time', async () => {
  const text = await serving(createServer(), (address) => failure({ address, timeout: 100 }));
  assert.match(
    text,
    'ETIMEDOUT while trying to authenticate: it sent nothing within 100 ms (is it a bus, and is it running?)',
  );
  // Servers of peers wait for their clients for `authenticationTimeout`.
  assert.is(CONNECT_TIMEOUT, 10_000);
});

test('connecting to a server that answers but never completes the handshake fails, too', async () => {
  const mumbler = createServer((socket) => void socket.write('DATA\r\n'));
  const text = await serving(mumbler, (address) => failure({ address, timeout: 100 }));
  assert.match(text, 'it did not complete authentication within 100 ms');
});

test('an environment variable with an invalid address is an error of connecting', async () => {
  const none = 'the ":" after the transport is missing';
  for (const [bus, variable, value, text] of [
    ['session', 'DBUS_SESSION_BUS_ADDRESS', '/run/user/1000/bus', none],
    ['session', 'DBUS_SESSION_BUS_ADDRESS', 'unix:path=/a%zz', '%zz'],
    ['session', 'DBUS_SESSION_BUS_ADDRESS', 'unix:', 'unix:'],
    ['system', 'DBUS_SYSTEM_BUS_ADDRESS', '/run/dbus/socket', none],
    ['system', 'DBUS_SYSTEM_BUS_ADDRESS', 'unix:path=/a%', '%'],
    ['starter', 'DBUS_STARTER_ADDRESS', '/run/starter', none],
    ['starter', 'DBUS_STARTER_ADDRESS', 'unix:path=/a%zz', '%zz'],
    ['starter', 'DBUS_STARTER_BUS_TYPE', 'bogus', 'bogus'],
  ] as const) {
    // The address of the starter bus comes before its type.
    const names = [
      'DBUS_SESSION_BUS_ADDRESS',
      'DBUS_SYSTEM_BUS_ADDRESS',
      'DBUS_STARTER_ADDRESS',
      'DBUS_STARTER_BUS_TYPE',
    ];
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) delete process.env[name];
    process.env[variable] = value;
    try {
      const message = await failure({ bus });
      assert.match(message, variable);
      assert.match(message, text);
    } finally {
      for (const [name, former] of before) {
        if (former === undefined) delete process.env[name];
        else process.env[name] = former;
      }
    }
  }
});

testUnless(
  onSocket ? undefined : 'sd-bus does not wait for room',
  test,
  'many clients that connect at once, more than the queue of the server holds, all succeed',
  async () => {
    const path = join(folder, 'narrow');
    const server = answering(5);
    let greeted = 0;
    server.on('connection', () => greeted++);
    await new Promise<void>((resolve) => server.listen({ path, backlog: 1 }, resolve));
    const texts = await Promise.all(
      Array.from({ length: 12 }, () => failure({ address: `unix:path=${path}`, timeout: 300 * patience })),
    );
    // All of them got as far as Hello, which this server does not answer.
    for (const text of texts) assert.match(text, 'the server was reached, but did not answer Hello');
    assert.ok(greeted >= 12);
    server.close();
  },
);

test.run();
