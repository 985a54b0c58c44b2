// Connections without a bus: calls, signals, objects and descriptors in both directions.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  InvalidArgumentError,
  listen,
  MessageType,
  NotSupportedError,
  UnknownObjectError,
  variant,
} from '../../src/index.js';
import { patience } from '../helpers/patience.js';
import { Example, exampleObject, folder, PATH, peers } from '../helpers/peers.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('peers');

test('objects of the server can be called, with and without a destination', async () => {
  await using ends = await peers();
  ends.accepted.export(PATH, exampleObject());
  for (const proxy of [
    ends.client.proxy(Example, PATH),
    ends.client.proxy(Example, undefined, PATH),
    ends.client.proxy(Example, 'org.example.Whatever', PATH),
  ]) {
    assert.is(await proxy.call.Echo('hello'), 'hello');
    await proxy.set.Count(3);
    assert.is(await proxy.get.Count(), 3);
    assert.equal(await proxy.getAll(), { Count: 3 });
  }
});

test('objects of the client can be called by the server', async () => {
  await using ends = await peers();
  ends.client.export(PATH, exampleObject());
  assert.is(await ends.accepted.proxy(Example, PATH).call.Echo('hello'), 'hello');
});

test('an object describes itself without a name', async () => {
  await using ends = await peers();
  ends.accepted.export(PATH, exampleObject());
  const object = await ends.client.object(PATH);
  assert.is(object.destination, undefined);
  assert.ok(object.interfaces.includes('org.example.Peer'));
  assert.is(await object.interface('org.example.Peer').call.Echo?.('hello'), 'hello');
  const described = await ends.client.object(PATH, { introspection: object.node });
  assert.is(described.path, PATH);
});

test('both ends call each other at once, and every call gets its own answer', async () => {
  await using ends = await peers();
  ends.client.export(PATH, exampleObject());
  ends.accepted.export(PATH, exampleObject());
  const [there, here] = [ends.client.proxy(Example, PATH), ends.accepted.proxy(Example, PATH)];
  const numbers = Array.from({ length: 500 }, (_, i) => i);
  const answers = await Promise.all(numbers.flatMap((i) => [there.call.Echo(i), here.call.Echo(-i - 1)]));
  assert.equal(
    answers,
    numbers.flatMap((i) => [i, -i - 1]),
  );
});

test('signals reach the other end, whatever sender the subscription names, and have no sender', async () => {
  await using ends = await peers();
  const [mine, theirs] = [exampleObject(), exampleObject()];
  ends.client.export(PATH, mine);
  ends.accepted.export(PATH, theirs);
  // Messages in the two directions have no order among each other.
  const heard = { client: [] as unknown[], server: [] as unknown[] };
  ends.client.proxy(Example, PATH).on.Said((text) => heard.client.push(text));
  ends.accepted.proxy(Example, 'org.example.Whatever', PATH).on.Said((text) => heard.server.push(text));
  ends.client.subscribe({ sender: 'org.example.Whatever', member: 'Said' }, ({ sender }) => heard.client.push(sender));
  theirs.emit.Said('one');
  mine.emit.Said('two');
  await Promise.all([ends.client.proxy(Example, PATH).getAll(), ends.accepted.proxy(Example, PATH).getAll()]);
  assert.equal(heard, { client: ['one', undefined], server: ['two'] });
});

test('rules are matched here: signals that do not match are not delivered', async () => {
  await using ends = await peers();
  const theirs = exampleObject();
  ends.accepted.export(PATH, theirs);
  const heard: unknown[] = [];
  ends.client.subscribe({ member: 'Said', arg0: 'yes' }, ({ body: [text] }) => heard.push(text));
  const other = ends.client.subscribe({ member: 'Said', path: '/elsewhere' }, () => heard.push('elsewhere'));
  await other.ready;
  theirs.emit.Said('no');
  theirs.emit.Said('yes');
  await ends.client.proxy(Example, PATH).getAll();
  assert.equal(heard, ['yes']);
});

test('a changed property is announced', async () => {
  await using ends = await peers();
  ends.accepted.export(PATH, exampleObject());
  const proxy = ends.client.proxy(Example, PATH);
  const changed = new Promise((resolve) => proxy.onChange(resolve));
  await proxy.set.Count(7);
  assert.equal(await changed, { Count: 7 });
});

test('descriptors pass in both directions', async () => {
  await using ends = await peers();
  assert.is(ends.client.canSendFileDescriptors, true);
  ends.client.export(PATH, exampleObject());
  ends.accepted.export(PATH, exampleObject());
  for (const end of [ends.client, ends.accepted]) {
    const fd = openSync('/proc/self/stat', 'r');
    const returned = (await end.proxy(Example, PATH).call.Pass(fd)) as { readonly fd: number; close(): void };
    assert.is.not(returned.fd, fd);
    assert.match(readFileSync(`/proc/self/fd/${returned.fd}`, 'utf8'), `${process.pid} (`);
    returned.close();
    closeSync(fd);
  }
});

test('a large message arrives', async () => {
  await using ends = await peers();
  ends.accepted.export(PATH, exampleObject());
  const bytes = Buffer.alloc(30 * 2 ** 20, 'x');
  assert.is(await ends.client.proxy(Example, PATH).call.Size(bytes), bytes.length);
});

test('the values of large messages do not change when other messages follow', async () => {
  await using ends = await peers();
  ends.accepted.export(PATH, exampleObject());
  const { Echo } = ends.client.proxy(Example, PATH).call;
  const sizes = [300_000, 290_000, 800_000, 300_000, 2_000_000, 300_001, 10];
  // Bytes, texts and objects are decoded in different ways. All are echoed before any is compared.
  const values = sizes.flatMap((size, index) => {
    const letter = String.fromCharCode(97 + index);
    const text = letter.repeat(size);
    return [Buffer.from(text), text, { [letter]: text.slice(0, size / 2), ü: Buffer.from(text.slice(0, size / 2)) }];
  });
  const echoes = await Promise.all(
    values.map((value) => {
      if (typeof value === 'string') return Echo(variant.s(value));
      return Echo(Buffer.isBuffer(value) ? variant.ay(value) : variant('a{sv}', value));
    }),
  );
  // Without the difference, which would have a hundred thousand lines.
  for (const [index, echo] of echoes.entries()) assert.ok(isDeepStrictEqual(echo, values[index]), `value ${index}`);
});

test('each end has the credentials of the other one', async () => {
  await using ends = await peers();
  ends.client.export(PATH, exampleObject());
  ends.accepted.export(PATH, exampleObject());
  const own = [process.getuid?.(), process.pid];
  assert.equal(await ends.client.proxy(Example, PATH).call.Who(), own);
  assert.equal(await ends.accepted.proxy(Example, PATH).call.Who(), own);
  const { uid, pid, gids } = ends.accepted.peerCredentials ?? {};
  assert.equal([uid, pid], own);
  assert.is(gids?.[0], process.getgid?.());
  assert.ok(process.getgroups?.().every((gid) => gids?.includes(gid)));
});

test('there are no names, and methods that need a bus reject', async () => {
  await using ends = await peers();
  assert.is(ends.client.uniqueName, undefined);
  assert.instance(await rejection(ends.client.listNames()), NotSupportedError);
  assert.instance(await rejection(ends.client.requestName('org.example.Name')), NotSupportedError);
  assert.instance(await rejection(ends.client.credentials('org.example.Name')), NotSupportedError);
  assert.instance(
    thrown(() => ends.client.watchName('org.example.Name', {})),
    NotSupportedError,
  );
});

test('objects that the handler of a new connection exports exist for the peer’s first call', async () => {
  for (let i = 0; i < 20; i++) {
    const server = await listen({
      address: `unix:tmpdir=${folder}`,
      onConnection: (bus) => bus.export(PATH, exampleObject()),
    });
    const client = await connect({ address: server.address, peer: true });
    assert.is(await client.proxy(Example, PATH).call.Echo('first'), 'first');
    await server.close();
  }
});

test('messages that the server sends at once reach listeners that are added right after connect', async () => {
  const server = await listen({
    address: `unix:tmpdir=${folder}`,
    onConnection(bus) {
      bus.emit({ path: PATH, interface: 'org.example.Peer', member: 'Said', signature: 's', body: ['welcome'] });
    },
  });
  for (let i = 0; i < 20; i++) {
    const client = await connect({ address: server.address, peer: true });
    const heard = await client.proxy(Example, PATH).once.Said({ signal: AbortSignal.timeout(2000 * patience) });
    assert.equal(heard, ['welcome']);
    await client.close();
  }
  await server.close();
});

test('calls on a connection that was not taken yet are answered once it is taken', async () => {
  const server = await listen({ address: `unix:tmpdir=${folder}` });
  const clients = await Promise.all([1, 2].map(() => connect({ address: server.address, peer: true })));
  const calls = clients.map((client) => client.proxy(Example, PATH).call.Echo('early'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  for await (const bus of server) {
    bus.export(PATH, exampleObject());
    if (server.connections.size === 2) break;
  }
  assert.equal(await Promise.all(calls), ['early', 'early']);
  await server.close();
});

test('a pending call rejects when the other end closes, on either side', async () => {
  for (const closing of ['client', 'accepted'] as const) {
    await using ends = await peers();
    ends.client.export(PATH, exampleObject());
    ends.accepted.export(PATH, exampleObject());
    const waiting = ends[closing === 'client' ? 'accepted' : 'client'];
    const call = rejection(waiting.proxy(Example, PATH).call.Slow());
    await waiting.proxy(Example, PATH).getAll();
    await ends[closing].close();
    assert.instance(await call, ConnectionClosedError);
    assert.instance(await waiting.disconnected, ConnectionClosedError);
    assert.is(await ends[closing].disconnected, undefined);
    assert.is(ends.server.connections.size, 0);
  }
});

test('the AbortSignal of a call fires when the caller closes', async () => {
  await using ends = await peers();
  const aborted = new Promise((resolve) => ends.accepted.export(PATH, exampleObject(resolve)));
  void rejection(ends.client.proxy(Example, PATH).call.Slow());
  await ends.client.close();
  await aborted;
});

test('an unknown object is an error of the peer', async () => {
  await using ends = await peers();
  assert.instance(await rejection(ends.client.proxy(Example, '/nothing').call.Echo(1)), UnknownObjectError);
});

test('errors about messages of a peer say “the peer”, since it has no name', async () => {
  await using ends = await peers({ limits: { messageSize: 1000 } });
  const told: string[] = [];
  const note = (problem: unknown) => void told.push((problem as { message: string }).message);
  subscribe('busbar:problem', note);
  try {
    ends.accepted.export(PATH, exampleObject());
    ends.accepted.subscribe({ member: 'Said' }, () => {});
    ends.accepted.subscribe({ member: 'Matched', arg0: 'any' }, () => {});
    const signal = { path: PATH, interface: 'org.example.Peer', signature: 's', body: ['x'.repeat(1000)] };
    for (const member of ['Said', 'Matched']) ends.client.emit({ ...signal, member });
    await ends.client.proxy(Example, PATH).call.Echo('all of it was read');
  } finally {
    unsubscribe('busbar:problem', note);
  }
  assert.is(told.length, 2);
  for (const text of told) assert.match(text, /^a (signal|message) from the peer /);
});

test('a listener that closes the connection is the last one to get a signal, also of several for the same rule', async () => {
  for (const closing of ['a handler', 'a listener'] as const) {
    await using ends = await peers();
    const seen: string[] = [];
    const close = (by: string) => {
      seen.push(by);
      if (by === closing) void ends.accepted.close();
    };
    ends.accepted.export(PATH, exampleObject());
    ends.accepted.addMessageHandler(({ type }) => (type === MessageType.Signal ? close('a handler') : undefined));
    ends.accepted.addMessageHandler(
      ({ type }) => void seen.push(type === MessageType.Signal ? 'another handler' : 'a call'),
    );
    ends.accepted.subscribe({ member: 'Said' }, () => close('a listener'));
    ends.accepted.subscribe({ member: 'Said' }, () => void seen.push('another listener'));
    ends.accepted.subscribe({ interface: 'org.example.Peer' }, () => void seen.push('a listener of another rule'));
    ends.client.emit({ path: PATH, interface: 'org.example.Peer', member: 'Said' });
    // A call that came before the end is still answered, and message handlers get it.
    assert.is(await ends.client.proxy(Example, PATH).call.Echo('anyone?'), 'anyone?');
    const told = closing === 'a handler' ? ['a handler'] : ['a handler', 'another handler', 'a listener'];
    assert.equal(seen, [...told, 'a call']);
  }
});

test('a peer requires an address', async () => {
  assert.instance(await rejection(connect({ peer: true })), InvalidArgumentError);
});

test.run();
