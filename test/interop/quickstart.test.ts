// time limit: 180 s
/** The quickstart as a new user runs it: both programs by their commands, `npm start`, and the description on disk. */
import { readFileSync } from 'node:fs';
import { connect, parseIntrospection } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { transportKind } from '../../src/native/runtime.js';
import { withoutSdbusLibrary } from '../helpers/no-sd-bus.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program, run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { halfArguments, interfaceName, name, path, startService } from './quickstart-service.js';

const test = suite('quickstart');
const missing = PrivateBus.missing();

/** The output of the client, in order. */
const conversation = [
  "TestProperty is { web: 'running', mail: 'running', build: 'paused' }",
  'TestSignal says {',
  'TestMethod says Success',
  'TestMethod says Fail: no machine of this kind',
  'changed: {',
  "TestProperty is { web: 'stopped', mail: 'running', build: 'paused' }",
];

/** Asserts that the lines are printed in this order, whatever is between them. */
function assertInOrder(output: string, lines: readonly string[]): void {
  let from = 0;
  for (const line of lines) {
    const at = output.indexOf(line, from);
    assert.ok(at >= 0, `"${line}" is missing or out of order in\n${output}`);
    from = at + line.length;
  }
}

testUnless(missing, test, 'the two programs find each other on the bus of the environment', async () => {
  const bus = await PrivateBus.start();
  try {
    const service = Program.start(process.execPath, ['scripts/run.mjs', 'examples/quickstart/service.ts'], {
      env: bus.env,
    });
    await service.line('ready');
    const client = await run(process.execPath, ['scripts/run.mjs', 'examples/quickstart/client.ts'], { env: bus.env });
    assert.is(client.code, 0, client.stderr);
    assertInOrder(client.stdout, conversation);
    const { code, stdout } = await service.stop();
    assert.is(code, 0);
    assert.match(stdout, 'goodbye');
  } finally {
    await bus.stop();
  }
});

testUnless(missing, test, 'the service reports the end of the bus, and ends', async () => {
  const bus = await PrivateBus.start();
  try {
    const service = await startService(bus);
    await bus.kill();
    const { code, stdout } = await service.finished;
    assert.is(code, 1);
    assert.match(stdout, 'the bus is gone: ');
  } finally {
    await bus.stop();
  }
});

testUnless(missing, test, 'a program that cannot work ends and prints the reason', async () => {
  const bus = await PrivateBus.start();
  try {
    const early = await run(process.execPath, halfArguments('client'), { env: bus.env });
    assert.is(early.code, 1);
    assert.match(early.stderr, `ServiceUnknownError: The name ${name}`);
    const first = await startService(bus);
    const second = await run(process.execPath, halfArguments('service'), { env: bus.env });
    assert.is(second.code, 1);
    assert.match(second.stderr, `NameTakenError: the name ${name} is taken by :1.`);
    await first.stop();
  } finally {
    await bus.stop();
  }
  const alone = await run(process.execPath, halfArguments('client'), { env: bus.env });
  assert.is(alone.code, 1);
  assert.match(alone.stderr, `ConnectError: `);
  assert.match(alone.stderr, bus.address);
});

testUnless(missing, test, 'npm start runs both programs on the session bus', async () => {
  const bus = await PrivateBus.start();
  try {
    const { code, stdout, stderr } = await run(process.execPath, ['scripts/start.mjs'], { env: bus.env });
    assert.is(code, 0, stdout + stderr);
    assert.match(stdout, `On the session bus, ${bus.address}.`);
    assertInOrder(stdout, ['[service] ', ...conversation.map((line) => `[client]  ${line}`), '[service] goodbye']);
  } finally {
    await bus.stop();
  }
});

testUnless(missing, test, 'npm start makes a private bus if no session bus answers', async () => {
  const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' };
  const { code, stdout, stderr } = await run(process.execPath, ['scripts/start.mjs'], { env });
  assert.is(code, 0, stdout + stderr);
  assert.match(stdout, 'starting a private one');
  assertInOrder(stdout, conversation);
});

test('npm start works without a bus if it has to, and without an sd-bus library then', async () => {
  // The other transport is that library.
  const env = transportKind() === 'socket' ? withoutSdbusLibrary() : {};
  const { code, stdout, stderr } = await run(process.execPath, ['scripts/start.mjs', '--peer'], { env });
  assert.is(code, 0, stdout + stderr);
  assertInOrder(stdout, ['Without a bus', '[service] ready at unix:path=', ...conversation, '[service] goodbye']);
});

testUnless(missing, test, 'the XML file equals the introspection data of the service', async () => {
  const daemon = await PrivateBus.start();
  try {
    const service = await startService(daemon);
    const bus = await connect({ address: daemon.address });
    const call = { destination: name, path, interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
    const [live] = await bus.call(call);
    await bus.close();
    await service.stop();
    const file = readFileSync('examples/quickstart/org.example.dbustest.xml', 'utf8');
    const offered = parseIntrospection(live as string).interfaces.get(interfaceName);
    assert.ok(offered);
    assert.equal(parseIntrospection(file).interfaces.get(interfaceName), offered);
  } finally {
    await daemon.stop();
  }
});

test.run();
