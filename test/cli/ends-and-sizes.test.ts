// time limit: 180 s
// Output that is cut off, Ctrl+C, and services with many names, many objects, and deep paths.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, type MessageBus } from '../../src/index.js';
import { programArguments } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program, run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { printed, printedJson } from './command-line.js';

const test = suite('busbar: ends and sizes');

const NAME = 'org.example.Big';
const Numbered = defineInterface('org.example.Numbered1', {
  methods: { Wait: { out: 's' } },
  properties: { Number: { type: 'u', access: 'read' } },
});
const OBJECTS = 2000;
const NAMES = 1000;
const DEPTH = 1000;
const deep = `/deep${Array.from({ length: DEPTH }, (_, index) => `/d${index}`).join('')}`;

async function startService(bus: MessageBus): Promise<{ waiting: () => number }> {
  let waiting = 0;
  const Wait = () => {
    waiting++;
    return new Promise<string>(() => {});
  };
  for (let index = 0; index < OBJECTS; index++) {
    bus.export(`/org/example/big/object_${index}`, implement(Numbered, { Wait, Number: index }));
  }
  bus.export(deep, implement(Numbered, { Wait, Number: 0 }));
  await Promise.all(Array.from({ length: NAMES }, (_, index) => bus.requestName(`${NAME}.Name_${index}`)));
  await bus.requestName(NAME);
  return { waiting: () => waiting };
}

testUnless(PrivateBus.missing({ daemon: 'dbus-daemon' }), test, 'many names, many objects, a deep path', async () => {
  const limits = { max_names_per_connection: NAMES + 10 };
  await using daemon = await PrivateBus.start({ daemon: 'dbus-daemon', limits });
  await using bus = await connect({ address: daemon.address });
  await startService(bus);
  const [names, paths, below, all] = await Promise.all([
    printedJson(daemon, 'list'),
    printed(daemon, 'tree', NAME, '--list'),
    printed(daemon, 'tree', NAME, '--path', '/deep/d0', '--no-interfaces'),
    printed(daemon, 'tree'),
  ]);
  const listed = (names as { name: string }[]).map(({ name }) => name);
  assert.is(listed.filter((name) => name.startsWith(`${NAME}.Name_`)).length, NAMES);
  const lines = paths.trimEnd().split('\n');
  assert.is(lines.filter((line) => line.startsWith('/org/example/big/object_')).length, OBJECTS);
  assert.is(lines.filter((line) => line.startsWith('/deep')).length, DEPTH + 1);
  assert.ok(lines.includes(deep));
  assert.is(below.trimEnd().split('\n').length, DEPTH);
  // All names of one connection have the same objects, which are shown once.
  assert.match(all, new RegExp(`^${NAME}, ${NAME}\\.Name_0, ${NAME}\\.Name_1 and ${NAMES - 2} more names\n/\n`, 'm'));
  assert.is(all.split('\n').filter((line) => line.includes('object_77')).length, 11, '77, and 770 to 779, once');
});

testUnless(
  PrivateBus.missing(),
  test,
  'output that is cut off, as by head, ends every command in silence',
  async () => {
    await using daemon = await PrivateBus.start();
    await using bus = await connect({ address: daemon.address });
    for (let index = 0; index < OBJECTS; index++) {
      bus.export(`/org/example/big/object_${index}`, implement(Numbered, { Wait: () => '', Number: index }));
    }
    await bus.requestName(NAME);
    const commands = [
      ['list', '--json'],
      ['tree', NAME],
      ['tree', NAME, '--json'],
      ['introspect', NAME, '/org/example/big', '--xml'],
      ['monitor'],
    ];
    // `monitor` sees the traffic of the others.
    const ended = commands.map(async (words) => {
      const program = [process.execPath, ...programArguments('src/cli/main.ts', ...words)];
      const script = `set -o pipefail; "$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
      return { words, ...(await run('bash', ['-c', script, 'bash', ...program], { env: daemon.env })) };
    });
    const timer = setInterval(() => void bus.listNames(), 100).unref();
    for (const { words, stdout, stderr } of await Promise.all(ended)) {
      assert.is(stderr, '', words.join(' '));
      assert.match(stdout, /\n0\n$/, words.join(' '));
    }
    clearInterval(timer);
  },
);

testUnless(PrivateBus.missing(), test, 'Ctrl+C ends a command that waits at once, with 130', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const { waiting } = await startService(bus);
  const [path, name] = ['/org/example/big/object_5', 'org.example.Numbered1'];
  const options = { env: { ...daemon.env, FORCE_COLOR: undefined } };
  const call = Program.start(
    process.execPath,
    programArguments('src/cli/main.ts', 'call', NAME, path, name, 'Wait', '--timeout', '60000'),
    options,
  );
  await until(() => waiting() === 1);
  call.kill('SIGINT');
  const interrupted = await call.finished;
  assert.is(interrupted.code, 130);
  assert.is(interrupted.stdout, '');
  assert.not.match(interrupted.stderr, /\n\s+at /);

  // A service that does not answer while its tree is walked.
  bus.addMessageHandler(({ member }) => member === 'Introspect');
  const asked = bus.stats().messagesReceived;
  const walk = Program.start(process.execPath, programArguments('src/cli/main.ts', 'tree', NAME), options);
  await until(() => bus.stats().messagesReceived > asked + 1);
  walk.kill('SIGINT');
  const { code, stderr } = await walk.finished;
  assert.is(code, 130);
  assert.not.match(stderr, /\n\s+at /);
});

test.run();
