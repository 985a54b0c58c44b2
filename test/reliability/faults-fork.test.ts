// Child processes of a connected process: they inherit nothing of its connections, and their lives and ends affect no other
// process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement } from '../../src/index.js';
import { Ledger } from '../helpers/ledger.js';
import { openFds } from '../helpers/open-fds.js';
import { libraryEntry } from '../helpers/own-runtime.js';
import { Example, exampleObject, PATH, peers } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';

const NAME = 'org.example.Forking';
const Forking = defineInterface(NAME, { methods: { Slow: {}, Echo: { in: 's', out: 's' } } });

const folder = mkdtempSync(join(tmpdir(), 'busbar-fork-'));
const test = suite('faults: fork');
test.after(() => rmSync(folder, { recursive: true }));

testUnless(
  PrivateBus.missing(),
  test,
  'children inherit no connection, and make their own while those of the parent continue',
  async () => {
    await using daemon = await PrivateBus.start();
    await using both = await peers();
    both.accepted.export(PATH, exampleObject());
    await using bus = await connect({ address: daemon.address });
    const release: (() => void)[] = [];
    const Slow = () => new Promise<void>((resolve) => release.push(resolve));
    bus.export('/forking', implement(Forking, { Slow, Echo: (text) => text }));
    await bus.requestName(NAME);
    const ledger = new Ledger();
    for (let call = 0; call < 10; call++) ledger.call(bus.proxy(Forking, NAME, '/forking').call.Slow());
    while (release.length < 10) await new Promise((resolve) => setTimeout(resolve, 1));

    const sockets = [...openFds()].map((fd) => fd.replace(/^\d+ /, '')).filter((link) => link.startsWith('socket:'));
    assert.ok(sockets.length >= 4);
    const inherited = await outputOf('/bin/ls', ['-l', '/proc/self/fd']);
    assert.match(inherited, '->');
    for (const socket of sockets) assert.not.match(inherited, socket);

    const child = join(folder, 'child.mjs');
    writeFileSync(
      child,
      `
    import { connect } from ${JSON.stringify(libraryEntry)};
    const bus = await connect({ address: ${JSON.stringify(daemon.address)} });
    const call = { destination: '${NAME}', path: '/forking', interface: '${NAME}', member: 'Echo' };
    const [text] = await bus.call({ ...call, signature: 's', body: ['from a child'] });
    process.send({ text });
    // Ends without closing anything, as a killed child does.
    process.once('message', () => process.kill(process.pid, 'SIGKILL'));
    `,
    );
    for (let round = 0; round < 2; round++) {
      const forked = fork(child);
      const [message] = (await once(forked, 'message')) as [{ text: string }];
      assert.is(message.text, 'from a child');
      forked.send('end');
      const [, signal] = await once(forked, 'exit');
      assert.is(signal, 'SIGKILL');
    }

    assert.is(await both.client.proxy(Example, PATH).call.Echo('text'), 'text');
    assert.is(bus.stats().pendingCalls, 10);
    for (const answer of release) answer();
    assert.equal(await ledger.outcomes(), { fulfilled: 10 });
  },
);

test.run();
