// `busbar monitor`, beside `busctl monitor` and `dbus-monitor` on the same traffic.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OptionValues } from '../../src/cli/command.js';
import { monitor } from '../../src/cli/commands/monitor.js';
import { ExitCode, explain } from '../../src/cli/failure.js';
import { library, loadLibrary } from '../../src/cli/library.js';
import { messageJson } from '../../src/cli/monitor/message-json.js';
import { messageLine } from '../../src/cli/monitor/message-line.js';
import { Output } from '../../src/cli/output.js';
import { Session } from '../../src/cli/session.js';
import { stringWidth } from '../../src/cli/width.js';
import { connect, DBusError, defineInterface, implement, type MessageBus, Variant } from '../../src/index.js';
import { bodies } from '../helpers/arbitrary-bodies.js';
import { marshalledValues } from '../helpers/marshalled-values.js';
import { programArguments } from '../helpers/own-runtime.js';
import { missingPrograms } from '../helpers/paths.js';
import { readPcap } from '../helpers/pcap-reader.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { busbar } from './command-line.js';

const test = suite('busbar monitor');
const missing = (...programs: string[]) => PrivateBus.missing() ?? missingPrograms(...programs);
const folder = mkdtempSync(join(tmpdir(), 'busbar-monitor-'));
test.after(() => rmSync(folder, { recursive: true }));

const NAME = 'org.example.Disks';
const Disks = defineInterface(NAME, {
  methods: { Format: { in: ['disk:s', 'options:a{sv}'], out: ['size:t'] }, Fail: {} },
  signals: { Changed: { args: ['disk:s', 'bytes:ay', 'size:x'] } },
});

class World {
  readonly server: PrivateBus;
  readonly service: MessageBus;
  readonly client: MessageBus;
  readonly #object = implement(Disks, {
    Format: () => 18_446_744_073_709_551_615n,
    Fail: () => {
      throw new DBusError('org.freedesktop.DBus.Error.Failed', 'the disk is busy');
    },
  });

  private constructor(server: PrivateBus, service: MessageBus, client: MessageBus) {
    this.server = server;
    this.service = service;
    this.client = client;
    service.export('/disks', this.#object);
  }

  static async start(): Promise<World> {
    const server = await PrivateBus.start();
    const [service, client] = await Promise.all([1, 2].map(() => connect({ address: server.address })));
    const world = new World(server, service as MessageBus, client as MessageBus);
    await world.service.requestName(NAME);
    return world;
  }

  monitor(...words: readonly string[]): Program {
    const env = { ...this.server.env, FORCE_COLOR: undefined, NO_COLOR: '1', COLUMNS: undefined };
    return Program.start(process.execPath, programArguments('src/cli/main.ts', 'monitor', ...words), { env });
  }

  /** Emits a signal until all programs have printed it: a monitor does not tell when it begins. */
  async emitUntilSeen(member: string, ...programs: readonly Program[]): Promise<void> {
    for (let tries = 0; tries < 400 && !programs.every(({ stdout }) => stdout.includes(member)); tries++) {
      this.client.emit({ path: '/', interface: 'i.Edge', member });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(
      programs.every(({ stdout }) => stdout.includes(member)),
      `${member} was not seen`,
    );
  }

  /** A call with each outcome, and a signal. */
  async act(): Promise<void> {
    const disks = this.client.proxy(Disks, NAME, '/disks');
    await disks.call.Format('sda', { quick: new Variant('b', true), odd: new Variant('(ynd)', [1, -2, 0.5]) });
    await disks.call.Fail().catch(() => {});
    this.#object.emit.Changed('sdä\u001b[31m', Buffer.from([0, 255]), -9_007_199_254_740_993n);
    await this.service.listNames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.service.close(), this.client.close()]);
    await this.server.stop();
  }
}

interface Shown {
  readonly type: string;
  readonly serial: number;
  readonly sender?: string;
  readonly destination?: string;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly payload: { readonly type: string; readonly data: readonly unknown[] };
}

const isEdge = (shown: Pick<Shown, 'interface'>) => shown.interface === 'i.Edge';

testUnless(
  missing('busctl', 'dbus-monitor'),
  test,
  'shows the messages that busctl and dbus-monitor show',
  async () => {
    await using world = await World.start();
    const { env } = world.server;
    await using ours = world.monitor('--json');
    await using busctl = Program.start('busctl', ['--user', '--json=short', 'monitor'], { env });
    await using dbusMonitor = Program.start('dbus-monitor', ['--session', '--monitor'], { env });
    const programs = [ours, busctl, dbusMonitor];
    await world.emitUntilSeen('Begin', ...programs);
    await world.act();
    await world.emitUntilSeen('Finish', ...programs);
    const own = [world.client.uniqueName, world.service.uniqueName];
    const isOwn = ({ sender, destination }: Pick<Shown, 'sender' | 'destination'>) =>
      own.includes(sender as string) || own.includes(destination as string);
    const jsonLines = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .filter((line) => line.startsWith('{'));
    const shown = jsonLines(ours.stdout).map((line) => JSON.parse(line) as Shown);
    const fields = ({ type, serial, sender, destination, path, interface: interfaceName, member, payload }: Shown) => {
      const head = { type, serial, sender, destination, path, interface: interfaceName, member };
      return JSON.stringify({ ...head, payload: payload.type === '' ? undefined : payload });
    };
    const theirs = jsonLines(busctl.stdout).map((line) => {
      const { cookie, ...rest } = JSON.parse(line) as Shown & { readonly cookie: number };
      return {
        ...rest,
        serial: cookie,
        payload: rest.payload?.type === undefined ? { type: '', data: [] } : rest.payload,
      };
    });
    const chosen = (all: readonly Shown[]) => all.filter((each) => isOwn(each) && !isEdge(each)).map(fields);
    // 64-bit numbers are compared as text below: `JSON.parse` rounds them in both.
    assert.equal(chosen(shown), chosen(theirs));
    assert.ok(chosen(shown).length >= 6, ours.stdout);
    for (const exact of ['18446744073709551615', '-9007199254740993', '[0, 255]']) assert.match(ours.stdout, exact);
    const theirHeads = [
      ...dbusMonitor.stdout.matchAll(
        /^(method call|method return|error|signal) time=\S+ sender=(\S+) -> destination=(\S+) (?:serial=(\d+))?/gm,
      ),
    ];
    const heads = theirHeads.map(([, type, sender, destination, serial]) => [
      type?.replace(' ', '_'),
      sender,
      destination,
      serial,
    ]);
    const isBetween = (sender: unknown, destination: unknown) =>
      own.includes(sender as string) && own.includes(destination as string);
    const between = shown.filter(({ sender, destination }) => isBetween(sender, destination));
    assert.equal(
      between.map(({ type, sender, destination, serial }) => [
        type,
        sender,
        destination,
        type === 'error' ? undefined : String(serial),
      ]),
      heads.filter(([, sender, destination]) => isBetween(sender, destination)),
    );
  },
);

testUnless(missing(), test, 'prints calls and replies in lines with names, arrows, values and times', async () => {
  await using world = await World.start();
  await using program = world.monitor(NAME);
  await until(() => true);
  for (let tries = 0; tries < 200 && !program.stdout.includes('Changed'); tries++) {
    await world.act();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  program.kill('SIGINT');
  const { code, stdout, stderr } = await program.finished;
  assert.is(code, 0, stderr);
  const time = String.raw`\d\d:\d\d:\d\d\.\d{3}`;
  const caller = String.raw`\S+\[${world.client.uniqueName}\]`;
  assert.match(
    stdout,
    new RegExp(
      `${time} ${caller} → ${NAME} ${NAME}.Format /disks "sda", \\{"quick": b true, "odd": \\(ynd\\) \\[1, -2, 0.5\\]\\}\\n`,
    ),
  );
  assert.match(stdout, new RegExp(`${time} ${caller} ← ${NAME} ${NAME}.Format [\\d.]+ [µm]s 18446744073709551615\\n`));
  assert.match(
    stdout,
    new RegExp(
      `${time} ${caller} ← ${NAME} ${NAME}.Fail [\\d.]+ [µm]s org.freedesktop.DBus.Error.Failed "the disk is busy"\\n`,
    ),
  );
  assert.match(
    stdout,
    new RegExp(`${time} ${NAME} ⇒ ${NAME}.Changed /disks "sdä\\\\u001b\\[31m", 0x00ff, -9007199254740993\\n`),
  );
  assert.match(stderr, /^\d+ messages, [\d.]+ k?B, \d+ errors in [\d.]+ s: /);
  assert.match(stderr, new RegExp(`^${NAME}\\.Format +\\d+ .*s$`, 'm'));
  assert.match(stderr, /SLOWEST CALLS +MEMBER +CALLER +CALLEE/);
});

testUnless(missing(), test, 'ends after a number of messages, and after a time', async () => {
  await using world = await World.start();
  await using program = world.monitor('--count', '3', '--interface', 'i.Edge', '--no-summary');
  await world.emitUntilSeen('Begin', program);
  for (let index = 0; index < 3; index++) world.client.emit({ path: '/', interface: 'i.Edge', member: 'Again' });
  const { code, stdout, stderr } = await program.finished;
  assert.equal([code, stderr, stdout.trimEnd().split('\n').length], [0, '', 3]);
  const ended = await busbar(world.server, ['monitor', '--timeout', '200ms', '--type', 'error', '--json']);
  assert.equal([ended.code, ended.stdout], [0, '']);
  assert.match(ended.stderr, /^0 messages, 0 B, 0 errors in/);
});

testUnless(missing(), test, 'a very short and a very long time are no failure', async () => {
  await using world = await World.start();
  const short = await busbar(world.server, ['monitor', '--timeout', '1ms', '--interface', 'i.Edge']);
  assert.equal([short.code, short.stdout], [0, '']);
  assert.match(short.stderr, /^0 messages, 0 B, 0 errors in [^\n]*\n$/);
  for (const time of ['9999999999', 'infinity']) {
    await using long = world.monitor('--timeout', time, '--interface', 'i.Edge', '--count', '1', '--no-summary');
    await world.emitUntilSeen('Begin', long);
    const { code, stderr } = await long.finished;
    assert.equal([code, stderr], [0, ''], time);
  }
});

testUnless(missing(), test, 'a capture that cannot be written is one line with the path and the reason', async () => {
  await using world = await World.start();
  const cases = [
    ['/nonexistent/x', 'no such file or directory (ENOENT)'],
    ['/dev/full', 'no space left on device (ENOSPC)'],
    [folder, 'illegal operation on a directory (EISDIR)'],
  ] as const;
  for (const [path, reason] of cases) {
    const { code, stdout, stderr } = await busbar(world.server, ['monitor', '--pcap', path]);
    assert.equal([code, stdout, stderr], [1, '', `busbar: ${path}: ${reason}\n`]);
  }
});

testUnless(missing(), test, 'writes a packet capture to a file and to standard output', async () => {
  await using world = await World.start();
  const file = join(folder, 'bus.pcap');
  await using toFile = world.monitor('--pcap', file, '--interface', 'i.Edge');
  const isCaptured = () => {
    try {
      return readPcap(readFileSync(file)).length > 2;
    } catch {
      return false;
    }
  };
  for (let tries = 0; tries < 200 && !isCaptured(); tries++) {
    world.client.emit({ path: '/', interface: 'i.Edge', member: 'Begin' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  toFile.kill('SIGINT');
  const { code, stdout } = await toFile.finished;
  assert.equal([code, stdout], [0, '']);
  const records = readPcap(readFileSync(file));
  assert.ok(records.length > 2 && records.every(({ message }) => message.member === 'Begin'));
  await using toStdout = world.monitor('--pcap', '-', '--count', '2', '--interface', 'i.Edge', '--no-summary');
  await world.emitUntilSeen('Begin', toStdout);
  world.client.emit({ path: '/', interface: 'i.Edge', member: 'Begin' });
  assert.is((await toStdout.finished).code, 0);
});

testUnless(missing(), test, 'refuses a wrong command line, and tells what it expects', async () => {
  await using world = await World.start();
  await loadLibrary();
  const cases: readonly (readonly [readonly string[], OptionValues, string])[] = [
    [[], { type: 'call' }, '--type "call": expected one of method_call, method_return, error, signal'],
    [[], { count: 'x' }, '--count x: expected a whole number'],
    [[NAME], { sender: NAME, destination: NAME }, 'cannot be combined'],
    [[], { path: 'disks' }, 'path of a match rule'],
    [[], { match: "sender='x" }, 'match rule'],
    [['no name'], {}, 'sender of a match rule'],
  ];
  for (const [words, options, text] of cases) {
    const session = new Session({ address: world.server.address });
    const explained = explain(await rejection(monitor.run(session, words, options)));
    assert.is(explained?.exitCode, ExitCode.Usage, text);
    assert.match(explained?.text ?? '', text);
    await session.close();
  }
});

testUnless(missing(), test, 'a lost bus is an error, after the summary', async () => {
  await using world = await World.start();
  await using program = world.monitor('--interface', 'i.Edge');
  await world.emitUntilSeen('Begin', program);
  void world.client.disconnected;
  void world.service.disconnected;
  await world.server.kill();
  const { code, stderr } = await program.finished;
  assert.is(code, 3, stderr);
  assert.match(stderr, /messages, [\s\S]*connection was lost while the bus was monitored/);
});

testUnless(missing(), test, 'of entries with the same key, JSON has the last, and a packet capture all', async () => {
  await using world = await World.start();
  await loadLibrary();
  using source = world.client.monitor({ member: 'Twice' });
  await source.ready;
  const peer = await RawPeer.authenticated(world.server.address);
  const bus = 'org.freedesktop.DBus';
  await peer.call({ path: '/org/freedesktop/DBus', interface: bus, member: 'Hello', destination: bus });
  // Entries of a dictionary have the bytes of structs.
  const entries = ['one', 'two'].map((value) => ['key', new Variant('s', value)]);
  const body = marshalledValues('a(sv)', [entries]);
  peer.send({ type: 4, path: '/', interface: 'i.Edge', member: 'Twice', signature: 'a{sv}', body });
  const message = (await source.next()).value;
  peer.hangUp();
  assert.ok(message);
  assert.match(messageJson(message), '"data": [{"key": {"type": "s", "data": "two"}}]');
  const file = join(folder, 'twice.pcap');
  await library.writePcap(file, [message]);
  assert.equal(readPcap(readFileSync(file))[0]?.message.body, body);
});

testUnless(missing(), test, 'lines fit into a terminal, and JSON is valid, whatever the values are', async () => {
  await using world = await World.start();
  await loadLibrary();
  const { client } = world;
  using source = world.service.monitor({ member: 'Random' });
  await source.ready;
  const outputs = [80, 120].map(
    (columns) => new Output({ json: false, color: true }, { isTTY: true, columns } as NodeJS.WriteStream),
  );
  await fc.assert(
    fc.asyncProperty(bodies, async ([signature, body]) => {
      client.emit({ path: '/a/b', interface: 'org.example.Random', member: 'Random', signature, body });
      const message = (await source.next()).value;
      assert.ok(message);
      for (const output of outputs) {
        const line = messageLine(output, message);
        assert.ok(stringWidth(line) <= output.width, line);
        assert.is(line.includes('\n'), false);
      }
      const json = JSON.parse(messageJson(message)) as Shown;
      assert.equal([json.member, json.payload.type, json.payload.data.length], ['Random', signature, body.length]);
    }),
    replayable(200),
  );
});

test.run();
