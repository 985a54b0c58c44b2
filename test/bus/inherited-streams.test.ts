// Streams between processes: a child process that inherited an end of a socketpair, and dbus-broker, whose controller speaks
// D-Bus over such a stream.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  DBusError,
  defineInterface,
  FileDescriptor,
  implement,
  type MessageBus,
  variant,
} from '../../src/index.js';
import { loadAddon } from '../../src/native/load.js';
import { listeningSocket } from '../helpers/listening-socket.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { libraryEntry, missingInRuntime, moduleArguments } from '../helpers/own-runtime.js';
import { missingPrograms, programPath } from '../helpers/paths.js';
import { Example, folder, PATH } from '../helpers/peers.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('inherited streams');

const notNode = missingInRuntime({
  bun: 'its child processes inherit only three descriptors',
  deno: 'its child processes inherit only three descriptors',
});

/** Starts a program that has one end of a stream as descriptor 3. Returns the other end. */
function startWithStream(command: string, args: readonly string[]): [number, Program] {
  const ends = loadAddon().socketPair();
  if (typeof ends === 'number') throw new Error(`socketpair: ${ends}`);
  const [own, theirs] = ends;
  const program = Program.start(command, args, { inherits: [theirs] });
  closeSync(theirs);
  return [own, program];
}

for (const handshake of ['client', 'server', 'none'] as const) {
  const other = { client: 'server', server: 'client', none: 'none' }[handshake];
  const child = `
    import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
    const Example = defineInterface('org.example.Peer', {
      methods: { Echo: { in: 'v', out: 'v' }, Pass: { in: 'h', out: 'h' } },
    });
    const peer = await connect({ fd: 3, peer: true, handshake: '${other}' });
    peer.export('${PATH}', implement(Example, { Echo: (value) => value, Pass: (fd) => fd.handOver() }));
    console.log('parent says', await peer.proxy(Example, '${PATH}').call.Echo('hello'));
    const reason = await peer.disconnected;
    console.log('ended by', reason.name);
  `;

  testUnless(notNode, test, `a child process and its parent call each other: the parent is ${handshake}`, async () => {
    const before = openFds();
    const [fd, program] = startWithStream(process.execPath, moduleArguments(child));
    const peer = await connect({ fd, peer: true, handshake });
    peer.export(
      PATH,
      implement(Example, {
        Echo: (value) => value,
        Slow: () => '',
        Who: () => [0, 0],
        Pass: (file) => file,
        Size: () => 0,
        Count: 0,
      }),
    );
    await program.line('parent says hello');
    const proxy = peer.proxy(Example, PATH);
    assert.is(await proxy.call.Echo('hello'), 'hello');
    using file = FileDescriptor.adopt(openSync('/dev/null', 'r'));
    using passed = await proxy.call.Pass(file);
    assert.ok(passed.fd >= 0);
    await peer.close();
    await program.line('ended by ConnectionClosedError');
    assert.is((await program.finished).code, 0);
    passed.close();
    file.close();
    await assertNoFdsLeft(before);
  });
}

const noBroker = notNode ?? missingPrograms('dbus-broker');

const Broker = defineInterface('org.bus1.DBus.Broker', {
  methods: {
    AddListener: { in: ['path:o', 'socket:h', 'policy:v'] },
    AddName: { in: ['path:o', 'name:s', 'user:u'] },
  },
});
const Echo = defineInterface('org.example.Activated', { methods: { Echo: { in: 's', out: 's' } } });
const Activatable = defineInterface('org.bus1.DBus.Name', { signals: { Activate: { args: 't' } } });

const RULES = 'bta(btbs)a(btssssuutt)a(btssssuutt)';
const POLICY = `(a(u(${RULES}))a(buu(${RULES}))a(ss)bs)`;

/** Every user may do everything. */
function allowAll() {
  type Message = [boolean, bigint, string, string, string, string, number, number, bigint, bigint];
  const anyMessage: Message = [true, 1n, '', '', '', '', 0, 0, 0n, 0xffff_ffffn];
  const anyName: [boolean, bigint, boolean, string] = [true, 1n, true, ''];
  const rules: [boolean, bigint, (typeof anyName)[], Message[], Message[]] = [
    true,
    1n,
    [anyName],
    [anyMessage],
    [anyMessage],
  ];
  return variant(POLICY, [[[0xffff_ffff, rules]], [], [], false, 'session']);
}

/** dbus-broker, which has no listener yet, and the connection of its controller. */
async function startBroker(): Promise<[MessageBus, Program]> {
  const limits = ['bytes', 'fds', 'matches', 'objects'].flatMap((name) => [`--max-${name}`, '1000000']);
  const [fd, program] = startWithStream(programPath('dbus-broker') as string, [
    ...['--controller', '3', '--machine-id', '0123456789abcdef0123456789abcdef'],
    ...limits,
  ]);
  return [await connect({ fd, peer: true }), program];
}

testUnless(noBroker, test, 'the controller of dbus-broker makes a bus, and starts a service for it', async () => {
  const before = openFds();
  const [controller, program] = await startBroker();
  assert.is(controller.peerCredentials?.pid, process.pid, 'the kernel knows the process that made the pair');
  const path = join(folder, 'broker');
  const broker = controller.proxy(Broker, '/org/bus1/DBus/Broker');
  const socket = FileDescriptor.adopt(await listeningSocket({ path }));
  await broker.call.AddListener('/org/bus1/DBus/Listener/0', socket.handOver(), allowAll());
  assert.ok(socket.closed);

  const [one, two] = await Promise.all([0, 1].map(() => connect({ address: `unix:path=${path}` })));
  if (one === undefined || two === undefined) throw new Error('not connected');
  assert.equal(await two.nameOwner('org.freedesktop.DBus'), 'org.freedesktop.DBus');
  assert.ok((await one.listNames()).includes(two.uniqueName as string));

  // The bus asks its controller for the service, and keeps the call for it.
  const name = 'org.example.Activated';
  await broker.call.AddName('/org/bus1/DBus/Name/0', name, process.getuid?.() ?? 0);
  let started = 0;
  controller.proxy(Activatable, '/org/bus1/DBus/Name/0').on.Activate(async () => {
    started++;
    one.export(PATH, implement(Echo, { Echo: (text) => text }));
    await one.requestName(name);
  });
  const call = two.proxy(Echo, name, PATH).call.Echo;
  assert.equal(await Promise.all([call('first'), call('second')]), ['first', 'second']);
  assert.is(started, 1);

  // Errors of the broker have its names.
  const twice = FileDescriptor.adopt(await listeningSocket({ path: `${path}-twice` }));
  const error = await rejection(broker.call.AddListener('/org/bus1/DBus/Listener/0', twice, allowAll()));
  assert.instance(error, DBusError);
  assert.match((error as DBusError).dbusName, /^org\.bus1\.DBus\./);
  twice.close();

  await Promise.all([one.close(), two.close()]);
  // A broker ends with its controller.
  await controller.close();
  assert.is((await program.finished).code, 0);
  await assertNoFdsLeft(before);
});

testUnless(noBroker, test, 'a controller notices the end of its broker', async () => {
  const [controller, program] = await startBroker();
  const { pid } = program;
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), 'dbus-broker');
  program.kill();
  assert.is((await controller.disconnected)?.code, 'ERR_DBUS_CONNECTION_CLOSED');
  await until(() => controller.state === 'closed');
});

test.run();
