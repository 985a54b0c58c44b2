/** The private buses of the tests themselves: both daemons, their policies, and that nothing is left behind. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { moduleArguments } from '../helpers/own-runtime.js';
import { missingPrograms, projectRoot } from '../helpers/paths.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { outputOf, Program, run } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('private bus');
const dbusSend = missingPrograms('dbus-send');

/** Requests the id of the bus, which every bus can answer. */
const getId = (bus: PrivateBus, options = {}) =>
  run(
    'dbus-send',
    [`--bus=${bus.address}`, '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.GetId'],
    {
      env: bus.env,
      ...options,
    },
  );

const alive = (pid: number) => existsSync(`/proc/${pid}`);
const folderOf = (bus: PrivateBus) => dirname(bus.address.slice('unix:path='.length));

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon }) ?? dbusSend;

  testUnless(missing, test, `${daemon} answers, and leaves neither process nor folder behind`, async () => {
    const bus = await PrivateBus.start({ daemon });
    const { pid } = bus;
    assert.is((await getId(bus)).code, 0);
    await bus.stop();
    assert.not(bus.running);
    assert.not(alive(pid));
    assert.not(existsSync(folderOf(bus)));
  });

  testUnless(missing, test, `${daemon} can be killed and started again on the same address`, async () => {
    const bus = await PrivateBus.start({ daemon });
    try {
      const first = bus.pid;
      await bus.kill('SIGKILL');
      assert.not(alive(first));
      assert.is.not((await getId(bus)).code, 0);
      await bus.restart();
      assert.is.not(bus.pid, first);
      assert.is((await getId(bus)).code, 0);
    } finally {
      await bus.stop();
    }
  });

  testUnless(missing, test, `${daemon} ends with a process that fails before it stops its bus`, async () => {
    const program = `
      const { PrivateBus } = await import(${JSON.stringify(import.meta.resolve('../helpers/private-bus.js'))});
      const bus = await PrivateBus.start({ daemon: '${daemon}' });
      console.log(JSON.stringify({ event: 'started', pid: bus.pid, address: bus.address }));
      setTimeout(() => { throw new Error('as tests do'); }, 100);`;
    const child = Program.start(process.execPath, moduleArguments(program), { cwd: projectRoot });
    const { pid, address } = await child.event('started');
    assert.is((await child.finished).code, 1);
    assert.ok(await untilTrue(() => !alive(pid as number)));
    assert.not(existsSync(dirname((address as string).slice('unix:path='.length))));
  });
}

testUnless(PrivateBus.missing() ?? dbusSend, test, 'a system bus denies messages that no policy allows', async () => {
  const bus = await PrivateBus.start({ type: 'system' });
  try {
    const request = ['--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.RequestName'];
    const { code, stderr } = await run('dbus-send', [
      `--bus=${bus.address}`,
      ...request,
      'string:com.example.A',
      'uint32:4',
    ]);
    assert.is(code, 1);
    assert.match(stderr, 'org.freedesktop.DBus.Error.AccessDenied');
  } finally {
    await bus.stop();
  }
});

testUnless(PrivateBus.missing() ?? dbusSend, test, 'a given policy adds to the standard one', async () => {
  const policy = '<policy context="default"><allow own="com.example.A"/></policy>';
  const bus = await PrivateBus.start({ type: 'system', policy });
  try {
    const request = ['--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.RequestName'];
    const output = await outputOf('dbus-send', [
      `--bus=${bus.address}`,
      ...request,
      'string:com.example.A',
      'uint32:4',
    ]);
    assert.match(output, 'uint32 1');
  } finally {
    await bus.stop();
  }
});

testUnless(PrivateBus.missing() ?? dbusSend, test, 'a limit of the daemon is enforced', async () => {
  const bus = await PrivateBus.start({ limits: { max_names_per_connection: 1 } });
  try {
    const request = ['--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.RequestName'];
    const { stderr } = await run('dbus-send', [`--bus=${bus.address}`, ...request, 'string:com.example.A', 'uint32:4']);
    assert.match(stderr, 'LimitsExceeded');
  } finally {
    await bus.stop();
  }
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(PrivateBus.missing({ daemon }), test, `${daemon} does not start with an unknown limit`, async () => {
    const error = await rejection(PrivateBus.start({ daemon, limits: { max_of_another_daemon: 1 } }));
    assert.match(error.message, 'max_of_another_daemon');
  });
}

async function untilTrue(condition: () => boolean, limit = 3_000): Promise<boolean> {
  for (const start = Date.now(); Date.now() - start < limit; ) {
    if (condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

test.run();
