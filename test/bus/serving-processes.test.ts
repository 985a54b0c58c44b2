// time limit: 240 s
// serve() in processes of its own: signals, exit codes, what the service manager is told, and a short form of
// test/process/served-activation.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface } from '../../src/index.js';
import { callActivated } from '../helpers/activated-load.js';
import { NotifySocket } from '../helpers/notify-socket.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('serving processes');
const NAME = 'org.example.Served';
const Served = defineInterface(NAME, {
  methods: { Wait: { in: 'u', out: 'u' }, Never: {}, Hold: {}, Child: { out: 's' } },
});

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const proxy = client.proxy(Served, NAME, '/').with({ timeout: 60_000 });
test.after(async () => {
  await client.close();
  await daemon.stop();
});

/** Starts a service; `options` is the text of its options, `after` runs then. */
function start(options = '', after = '', env: Readonly<Record<string, string | undefined>> = {}): Program {
  const text = `
    import { execFileSync } from 'node:child_process';
    import { setTimeout as delay } from 'node:timers/promises';
    import { connect, defineInterface, implement, serve } from ${JSON.stringify(libraryEntry)};
    const Served = defineInterface('${NAME}', {
      methods: { Wait: { in: 'u', out: 'u' }, Never: {}, Hold: {}, Child: { out: 's' } },
    });
    const object = implement(Served, {
      Wait: async (milliseconds) => {
        console.log('called');
        await delay(milliseconds);
        return milliseconds;
      },
      Never: () => new Promise(() => {}),
      Hold: () => void service.hold(),
      Child: () => JSON.stringify(process.env),
    });
    const service = await serve(await connect(), { name: '${NAME}', objects: { '/': object }, ${options} });
    ${after}
    console.log(service.state);
  `;
  return Program.start(process.execPath, moduleArguments(text), { env: { ...daemon.env, ...env } });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends it when the calls that have arrived are answered, with code 0`, async () => {
    const service = start('', 'service.ended.then((end) => console.log(JSON.stringify(end)));');
    await service.line('running');
    const answer = proxy.call.Wait(300);
    await service.line('called');
    service.kill(signal);
    assert.is(await answer, 300);
    const { code, stdout, stderr } = await service.finished;
    assert.is(code, 0);
    assert.is(stderr, '');
    assert.match(stdout, JSON.stringify({ reason: 'signal', exitCode: 0, signal }));
  });
}

test('the same signal twice in a moment is one, as npm passes on what a terminal sends; a later one ends it at once', async () => {
  const service = start('drain: 60_000');
  await service.line('running');
  const calls = [proxy.call.Wait(10), proxy.call.Never().catch(({ name }: Error) => name)];
  await service.line('called');
  service.kill('SIGINT');
  service.kill('SIGINT');
  await calls[0];
  await delay(400 * patience);
  assert.ok(service.running);
  service.kill('SIGTERM');
  const { code } = await service.finished;
  assert.is(code, 128 + 15);
  assert.type(await calls[1], 'string');
});

test('a service that is asked to end while it starts answers the calls that waited for it', async () => {
  const service = start(`objects: async () => { console.log('starting'); await delay(300); return { '/': object }; }`);
  await service.line('starting');
  service.kill('SIGTERM');
  await client.waitForName(NAME);
  const { code, stdout } = await service.finished;
  assert.is(code, 0);
  assert.match(stdout, 'ended');
});

test('one that never gets its objects ends after the time for it', async () => {
  const service = start(
    `drain: 100, objects: () => { console.log('starting'); setInterval(() => {}, 1e6).ref(); return new Promise(() => {}); }`,
    'setTimeout(() => process.exit(), 50);',
  );
  await service.line('starting');
  service.kill('SIGTERM');
  assert.is((await service.finished).code, 0);
});

test('without handleSignals the signals do what they did', async () => {
  const service = start('handleSignals: false');
  await service.line('running');
  service.kill('SIGTERM');
  const { signal, code } = await service.finished;
  assert.ok(signal === 'SIGTERM' || code === 128 + 15);
});

test('an idle service ends its process with code 0', async () => {
  const service = start('exitWhenIdle: 50');
  const { code, stderr } = await service.finished;
  assert.is(code, 0);
  assert.is(stderr, '');
});

test('a process that something keeps alive is ended after a signal, and stays after an idle service, with a warning', async () => {
  const held = 'setInterval(() => {}, 1e6);';
  const keeper = process.versions.bun === undefined ? 'Timeout' : 'something that the runtime does not name';
  const idle = start('exitWhenIdle: 10', held);
  await idle.line('running');
  while (!idle.stderr.includes('BUSBAR_SERVICE_LINGERS')) await delay(20);
  assert.match(idle.stderr, new RegExp(`the process goes on: kept alive by .*${keeper}`));
  assert.ok(idle.running);
  idle.kill();
  // Another service of the process still runs.
  const other = `await serve(await connect(), { name: '${NAME}.Other', handleSignals: false, objects: {} });`;
  const both = start('', held + other);
  await both.line('running');
  both.kill('SIGTERM');
  while (await client.hasName(NAME)) await delay(20);
  const lingering = start('', held);
  await lingering.line('running');
  lingering.kill('SIGTERM');
  const { code, stderr } = await lingering.finished;
  assert.is(code, 0);
  assert.match(stderr, new RegExp(`BUSBAR_SERVICE_LINGERS.* is ended, which was kept alive by .*${keeper}`));
  assert.ok(both.running);
  both.kill();
  await both.finished;
});

test('the exit code tells of a failure: a name that is taken, a bus that is lost', async () => {
  await using own = await PrivateBus.start();
  const first = start('', '', own.env);
  await first.line('running');
  const second = await start('', '', own.env).finished;
  assert.is(second.code, 1);
  // Bun prints the text of an uncaught error without its name.
  const error = process.versions.bun === undefined ? 'NameTakenError: ' : '';
  assert.match(second.stderr, `${error}the name ${NAME} is taken by :1.`);
  await own.kill();
  const { code, stderr } = await first.finished;
  assert.is(code, 1);
  assert.match(stderr, /BUSBAR_SERVICE_ENDED.*org\.example\.Served has ended: disconnected: /);
});

test('an exit code of the program stays, and one that waits for the end gets no warning', async () => {
  await using own = await PrivateBus.start();
  const service = start('', 'process.exitCode = 7; void service.ended;', own.env);
  await service.line('running');
  await own.kill();
  const { code, stderr } = await service.finished;
  assert.is(code, 7);
  assert.is(stderr, '');
});

/** CLOCK_MONOTONIC. Where `hrtime` begins with the process, the time since the machine started. */
function monotonicMicroseconds(): number {
  const { bun, deno } = process.versions;
  if (bun === undefined && deno === undefined) return Number(process.hrtime.bigint() / 1000n);
  return Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1e6;
}

for (const kind of ['path', 'abstract'] as const) {
  testUnless(NotifySocket.missing, test, `the service manager is told at a socket with ${kind}`, async () => {
    await using socket = await NotifySocket.start(kind);
    const options = `reload: async () => { await delay(10); console.log('reloaded'); }`;
    const service = start(options, `service.setStatus('Two\\nlines');`, {
      NOTIFY_SOCKET: socket.address,
      WATCHDOG_USEC: undefined,
    });
    const { pid } = await socket.next();
    assert.is(pid, service.pid);
    // It owns its name by then.
    await client.nameOwner(NAME);
    await service.line('running');
    assert.not.match(await proxy.call.Child(), /NOTIFY_SOCKET|WATCHDOG/);
    const before = monotonicMicroseconds();
    service.kill('SIGHUP');
    await service.line('reloaded');
    while (socket.texts.length < 4) await delay(5);
    const answer = proxy.call.Wait(200);
    await service.line('called');
    service.kill('SIGTERM');
    while (!socket.texts.includes('STOPPING=1')) await delay(5);
    assert.ok(service.running, 'it is told before the end');
    await answer;
    await service.finished;
    const [ready, status, reloading = '', again, ...others] = socket.texts;
    assert.equal([ready, status, again], ['READY=1', 'STATUS=Two lines', 'READY=1']);
    const time = Number(/^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading)?.[1] ?? 0);
    assert.ok(time >= before && time < before + 60e6, reloading);
    assert.equal(others, ['STOPPING=1']);
  });
}

testUnless(
  NotifySocket.missing,
  test,
  'of several services of a process, the last one to end tells STOPPING=1',
  async () => {
    await using socket = await NotifySocket.start('path');
    const more = `
    await serve(await connect(), { objects: () => Promise.reject(new Error()) }).catch(() => {});
    const other = await serve(await connect(), { name: '${NAME}.Other', objects: { '/': object } });
    service.end();
    await service.ended;`;
    const services = start('', more, { NOTIFY_SOCKET: socket.address });
    await services.line('ended');
    const { Wait } = client.proxy(Served, `${NAME}.Other`, '/').call;
    assert.is(await Wait(0), 0);
    assert.equal(socket.texts, ['READY=1', 'READY=1']);
    await services.stop();
    assert.equal(socket.texts, ['READY=1', 'READY=1', 'STOPPING=1']);
  },
);

testUnless(NotifySocket.missing, test, 'it is told STOPPING=1 before the name is released', async () => {
  await using socket = await NotifySocket.start('path');
  const told: string[] = [];
  using _watch = client.watchName(NAME, { vanished: () => told.push(...socket.texts) });
  const service = start('exitWhenIdle: 20', '', { NOTIFY_SOCKET: socket.address });
  await service.finished;
  await client.listNames();
  assert.equal(told, ['READY=1', 'STOPPING=1']);
});

testUnless(
  NotifySocket.missing,
  test,
  'a hold delays an end that the service manager was told, at most for drain',
  async () => {
    await using own = await PrivateBus.start({ daemon: 'dbus-daemon' });
    await using socket = await NotifySocket.start('path');
    await using caller = await connect({ address: own.address });
    const env = { ...own.env, NOTIFY_SOCKET: socket.address };
    const service = start('exitWhenIdle: 300, drain: 700', '', env);
    await service.line('running');
    // The stopped bus reads the call first, and the release second.
    await own.kill('SIGSTOP');
    const answer = caller.proxy(Served, NAME, '/').call.Hold();
    await caller.flush();
    while (!socket.texts.includes('STOPPING=1')) await delay(5);
    await delay(50);
    await own.kill('SIGCONT');
    await answer;
    const before = performance.now();
    const { code } = await service.finished;
    assert.is(code, 0);
    assert.ok(performance.now() - before > 400, 'it waited');
    assert.equal(socket.texts, ['READY=1', 'STOPPING=1']);
  },
);

testUnless(
  NotifySocket.missing,
  test,
  'a watchdog is pinged as long as the service runs; not that of another process',
  async () => {
    await using socket = await NotifySocket.start('path');
    const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: '40000' };
    const service = start('', '', env);
    const isPing = (text: string) => text === 'WATCHDOG=1';
    while (socket.texts.filter(isPing).length < 5) await delay(5);
    await service.stop();
    // It is pinged until the end.
    while (!socket.texts.includes('STOPPING=1')) await delay(5);
    await delay(200);
    const count = socket.texts.length;
    const other = start('exitWhenIdle: 300', '', { ...env, WATCHDOG_PID: '1' });
    await other.finished;
    assert.equal(socket.texts.slice(count), ['READY=1', 'STOPPING=1']);
  },
);

testUnless(NotifySocket.missing, test, 'a watchdog with a very long time is not pinged all the time', async () => {
  await using socket = await NotifySocket.start('path');
  // More than a timer of Node.js can wait twice.
  const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: String(51 * 24 * 3600 * 1e6) };
  const { code, stderr } = await start('exitWhenIdle: 300', '', env).finished;
  assert.equal([code, stderr], [0, '']);
  assert.equal(socket.texts, ['READY=1', 'STOPPING=1']);
});

test('a service manager that is not there is a warning; with notify: false the variables stay', async () => {
  const env = { NOTIFY_SOCKET: '/nonexistent/notify' };
  const service = await start('exitWhenIdle: 20', '', env).finished;
  assert.is(service.code, 0);
  assert.match(service.stderr, /BUSBAR_NOTIFY.*was not told READY=1: ENOENT/);
  const odd = await start('exitWhenIdle: 20', '', { NOTIFY_SOCKET: 'vsock:2:1' }).finished;
  assert.match(odd.stderr, 'only unix sockets are supported');
  const silent = start('notify: false', '', env);
  await silent.line('running');
  assert.match(await proxy.call.Child(), '"NOTIFY_SOCKET":"/nonexistent/notify"');
  const { stderr } = await silent.stop();
  assert.is(stderr, '');
});

test('no call is lost to an activatable service that ends when idle, or by SIGTERM', async () => {
  const idle = await callActivated({ seconds: 3, clients: 2, idle: 2, work: 20 });
  assert.ok(idle.services > 1, JSON.stringify(idle));
  assert.equal(Object.keys(idle.ends), ['idle 0']);
  const killed = await callActivated({ seconds: 3, clients: 2, idle: 500, work: 20, kills: true });
  assert.ok((killed.ends['signal 0'] ?? 0) > 0, JSON.stringify(killed));
});

test.run();
