// connect({ host }): a stand-in for ssh runs the command on this machine, so the real bridge connects to a private bus.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectError, connect, InvalidArgumentError } from '../../src/index.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { programPath } from '../helpers/paths.js';
import { Example, exampleObject, PATH } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('buses of other machines');
const folder = mkdtempSync(join(tmpdir(), 'busbar-ssh-'));
const log = join(folder, 'log');
const daemon = await PrivateBus.start();
const before = { ...process.env };

test.before(() => {
  Object.assign(process.env, { ...daemon.env, PATH: `${folder}${delimiter}${before.PATH}` });
});
test.after(async () => {
  for (const name of [...Object.keys(daemon.env), 'PATH']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

const noBridge = programPath('systemd-stdio-bridge') === undefined ? 'systemd-stdio-bridge not installed' : undefined;

/** Installs a program `ssh`, which notes its process id and arguments first. */
function installSsh(script: string): void {
  install('ssh', script);
}

function install(program: string, script: string): void {
  const path = join(folder, program);
  rmSync(log, { force: true });
  writeFileSync(path, `#!/bin/sh\necho $$ "$@" > '${log}.new'\nmv '${log}.new' '${log}'\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Runs the command on this machine. The bridge has no other way to be told where a private bus is. */
const RUNS_HERE = 'while [ "$1" != -- ]; do shift; done; shift 2; exec "$1" --bus-path="$DBUS_SYSTEM_BUS_ADDRESS"';

/** The arguments of the stand-in, and whether it runs. */
const logged = () => readFileSync(log, 'utf8').trim().split(' ');
const hasEnded = () =>
  !existsSync(`/proc/${logged()[0]}`) || /\) Z /.test(readFileSync(`/proc/${logged()[0]}/stat`, 'utf8'));

for (const [bus, host, words] of [
  ['system', 'admin@machine', '-xT -- admin@machine systemd-stdio-bridge'],
  ['session', 'machine:2222', '-xT -p 2222 -- machine systemd-stdio-bridge --user'],
  [undefined, 'admin@[::1]:22', '-xT -p 22 -- admin@::1 systemd-stdio-bridge --user'],
] as const) {
  testUnless(noBridge, test, `it connects to the ${bus ?? 'session'} bus of ${host}`, async () => {
    const open = openFds();
    installSsh(RUNS_HERE);
    const remote = await connect({ host, bus });
    assert.is(logged().slice(1).join(' '), words);
    assert.match(remote.uniqueName ?? '', /^:1\.\d+$/);
    remote.export(PATH, exampleObject());
    assert.is(remote.canSendFileDescriptors, false);
    const here = await connect({ address: daemon.address });
    assert.is(await here.proxy(Example, remote.uniqueName as string, PATH).call.Echo('hello'), 'hello');
    await Promise.all([remote.close(), here.close()]);
    await until(hasEnded);
    await assertNoFdsLeft(open);
  });
}

testUnless(noBridge, test, 'it connects to a bus of a container, by the bridge of this machine', async () => {
  const bridge = programPath('systemd-stdio-bridge') as string;
  for (const [bus, machine, words] of [
    ['system', 'container', '--machine=container'],
    ['session', 'admin@con-tainer.1', '--machine=admin@con-tainer.1 --user'],
  ] as const) {
    install('systemd-stdio-bridge', `exec ${bridge} --bus-path="$DBUS_SYSTEM_BUS_ADDRESS"`);
    await using inside = await connect({ machine, bus });
    assert.is(logged().slice(1).join(' '), words);
    assert.ok((await inside.listNames()).includes(inside.uniqueName as string));
  }
  rmSync(join(folder, 'systemd-stdio-bridge'));
});

testUnless(
  noBridge,
  test,
  'a container that is not running is refused, in the words of the bridge if it has any',
  async () => {
    const error = await rejection(connect({ machine: 'busbar-no-such-container', bus: 'system' }));
    assert.instance(error, ConnectError);
    assert.match(
      (error as Error).message,
      /^the system bus of the container busbar-no-such-container: no connection .*/,
    );
    assert.match(
      (error as Error).message,
      /; systemd-stdio-bridge (said: Failed to |ended with exit code 1: is it a container)/,
    );
  },
);

test('what is no name of a container is refused', async () => {
  for (const machine of ['', '-x', 'a b', 'a/b', 'user@', '@a', '.host', 'a:b', 5]) {
    const error = await rejection(connect({ machine: machine as string }));
    assert.instance(error, InvalidArgumentError, String(machine));
    assert.match((error as Error).message, /^machine: expected the name of a container, as machinectl lists it, got /);
  }
  const error = await rejection(connect({ machine: 'a', host: 'b' }));
  assert.match(String(error), /machine: cannot be combined with `host`/);
});

testUnless(noBridge, test, 'a bus of another machine is connected again when ssh ends', async () => {
  installSsh(RUNS_HERE);
  await using here = await connect({ address: daemon.address });
  const open = openFds();
  const remote = await connect({ host: 'machine', reconnect: { minDelay: 1 } });
  remote.export(PATH, exampleObject());
  const heard: unknown[] = [];
  remote.subscribe({ interface: 'org.example.Again' }, ({ body }) => heard.push(body[0]));
  await using _name = await remote.requestName('org.example.Remote');
  for (let round = 0; round < 3; round++) {
    const restored = new Promise<void>((resolve) => {
      const watch = remote.watchConnection({
        restored: () => {
          watch.end();
          resolve();
        },
      });
    });
    process.kill(Number(logged()[0]), 'SIGKILL');
    await restored;
    assert.is(await here.proxy(Example, 'org.example.Remote', PATH).call.Echo(`${round}`), `${round}`);
    here.emit({ path: '/', interface: 'org.example.Again', member: 'Number', signature: 'u', body: [round] });
    await until(() => heard.length === round + 1);
  }
  assert.equal(heard, [0, 1, 2]);
  await remote.close();
  await until(hasEnded);
  await assertNoFdsLeft(open);
});

/** A program that forwards each part of either stream after a while, as over a slow line. */
const SLOW = `
  const { spawn } = require('node:child_process');
  const bridge = spawn('systemd-stdio-bridge', ['--bus-path=' + process.env.DBUS_SYSTEM_BUS_ADDRESS]);
  const forward = (from, to) => {
    from.on('data', (part) => setTimeout(() => to.write(part), 50));
    from.on('end', () => setTimeout(() => to.end(), 50));
  };
  forward(process.stdin, bridge.stdin);
  forward(bridge.stdout, process.stdout);
`;

testUnless(
  noBridge,
  test,
  'what was sent before the end arrives, although ssh has read it and still forwards it',
  async () => {
    const file = join(folder, 'slow.cjs');
    writeFileSync(file, SLOW);
    installSsh(`exec '${process.execPath}' '${file}'`);
    await using here = await connect({ address: daemon.address });
    const heard: unknown[] = [];
    using _numbers = here.subscribe({ interface: 'org.example.Slow' }, ({ body }) => heard.push(body[0]));
    await here.listNames();
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    const remote = await connect({ host: 'machine' });
    for (const number of numbers) {
      remote.emit({ path: '/', interface: 'org.example.Slow', member: 'Number', signature: 'u', body: [number] });
      if (number === 50) await delay(20);
    }
    await remote.close();
    await here.listNames();
    assert.equal(heard, numbers);
    await until(hasEnded);
  },
);

test('the error of a connection that fails quotes ssh', async () => {
  installSsh('echo "admin@machine: Permission denied (publickey)." >&2; exit 255');
  const open = openFds();
  const error = await rejection(connect({ host: 'admin@machine', bus: 'system' }));
  assert.instance(error, ConnectError);
  assert.match((error as Error).message, /^the system bus of admin@machine: no connection to a bus could be made: /);
  assert.match((error as Error).message, /; ssh said: admin@machine: Permission denied \(publickey\)\.$/);
  await assertNoFdsLeft(open);
});

test('without ssh, the error says so', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nonexistent';
  try {
    assert.match(String(await rejection(connect({ host: 'machine' }))), /; ssh is not installed, or not in PATH$/);
  } finally {
    process.env.PATH = path;
  }
});

test('an attempt that is aborted, or takes too long, ends ssh', async () => {
  const open = openFds();
  installSsh('exec sleep 60');
  const aborting = new AbortController();
  const attempt = connect({ host: 'machine', signal: aborting.signal });
  await until(() => existsSync(log));
  aborting.abort(new Error('enough'));
  assert.is(((await rejection(attempt)) as Error).message, 'enough');
  await until(hasEnded);
  installSsh('exec sleep 60');
  assert.match(String(await rejection(connect({ host: 'machine', timeout: 300 }))), /within 300 ms/);
  await assertNoFdsLeft(open);
});

test('what is no host, and options that contradict one, are refused before ssh runs', async () => {
  installSsh(RUNS_HERE);
  for (const host of [
    '',
    '-oProxyCommand=x',
    'user@',
    'a b',
    'user@-x',
    '-l@machine',
    'machine:',
    'machine:x',
    'a/b',
    5,
  ]) {
    const error = await rejection(connect({ host: host as string }));
    assert.instance(error, InvalidArgumentError, String(host));
    assert.match((error as Error).message, /^host: expected a host for ssh/);
  }
  for (const [options, text] of [
    [{ address: 'unix:path=/x' }, /^address: cannot be combined with `host`/],
    [{ fd: 3 }, /cannot be combined with/],
    [{ peer: true }, /^peer: cannot be combined with `host`/],
    [{ wait: true }, /^wait: cannot be combined with `host`/],
    [{ bus: 'starter' }, /^bus: another machine has only/],
    [{ transport: 'sd-bus' }, /^transport: `host` needs/],
    [{ handshake: 'none' }, /^handshake: only for/],
  ] as const) {
    const error = await rejection(connect({ host: 'machine', ...options }));
    assert.instance(error, InvalidArgumentError);
    assert.match((error as Error).message, text);
  }
  assert.not.ok(existsSync(log));
});

test.run();
