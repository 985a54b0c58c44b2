// Valid messages with wrong content: forged, repeated, unrequested and odd answers and signals.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DBusError, NameTakenError, ProtocolError } from '../../src/index.js';
import { BUS, CLIENT, PEER } from '../helpers/fake-bus.js';
import { CALL, Session } from '../helpers/fake-bus-session.js';
import { rejection } from '../helpers/rejection.js';
import { bytesOf, wireMessage } from '../helpers/wire.js';

const test = suite('hostile bus: answers');

const TEXT = { signature: 's', body: bytesOf((b) => b.text('text')) };

test('replies of the bus with another signature are a ProtocolError and nothing more', async () => {
  await using session = await Session.start({
    answer: (call) =>
      call.member === 'Hello' || call.member === 'AddMatch'
        ? undefined
        : wireMessage({
            type: 2,
            serial: 99,
            replySerial: call.serial,
            destination: CLIENT,
            sender: BUS,
            signature: 'd',
            body: bytesOf((b) => b.f64(1)),
          }),
  });
  const { bus } = session;
  for (const asking of [
    bus.requestName('org.example.Forged'),
    bus.releaseName('org.example.Forged'),
    bus.listNames(),
    bus.listActivatableNames(),
    bus.nameOwner('org.example.Forged'),
    bus.hasName('org.example.Forged'),
    bus.startService('org.example.Forged'),
    bus.credentials('org.example.Forged'),
  ]) {
    const error = await rejection(asking);
    assert.instance(error, ProtocolError);
    assert.not.instance(error, NameTakenError);
    assert.match(error.message, 'with "d" instead of');
  }
  assert.is(bus.stats().ownedNames, 0);
  assert.ok(await session.peer.ping());
});

test('answers that the specification does not have are a ProtocolError and nothing more', async () => {
  const uint32 = { signature: 'u', body: bytesOf((b) => b.u32(9)) };
  const answers: Readonly<Record<string, { signature: string; body: Uint8Array }>> = {
    RequestName: uint32,
    ReleaseName: uint32,
    StartServiceByName: uint32,
    GetNameOwner: TEXT,
  };
  await using session = await Session.start({
    answer: ({ member, serial: replySerial }) => {
      const answer = answers[member as string];
      if (answer === undefined) return undefined;
      return wireMessage({ type: 2, serial: 99, replySerial, destination: CLIENT, sender: BUS, ...answer });
    },
  });
  const { bus } = session;
  for (const [member, asking] of [
    ['RequestName', bus.requestName('org.example.Forged')],
    ['ReleaseName', bus.releaseName('org.example.Forged')],
    ['StartServiceByName', bus.startService('org.example.Forged')],
    ['GetNameOwner', bus.nameOwner('org.example.Forged')],
  ] as const) {
    const error = await rejection(asking);
    assert.instance(error, ProtocolError);
    assert.match(error.message, `the bus answered ${member} with`);
  }
  const refused = await new Promise((resolve) => bus.watchName('org.example.Forged', { refused: resolve }));
  assert.instance(refused, ProtocolError);
  assert.ok(await session.peer.ping());
  await bus.listNames();
  const { ownedNames, pendingCalls } = bus.stats();
  assert.equal([ownedNames, pendingCalls], [0, 0]);
});

test('signals of the bus with another body have no effect', async () => {
  await using session = await Session.start();
  const { bus, peer } = session;
  const owners: unknown[] = [];
  using _watch = bus.watchName('org.example.Watched', {
    appeared: (owner) => owners.push(owner),
    vanished: () => owners.push(undefined),
  });
  await using name = await bus.requestName('org.example.Owned');
  await session.assertAlive('before');
  const fromBus = { type: 4, path: '/org/freedesktop/DBus', interface: BUS, sender: BUS };
  const bodies = [
    {},
    { signature: 'u', body: bytesOf((b) => b.u32(1)) },
    { signature: 'as', body: bytesOf((b) => b.array(4, (a) => a.text('org.example.Owned'))) },
    { signature: 'ssu', body: bytesOf((b) => b.text('org.example.Watched').text(PEER).u32(0)) },
    { signature: 'sss', body: bytesOf((b) => b.text('org.example.Watched').u32(1000)) },
    { signature: 's', body: bytesOf((b) => b.u32(1000).raw('abc')) },
  ];
  for (const member of ['NameOwnerChanged', 'NameLost', 'NameAcquired']) {
    for (const body of bodies) peer.send({ ...fromBus, member, ...body });
  }
  await session.assertAlive('forged signals');
  assert.equal(owners, [PEER]);
  assert.is(name.state, 'owned');
  const gone = bytesOf((b) => b.text('org.example.Watched').text(PEER).text(''));
  peer.send({ ...fromBus, member: 'NameOwnerChanged', signature: 'sss', body: gone });
  await session.assertAlive('a true signal');
  assert.equal(owners, [PEER, undefined]);
});

test('an unrequested reply is ignored', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  for (const replySerial of [call.serial + 1, call.serial + 1000, 0xffff_ffff]) {
    session.peer.send({ type: 2, replySerial, ...TEXT });
    session.peer.send({ type: 3, errorName: 'org.example.Error', replySerial, ...TEXT });
    session.peer.send({ type: 2, replySerial, signature: 's', body: bytesOf((b) => b.u32(1000)) });
  }
  session.peer.send({ type: 2, replySerial: call.serial });
  assert.equal(await outcome, []);
  await session.assertAlive('stray replies');
});

test('the first of two replies is the reply', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  const reply = (text: string) =>
    session.peer.message({ type: 2, replySerial: call.serial, signature: 's', body: bytesOf((b) => b.text(text)) });
  session.peer.inject(reply('first'), reply('second'));
  assert.equal(await outcome, ['first']);
  const failed = await session.called();
  const header = { replySerial: failed.call.serial };
  session.peer.send({ type: 3, errorName: 'org.example.Error', ...header });
  session.peer.send({ type: 2, ...header });
  assert.instance(await rejection(failed.outcome), DBusError);
  await session.assertAlive('two replies');
});

test('a reply from a connection that was not called is ignored', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, sender: ':1.66', replySerial: call.serial, ...TEXT });
  session.peer.send({ type: 3, sender: ':1.66', errorName: 'org.example.Error', replySerial: call.serial });
  session.peer.send({ type: 2, replySerial: call.serial });
  assert.equal(await outcome, []);
});

test('an error that answers a signal, or a reply, is ignored', async () => {
  await using session = await Session.start();
  session.bus.emit({ path: '/', interface: 'org.example.Client', member: 'Spoke' });
  const signal = await session.peer.until(({ member }) => member === 'Spoke');
  const reply = await session.answer({ ...CALL, ...TEXT });
  for (const { serial } of [signal, reply]) {
    session.peer.send({ type: 3, errorName: 'org.example.Error', replySerial: serial, ...TEXT });
    session.peer.send({ type: 2, replySerial: serial });
  }
  await session.assertAlive('answered signals');
});

test('an error may have any name and any body, or none', async () => {
  await using session = await Session.start();
  for (const [errorName, body] of [
    ['org.example.Error', {}],
    ['org.freedesktop.DBus.Error.AccessDenied', {}],
    ['a.b', { signature: 'u', body: bytesOf((b) => b.u32(5)) }],
    ['constructor.prototype', TEXT],
    ['__proto__.x', { signature: 'ss', body: bytesOf((b) => b.text('').text('more')) }],
  ] as const) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 3, replySerial: call.serial, errorName, ...body });
    const error = (await rejection(outcome)) as DBusError;
    assert.instance(error, DBusError);
    assert.is(error.dbusName, errorName);
    assert.is.not(error.message, '');
  }
});

test('keys of dictionaries pollute no prototype', async () => {
  await using session = await Session.start();
  const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
  const body = bytesOf((b) =>
    b.array(8, (entries) => {
      for (const key of keys) entries.align(8).text(key).signature('s').align(4).text(`value of ${key}`);
    }),
  );
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, replySerial: call.serial, signature: 'a{sv}', body });
  const [dictionary] = (await outcome) as [Record<string, unknown>];
  assert.equal(Object.keys(dictionary).sort(), [...keys].sort());
  for (const key of keys) assert.is(Object.getOwnPropertyDescriptor(dictionary, key)?.value, `value of ${key}`);
  assert.is(({} as Record<string, unknown>).value, undefined);
  assert.type({}.toString, 'function');
});

test.run();
