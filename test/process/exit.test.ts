// time limit: 180 s
// When a process ends: not while something waits, at once when nothing does, and with everything delivered.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, listen, type MessageBus } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { folder } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { type Finished, Program } from '../helpers/program.js';

const daemon = await PrivateBus.start();
const bus = await connect({ address: daemon.address });
const test = suite('process exit');

test.after(async () => {
  await bus.close();
  await daemon.stop();
});

/** Runs a script that finds `bus`, `connect`, `listen` and `Example` in place. */
function run(script: string): Promise<Finished> {
  return start(script).finished;
}

function start(script: string): Program {
  const preamble = `
    import { connect, defineInterface, implement, listen } from ${JSON.stringify(libraryEntry)};
    const Example = defineInterface('org.example.Exit', { methods: { Never: {} }, signals: { Bye: { args: 's' } } });
    const bus = await connect();
  `;
  return Program.start(process.execPath, moduleArguments(preamble + script), { env: daemon.env });
}

/** Whether a process that runs this script is still there after a while. */
function staysAlive(script: string): Promise<boolean> {
  return start(`${script}; console.log('ready')`).staysAfter('ready');
}

test('a process with an idle connection ends', async () => {
  const { code } = await run(`console.log((await bus.listNames()).length)`);
  assert.is(code, 0);
});

test('a process stays for a subscription, an export, an owned name, or because it says so', async () => {
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

test('a process ends when what it stayed for is given back, or when it does not want to stay', async () => {
  const results = await Promise.all([
    run(`bus.subscribe({ member: 'Something' }, () => {}).unsubscribe()`),
    run(`bus.export('/', implement(Example, { Never() {} })).unexport()`),
    run(`bus.export('/', implement(Example, { Never() {} })); bus.unref()`),
    run(`bus.export('/', implement(Example, { Never() {} })); await bus.close()`),
  ]);
  assert.equal(
    results.map(({ code }) => code),
    [0, 0, 0, 0],
  );
});

test('a process does not stay for a rule that the bus refused alone', async () => {
  await using full = await PrivateBus.start({ limits: { max_match_rules_per_connection: 3 } });
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    process.on('warning', () => {});
    const bus = await connect({ address: ${JSON.stringify(full.address)} });
    const taken = ['A', 'B', 'C'].map((member) => bus.subscribe({ member }, () => {}));
    for (const each of taken) await each.ready;
    await bus.subscribe({ member: 'D' }, () => {}).ready.catch((error) => console.log(error.name));
    await new Promise((refused) => bus.watchName('org.example.Watched', { refused }));
    console.log('refused');
    for (const each of taken) each.unsubscribe();
  `;
  const { code, stdout } = await Program.start(process.execPath, moduleArguments(script), {}).finished;
  assert.is(code, 0);
  assert.match(stdout, /^LimitsExceededError\s+refused/);
});

test('a process waits for the calls it made', async () => {
  const { code, stdout } = await run(`
    bus.proxy(Example, bus.uniqueName, '/').with({ timeout: 300 }).call.Never().catch((error) => console.log(error.name));
    bus.export('/', implement(Example, { Never: () => new Promise(() => {}) })).unexport();
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

test('what is sent to a peer right before a process exits is delivered, from either end', async () => {
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

test('a loss that waits for its turn while another connection is busy is told before the process ends', async () => {
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
  // This end reads nothing meanwhile: a socket that is closed with something unread in it is in error at the other end.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  const [busy, lost] = ends;
  busy?.emit({ path: '/', interface: 'org.example.Exit', member: 'Bye' });
  void lost?.close();
  const { code, stdout, stderr } = await program.finished;
  assert.is(code, 0, stderr);
  assert.match(stdout, 'lost ConnectionClosedError');
});

test('a missing bus ends nothing but the promise', async () => {
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    connect({ address: 'unix:path=/nonexistent/bus' }).catch((error) => console.log(error.name));
  `;
  const { code, stdout } = await Program.start(process.execPath, moduleArguments(script)).finished;
  assert.is(code, 0);
  assert.match(stdout, 'ConnectError');
});

test.run();
