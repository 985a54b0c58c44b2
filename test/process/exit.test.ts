// time limit: 300 s
// When a process ends: not while an operation is pending, at once when none is, and with everything delivered.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, listen, type Message, type MessageBus } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { folder } from '../helpers/peers.js';
import { matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { type Finished, Program } from '../helpers/program.js';
import { StoppedReader } from '../helpers/stopped-reader.js';
import { StoppedServer } from '../helpers/stopped-server.js';
import { until } from '../helpers/until.js';

const daemon = await PrivateBus.start();
const bus = await connect({ address: daemon.address });
const test = suite('process exit');

test.after(async () => {
  await bus.close();
  await daemon.stop();
});

/** Runs a script with `bus`, `connect`, `listen` and `Example` in scope. */
function run(script: string): Promise<Finished> {
  return start(script).finished;
}

const preamble = `
  import { connect, defineInterface, implement, listen } from ${JSON.stringify(libraryEntry)};
  const Example = defineInterface('org.example.Exit', { methods: { Never: {} }, signals: { Bye: { args: 's' } } });
  const bus = await connect();
`;

function start(script: string): Program {
  return startAt(daemon, script);
}

function startAt({ env }: PrivateBus, script: string): Program {
  return Program.start(process.execPath, moduleArguments(preamble + script), { env });
}

/** Runs scripts whose bus is killed when they have run to their ends. */
async function runUntilBusIsKilled(
  scripts: Readonly<Record<string, string>>,
): Promise<(readonly [string, Finished])[]> {
  const doomed = await PrivateBus.start();
  const programs = Object.entries(scripts).map(([what, script]) => {
    const text = `${script}; await bus.listNames().catch(() => {}); console.log('ready')`;
    return [what, startAt(doomed, text)] as const;
  });
  for (const [, program] of programs) await program.line('ready');
  await doomed.kill();
  const results = await Promise.all(programs.map(async ([what, program]) => [what, await program.finished] as const));
  await doomed.stop();
  return results;
}

/** Whether a process that runs this script is still alive after a while. */
function staysAlive(script: string): Promise<boolean> {
  return start(`${script}; console.log('ready')`).staysAfter('ready');
}

test('a process with an idle connection ends', async () => {
  const { code } = await run(`console.log((await bus.listNames()).length)`);
  assert.is(code, 0);
});

test('a process stays for a subscription, an export, an owned name, or after ref()', async () => {
  const answers = await Promise.all(
    [
      `bus.subscribe({ member: 'Something' }, () => {})`,
      `bus.export('/', implement(Example, { Never() {} }))`,
      `process.on('warning', () => {}); await bus.requestName('org.example.Stays')`,
      `bus.ref()`,
      `bus.watchName('org.example.Watched', {})`,
    ].map(staysAlive),
  );
  assert.equal(answers, [true, true, true, true, true]);
});

test('a process ends when the subscription, export or name that kept it ends, or after unref()', async () => {
  const results = await Promise.all([
    run(`bus.subscribe({ member: 'Something' }, () => {}).end()`),
    run(`bus.export('/', implement(Example, { Never() {} })).end()`),
    run(`bus.export('/', implement(Example, { Never() {} })); bus.unref()`),
    run(`bus.export('/', implement(Example, { Never() {} })); await bus.close()`),
  ]);
  assert.equal(
    results.map(({ code }) => code),
    [0, 0, 0, 0],
  );
});

test('a process does not stay only for a rule that the bus refused', async () => {
  await using full = await PrivateBus.start({ limits: matchRuleLimit(3) });
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    process.on('warning', () => {});
    const bus = await connect({ address: ${JSON.stringify(full.address)} });
    const taken = ['A', 'B', 'C'].map((member) => bus.subscribe({ member }, () => {}));
    for (const each of taken) await each.ready;
    await bus.subscribe({ member: 'D' }, () => {}).ready.catch((error) => console.log(error.name));
    await new Promise((refused) => bus.watchName('org.example.Watched', { refused }));
    console.log('refused');
    for (const each of taken) each.end();
  `;
  const { code, stdout } = await Program.start(process.execPath, moduleArguments(script), {}).finished;
  assert.is(code, 0);
  assert.match(stdout, /^LimitsExceededError\s+refused/);
});

test('each share of a connection decides separately whether the process stays', async () => {
  const imports = `import { sessionBus } from ${JSON.stringify(libraryEntry)};`;
  const stays = await Promise.all([
    staysAlive(`${imports} const a = await sessionBus(); const b = await sessionBus();
      a.export('/a', implement(Example, { Never() {} })); b.export('/b', implement(Example, { Never() {} })); b.unref()`),
    staysAlive(`${imports} const a = await sessionBus(); const b = await sessionBus(); a.ref(); b.unref()`),
  ]);
  assert.equal(stays, [true, true]);
  const results = await Promise.all([
    run(`${imports} const a = await sessionBus(); const b = await sessionBus();
      a.export('/a', implement(Example, { Never() {} })); await a.close(); await b.listNames()`),
    run(
      `${imports} const a = await sessionBus(); const b = await sessionBus(); a.ref(); await a.close(); await b.listNames()`,
    ),
    run(`${imports} const a = await sessionBus(); const b = await sessionBus();
      b.subscribe({ member: 'S' }, () => {}); b.unref(); await a.listNames()`),
  ]);
  assert.equal(
    results.map(({ code }) => code),
    [0, 0, 0],
  );
});

test('a process waits for its pending calls', async () => {
  const { code, stdout } = await run(`
    bus.proxy(Example, bus.uniqueName, '/').with({ timeout: 300 }).call.Never().catch((error) => console.log(error.name));
    bus.export('/', implement(Example, { Never: () => new Promise(() => {}) })).end();
  `);
  assert.is(code, 0);
  assert.match(stdout, 'UnknownObjectError');
});

for (const [how, end] of [
  ['runs out of work', ''],
  ['calls process.exit', 'process.exit(0)'],
  ['throws', `throw new Error('the end')`],
] as const) {
  test(`a signal that is emitted right before a process ${how} is delivered`, async () => {
    const heard: unknown[] = [];
    using _bye = bus.subscribe({ interface: 'org.example.Exit' }, ({ body }) => heard.push(body[0]));
    await bus.listNames();
    await run(`
      for (let i = 0; i < 1000; i++) bus.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye', signature: 's', body: ['bye ' + i] });
      ${end}
    `);
    const deadline = Date.now() + 3000;
    while (heard.length < 1000 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.is(heard.length, 1000);
    assert.is(heard[999], 'bye 999');
  });
}

test('messages to a peer right before a process exits are delivered, from either end', async () => {
  const body = 'x'.repeat(1000);
  // More than a socket holds.
  const emitAndExit = `
    for (let i = 0; i < 2000; i++) {
      bus.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye', signature: 's', body: ['${body}' + i] });
    }
    process.exit(0);`;
  const heard: unknown[] = [];
  const hear = (peer: MessageBus) =>
    void peer.subscribe({ interface: 'org.example.Exit' }, ({ body: [text] }) => heard.push(text));
  await using server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: hear });
  await run(`{ const bus = await connect({ address: '${server.address}', peer: true }); ${emitAndExit} }`);
  while (server.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(heard.length, 2000);
  assert.is(heard[1999], `${body}1999`);

  heard.length = 0;
  const listening = start(`
    const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection: (bus) => { ${emitAndExit} } });
    console.log('listening ' + server.address);`);
  const address = (await listening.line('listening')).split(' ')[1] as string;
  const client = await connect({ address, peer: true });
  hear(client);
  await client.disconnected;
  assert.is(heard.length, 2000);
  assert.is((await listening.finished).code, 0);
});

test('a process whose bus is killed ends by itself and not by an error', async () => {
  const doomed = await PrivateBus.start();
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    const bus = await connect();
    bus.subscribe({ member: 'Something' }, () => {});
    await bus.listNames();
    console.log('ready');
    console.log('lost', (await bus.disconnected).name);
  `;
  const program = Program.start(process.execPath, moduleArguments(script), {
    env: doomed.env,
  });
  await program.line('ready');
  await doomed.kill();
  const { code, stdout, stderr } = await program.finished;
  assert.is(code, 0, stderr);
  assert.match(stdout, 'lost ConnectionClosedError');
  await doomed.stop();
});

test('a loss that waits for its turn while another connection is busy is reported before the process ends', async () => {
  const ends: MessageBus[] = [];
  await using server = await listen({
    address: `unix:tmpdir=${folder}`,
    onConnection: (bus) => void ends.push(bus),
  });
  const program = start(`
    bus.unref();
    const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const address = '${server.address}';
    const busy = await connect({ address, peer: true });
    busy.addMessageHandler(() => void block(20));
    busy.unref();
    const lost = await connect({ address, peer: true });
    lost.ref();
    setTimeout(() => {
      lost.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye', signature: 'ay', body: [Buffer.alloc(8e6)] });
      block(800);
    }, 200);
    console.log('ready');
    console.log('lost', (await lost.disconnected).name);
  `);
  await program.line('ready');
  // This end reads nothing meanwhile: closing a socket with unread data is an error at the other end.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  const [busy, lost] = ends;
  busy?.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye' });
  void lost?.close();
  const { code, stdout, stderr } = await program.finished;
  assert.is(code, 0, stderr);
  assert.match(stdout, 'lost ConnectionClosedError');
});

test('a process that only a silent operation kept alive ends with a code and a warning when its bus dies', async () => {
  const scripts = {
    'an export': `bus.export('/', implement(Example, { Never() {} }))`,
    'a subscription': `bus.subscribe({ member: 'Something' }, () => {})`,
    'a name': `process.on('warning', () => {}); await bus.requestName('org.example.Lost')`,
    'a watched name': `bus.watchName('org.example.Lost', {})`,
    'ref()': 'bus.ref()',
    'an export beside a call': `bus.export('/', implement(Example, { Never: () => new Promise(() => {}) }));
      bus.proxy(Example, bus.uniqueName, '/').call.Never().catch(() => {})`,
  };
  for (const [what, { code, stderr }] of await runUntilBusIsKilled(scripts)) {
    assert.is(code, 1, `${what}: ${stderr}`);
    const warning =
      /\[BUSBAR_CONNECTION_LOST\] Warning: the connection to the bus at unix:path=.* was lost.*ECONNRESET/;
    assert.match(stderr, warning, what);
  }
});

test('a process that checks for the loss, or is told of it, ends with its own code when its bus dies', async () => {
  const hasSet = 'it has set a code';
  const scripts = {
    'it awaits the loss': `bus.export('/', implement(Example, { Never() {} })); void bus.disconnected`,
    'it awaits the loss afterwards': `bus.export('/', implement(Example, { Never() {} }));
      process.on('warning', () => bus.disconnected.then(() => {}))`,
    'the connection does not matter': `bus.export('/', implement(Example, { Never() {} })); bus.unref();
      const stay = setInterval(() => { if (bus.state === 'closed') clearInterval(stay); }, 20)`,
    'a call rejects': `bus.addMessageHandler(() => true);
      bus.call({ destination: bus.uniqueName, path: '/', member: 'Never', timeout: Infinity }).catch(() => {})`,
    'an iterator throws': `(async () => {
        for await (const each of bus.proxy(Example, bus.uniqueName, '/').watch.Bye()) console.log(each);
      })().catch((error) => console.log(error.name));
      bus.proxy(Example, bus.uniqueName, '/').once.Bye().catch((error) => console.log(error.name))`,
    [hasSet]: `bus.ref(); process.on('warning', () => { process.exitCode = 0; })`,
  };
  for (const [what, { code, stderr }] of await runUntilBusIsKilled(scripts)) {
    assert.is(code, 0, `${what}: ${stderr}`);
    if (what !== hasSet && what !== 'it awaits the loss afterwards')
      assert.not.match(stderr, 'BUSBAR_CONNECTION_LOST', what);
  }
});

test('a process that connects to the same bus again has handled the loss', async () => {
  const doomed = await PrivateBus.start();
  const program = startAt(
    doomed,
    `
    bus.ref();
    console.log('ready');
    process.once('warning', async () => {
      for (;;) {
        const again = await connect().catch(() => undefined);
        if (again === undefined) continue;
        console.log('again');
        break;
      }
    });
  `,
  );
  await program.line('ready');
  await doomed.kill();
  await doomed.restart();
  const { code, stdout, stderr } = await program.finished;
  assert.match(stdout, 'again');
  assert.is(code, 0, stderr);
  await doomed.stop();
});

test('messages that are sent in listeners of exit are sent, all of them and in order, before and after the listener of busbar', async () => {
  const heard: unknown[] = [];
  using _bye = bus.subscribe({ interface: 'org.example.Exit' }, ({ body }) => heard.push(body[0]));
  await bus.listNames();
  for (const [how, end] of [
    ['runs out of work', ''],
    ['calls process.exit', 'process.exit(3)'],
    [
      'calls process.exit in a handler',
      `bus.addMessageHandler(() => process.exit(3));
      bus.emit({ path: '/', interface: 'org.example.Other', member: 'End', destination: bus.uniqueName }); bus.ref();`,
    ],
  ] as const) {
    heard.length = 0;
    const preamble = `
      const say = (text) => bus.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye', signature: 's', body: [text] });
      const sayAll = (when) => { for (let i = 0; i < 300; i++) say(when + i); };
    `;
    // The first listener is added before the connection is made.
    const { code } = await run(`
      ${preamble}
      process.prependListener('exit', () => sayAll('first '));
      process.on('exit', () => sayAll('last '));
      process.on('exit', () => say('very last'));
      for (let i = 0; i < 300; i++) say('before ' + i);
      ${end}
    `);
    assert.is(code, end === '' ? 0 : 3, how);
    await until(() => heard.at(-1) === 'very last');
    const all = ['before ', 'first ', 'last '].flatMap((when) => Array.from({ length: 300 }, (_, i) => when + i));
    assert.equal(heard, [...all, 'very last'], how);
  }
});

test('a property that changes in a listener of exit is announced', async () => {
  const heard: unknown[] = [];
  using _changes = bus.subscribe({ member: 'PropertiesChanged', arg0: 'org.example.Level' }, ({ body }) =>
    heard.push(body[1]),
  );
  await bus.listNames();
  await run(`
    const Level = defineInterface('org.example.Level', { properties: { Level: { type: 'u' } } });
    const level = implement(Level, { Level: 0 });
    process.prependListener('exit', () => { level.properties.Level = 7; });
    bus.export('/', level);
    setTimeout(() => process.exit(), 1);
  `);
  await until(() => heard.length > 0);
  assert.equal(heard, [{ Level: 7 }]);
});

test('queued bytes keep the process alive until they are read', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  const next = server[Symbol.asyncIterator]().next();
  const program = start(`{
    const bus = await connect({ address: '${server.address}', peer: true });
    const body = [Buffer.alloc(1024 * 1024)];
    for (let i = 0; i < 20; i++) bus.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye', signature: 'ay', body });
    console.log('sent');
  }`);
  const { value: peer } = await next;
  if (peer === undefined) throw new Error('no peer');
  const sizes: number[] = [];
  // The first message occupies this end for longer than an exiting process waits.
  using _bye = peer.subscribe({ interface: 'org.example.Exit' }, ({ body }: Message) => {
    if (sizes.length === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    sizes.push((body[0] as Buffer).length);
  });
  const { code, stderr } = await program.finished;
  assert.is(code, 0, stderr);
  await peer.disconnected;
  assert.is(sizes.length, 20);
});

/** More than any socket takes, sent by `bus`. */
const SEND_MUCH = `
  const body = [1, Buffer.alloc(1024 * 1024)];
  for (let i = 0; i < 30; i++) bus.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye', signature: 'uay', body });
`;

/** Runs a script that sends many bytes by `bus` to a server that does not read. */
async function runAtStoppedServer(script: string): Promise<Finished> {
  await using server = await StoppedServer.start();
  return await run(`{
    const bus = await connect({ address: '${server.address}', peer: true });
    ${SEND_MUCH}
    ${script}
  }`);
}

/** The same, sent to a client that does not read. */
async function runAtStoppedClient(script: string): Promise<Finished> {
  const listening = start(`{
    const server = await listen({ address: 'unix:tmpdir=${folder}' });
    console.log('listening ' + server.address);
    for await (const bus of server) {
      ${SEND_MUCH}
      ${script}
      await server.close();
    }
  }`);
  const address = (await listening.line('listening')).split(' ')[1] as string;
  await using _stopped = await StoppedReader.start(address, ['org.example.Exit', 'Bye']);
  return await listening.finished;
}

test('bytes that a process abandons at its end are reported, with a code; those for a client that does not read are not', async () => {
  const failed = await runAtStoppedServer('process.exit(0);');
  assert.match(
    failed.stderr,
    /\[BUSBAR_UNWRITTEN\] Warning: \d+ bytes that were sent to the peer at unix:\S+ are lost/,
  );
  assert.is(failed.code, 1);
  const served = await runAtStoppedClient('process.exit(0);');
  assert.match(served.stderr, /\[BUSBAR_UNWRITTEN\] Warning: \d+ bytes that were sent to a client are lost/);
  assert.is(served.code, 0);
});

test('bytes that close() abandons are reported as well, with a code, unless it was to end at once', async () => {
  for (const [options, warns] of [
    ['{ drain: 300 }', true],
    ['{ drain: 0 }', false],
  ] as const) {
    const script = `
      const { subscribe } = await import('node:diagnostics_channel');
      subscribe('busbar:problem', ({ message }) => console.log('problem ' + message));
      await bus.close(${options});
      console.log('closed ' + await bus.disconnected);
    `;
    for (const [runAtStopped, where, failure] of [
      [runAtStoppedServer, ' for the peer at \\S+', 1],
      [runAtStoppedClient, ' for a client', 0],
    ] as const) {
      const { code, stdout, stderr } = await runAtStopped(script);
      assert.match(stdout, 'closed undefined');
      const to = warns ? where : '';
      const lost = `up to \\d+ queued bytes${to} were lost: the other side did not read in time`;
      assert.match(stdout, new RegExp(`problem ${lost}`));
      assert.is(code, warns ? failure : 0, stderr);
      if (warns) assert.match(stderr, new RegExp(`\\[BUSBAR_UNWRITTEN\\] Warning: ${lost}`));
      else assert.not.match(stderr, 'BUSBAR_UNWRITTEN');
    }
  }
});

test('a missing bus only rejects the promise', async () => {
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    connect({ address: 'unix:path=/nonexistent/bus' }).catch((error) => console.log(error.name));
  `;
  const { code, stdout } = await Program.start(process.execPath, moduleArguments(script)).finished;
  assert.is(code, 0);
  assert.match(stdout, 'ConnectError');
});

test.run();
