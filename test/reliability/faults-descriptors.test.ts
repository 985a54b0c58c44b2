// A process without free file descriptors, as a client, as a server and as a sender: the operation that needs another one
// fails, everything else continues, and so does the rest when descriptors are free again.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, FileDescriptor, implement } from '../../src/index.js';
import { TRANSPORT } from '../helpers/fake-bus-session.js';
import { fewDescriptors } from '../helpers/few-descriptors.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { Example, folder, PATH } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program, type ProgramOptions } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const NAME = 'org.example.Faults';
const Faults = defineInterface(NAME, {
  methods: { Echo: { in: 's', out: 's' }, Give: { in: 'u', out: 'ah' } },
});

const test = suite('faults: descriptors');

/** Runs a script in a process that may have a hundred descriptors, with functions to use them up. */
function starving(script: string, options: ProgramOptions = {}): Program {
  const preamble = `
    import { subscribe } from 'node:diagnostics_channel';
    import { closeSync, openSync, readdirSync } from 'node:fs';
    import { connect, defineInterface, FileDescriptor, implement, listen } from ${JSON.stringify(libraryEntry)};
    ${fewDescriptors}
    // With its first stream, Node.js reserves a descriptor: it must not do so between two counts.
    void process.stdout;
    const say = (event, facts) => console.log(JSON.stringify({ event, ...facts }));
    const outcome = (promise) => promise.then(() => 'done', ({ name, message }) => name + ': ' + message);
    const openFds = () => readdirSync('/proc/self/fd').length;
    const taken = [];
    const exhaust = (spare) => {
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      for (let i = 0; i < spare; i++) closeSync(taken.pop());
    };
    const relieve = () => { for (const fd of taken.splice(0)) closeSync(fd); };
  `;
  return Program.start(process.execPath, moduleArguments(preamble + script), options);
}

testUnless(
  PrivateBus.missing(),
  test,
  'a client gets an error for connecting and receiving, and continues',
  async () => {
    await using daemon = await PrivateBus.start();
    await using service = await connect({ address: daemon.address });
    const give = (number: number) =>
      Array.from({ length: number }, () => FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver());
    service.export('/faults', implement(Faults, { Echo: (text) => text, Give: give }));
    await service.requestName(NAME);
    await using client = starving(
      `
    const call = (bus, member, signature, body) =>
      bus.call({ destination: '${NAME}', path: '/faults', interface: '${NAME}', member, signature, body });
    const take = async (bus) => { for (const fd of (await call(bus, 'Give', 'u', [10]))[0]) fd.close(); };
    let bus = await connect();
    // Modules that are loaded later need descriptors.
    await take(bus);
    await (await connect()).close();
    await outcome(connect({ address: 'unix:path=/nonexistent' }));
    const before = openFds();
    exhaust(0);
    say('connect', { outcome: await outcome(connect()) });
    closeSync(taken.pop());
    say('receive', { outcome: await outcome(take(bus)), state: bus.state });
    say('after', { outcome: await outcome(call(bus, 'Echo', 's', ['text'])) });
    relieve();
    if (bus.state !== 'open') bus = await connect();
    say('relieved', { outcome: await outcome(take(bus)), left: openFds() - before });
    await bus.close();
    `,
      { env: daemon.env },
    );
    assert.match(String((await client.event('connect')).outcome), /^ConnectError: .*EMFILE/s);
    const received = await client.event('receive');
    const after = await client.event('after');
    if (TRANSPORT.outlivesLostDescriptors) {
      assert.match(String(received.outcome), /^NotSupportedError: .*no room for its file descriptors/);
      assert.equal([received.state, after.outcome], ['open', 'done']);
    } else {
      assert.match(String(received.outcome), /^ConnectionClosedError: /);
      assert.match(String(after.outcome), /^ConnectionClosedError: /);
    }
    const relieved = await client.event('relieved');
    assert.equal([relieved.outcome, relieved.left], ['done', 0]);
    assert.is((await client.finished).code, 0);
  },
);

test('a server reports once that it cannot accept, serves its clients, and accepts the others when it can', async () => {
  await using server = starving(`
    subscribe('busbar:problem', ({ kind, message }) => say('problem', { kind, message }));
    let ticks = 0;
    setInterval(() => ticks++, 10);
    const Example = defineInterface('org.example.Peer', { methods: { Echo: { in: 'v', out: 'v' } } });
    const onConnection = (bus) => bus.export('${PATH}', implement(Example, { Echo: (value) => value }));
    const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection });
    say('listening', { address: server.address });
    process.stdin.on('data', (order) => {
      if (String(order) === 'exhaust\\n') exhaust(0);
      if (String(order) === 'relieve\\n') relieve();
      if (String(order) === 'end\\n') process.exit(0);
      const { user, system } = process.cpuUsage();
      say('obeyed', { ticks, busy: (user + system) / 1000, now: performance.now() });
    });
  `);
  const address = String((await server.event('listening')).address);
  const order = async (word: string) => {
    server.write(`${word}\n`);
    const { ticks, busy, now } = await server.event('obeyed');
    return { ticks: Number(ticks), busy: Number(busy), now: Number(now) };
  };
  const echo = (client: Awaited<ReturnType<typeof connect>>) => client.proxy(Example, PATH).call.Echo('text');
  const connected = () => connect({ address, peer: true, timeout: 10_000 * patience });
  for (let round = 1; round <= 2; round++) {
    await using first = await connected();
    assert.is(await echo(first), 'text');
    const before = await order('exhaust');
    const others = [connected(), connected(), connected()];
    let settled = 0;
    for (const other of others) void other.then(() => settled++);
    const { kind, message } = await server.event('problem');
    assert.is(kind, 'peer');
    assert.match(String(message), 'no client can be accepted at the moment: EMFILE');
    // Its timers still fire, long enough for several further attempts, which a timer starts as well.
    while ((await order('wait')).ticks <= before.ticks + 50) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.is(await echo(first), 'text');
    assert.is(settled, 0);
    const after = await order('relieve');
    const [busy, time] = [after.busy - before.busy, after.now - before.now];
    assert.ok(busy < time / 2, `it was busy for ${busy} of ${time} ms, without anything to do`);
    for (const other of others) {
      await using client = await other;
      assert.is(await echo(client), 'text');
    }
    assert.is(server.stdout.match(/"event":"problem"/g)?.length, round);
  }
  server.write('end\n');
  assert.is((await server.finished).code, 0);
});

test('a message that has to wait, and whose descriptors cannot, is refused, and the others are not', async () => {
  await using sender = starving(`
    const Example = defineInterface('org.example.Peer', {
      methods: { Pass: { in: 'h', out: 'h' }, Size: { in: 'ay', out: 'u' } },
    });
    const onConnection = (bus) =>
      bus.export('${PATH}', implement(Example, { Pass: (fd) => fd.handOver(), Size: (bytes) => bytes.length }));
    const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection });
    const bus = await connect({ address: server.address, peer: true });
    const { Pass, Size } = bus.proxy(Example, '${PATH}').call;
    const pass = async () => (await Pass(FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver())).close();
    await pass();
    const before = openFds();
    exhaust(1);
    // Larger than the kernel takes at once, so that the next message has to wait.
    const size = outcome(Size(new Uint8Array(20_000_000)));
    const { queuedBytes } = bus.stats();
    const refused = outcome(pass());
    const last = outcome(Size(new Uint8Array(10)));
    say('sent', { size: await size, refused: await refused, last: await last, queuedBytes, state: bus.state });
    relieve();
    say('relieved', { outcome: await outcome(pass()), left: openFds() - before });
    await bus.close();
    await server.close();
  `);
  const sent = await sender.event('sent');
  assert.ok(Number(sent.queuedBytes) > 0);
  assert.match(String(sent.refused), /^LimitsExceededError: the message was not sent: .*\(EMFILE\)/);
  assert.equal([sent.size, sent.last, sent.state], ['done', 'done', 'open']);
  const relieved = await sender.event('relieved');
  assert.equal([relieved.outcome, relieved.left], ['done', 0]);
  assert.is((await sender.finished).code, 0);
});

test('a reply that has to wait, and whose descriptor cannot, is an error for the caller', async () => {
  await using server = starving(`
    const Example = defineInterface('org.example.Peer', { methods: { Large: { out: 'ay' }, Give: { out: 'h' } } });
    const object = implement(Example, {
      Large: () => new Uint8Array(20_000_000),
      Give: () => FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver(),
    });
    const server = await listen({
      address: 'unix:tmpdir=${folder}',
      onConnection: (bus) => bus.export('${PATH}', object),
    });
    const before = openFds();
    say('listening', { address: server.address });
    process.stdin.on('data', (order) => {
      if (String(order) === 'exhaust\\n') exhaust(1);
      if (String(order) === 'relieve\\n') relieve();
      if (String(order) === 'end\\n') process.exit(0);
      say('obeyed', { left: openFds() - before });
    });
  `);
  const Giver = defineInterface('org.example.Peer', { methods: { Large: { out: 'ay' }, Give: { out: 'h' } } });
  const address = String((await server.event('listening')).address);
  const order = (word: string) => {
    server.write(`${word}\n`);
    return server.event('obeyed');
  };
  await using client = await connect({ address, peer: true });
  const { Large, Give } = client.proxy(Giver, PATH).with({ timeout: 10_000 * patience }).call;
  (await Give()).close();
  const { left } = await order('count');
  await order('exhaust');
  const [large, refused] = await Promise.all([Large(), rejection(Give())]);
  assert.is(large.length, 20_000_000);
  assert.match(refused.message, /^the reply could not be sent: .*\(EMFILE\)/);
  assert.equal(await order('relieve'), { event: 'obeyed', left });
  (await Give()).close();
  server.write('end\n');
  assert.is((await server.finished).code, 0);
});

test.run();
