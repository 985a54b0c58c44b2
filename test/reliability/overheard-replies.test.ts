// Replies for other connections that have the serial of a pending call: a connection that eavesdrops gets them from a real
// bus, and a faulty bus may send anything.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  connect,
  defineInterface,
  implement,
  type MessageBus,
  MessageType,
} from '../../src/index.js';
import { CLIENT, FakeBus, PEER } from '../helpers/fake-bus.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { Bytes, wireMessage } from '../helpers/wire.js';

const test = suite('overheard replies');

const NAME = 'org.example.Overheard';
const Slow = defineInterface(NAME, { methods: { Echo: { in: 's', out: 's' }, Wait: { out: 's' } } });

const text = (value: string) => ({ signature: 's', body: new Bytes().text(value).buffer });

for (const [what, forged] of [
  ['is addressed to another connection', { destination: ':1.99', sender: PEER }],
  ['is addressed to a name that this connection never had', { destination: 'org.example.Other', sender: PEER }],
  ['has no sender', { destination: CLIENT, sender: undefined }],
] as const) {
  for (const type of [2, 3]) {
    test(`${type === 2 ? 'a result' : 'an error'} that ${what} settles no call`, async () => {
      await using bus = await FakeBus.start({
        answer: (call) => {
          if (call.member !== 'Ask') return undefined;
          const common = {
            type,
            replySerial: call.serial,
            errorName: type === 3 ? 'org.example.Error.Forged' : undefined,
          };
          const genuine = { type: 2, serial: 1001, replySerial: call.serial, sender: PEER, destination: CLIENT };
          return Buffer.concat([
            wireMessage({ ...common, serial: 1000, ...forged, ...text('forged') }),
            wireMessage({ ...genuine, ...text('genuine') }),
          ]);
        },
      });
      await using client = await connect({ address: bus.address });
      assert.equal(await client.call({ destination: PEER, path: '/', member: 'Ask' }), ['genuine']);
      assert.is(client.stats().unexpectedReplies, 1);
    });
  }
}

test('a reply with neither sender nor destination is from the other end of the socket, which may be a proxy', async () => {
  await using bus = await FakeBus.start({
    answer: (call) => {
      if (call.member !== 'Ask') return undefined;
      const header = { serial: 1000, replySerial: call.serial, sender: undefined, destination: undefined };
      const refused = { ...header, type: 3, errorName: 'org.freedesktop.DBus.Error.AccessDenied' };
      return wireMessage({ ...refused, ...text('not through here') });
    },
  });
  await using client = await connect({ address: bus.address });
  const error = await rejection(client.call({ destination: PEER, path: '/', member: 'Ask' }));
  assert.instance(error, AccessDeniedError);
});

test('a reply without a destination is for the connection that gets it', async () => {
  await using bus = await FakeBus.start({
    answer: (call) => {
      if (call.member !== 'Ask') return undefined;
      const header = { type: 2, serial: 1000, replySerial: call.serial, sender: PEER, destination: undefined };
      return wireMessage({ ...header, ...text('for any connection') });
    },
  });
  await using client = await connect({ address: bus.address });
  assert.equal(await client.call({ destination: PEER, path: '/', member: 'Ask' }), ['for any connection']);
});

/** Sends unwanted messages until the next message has at least this serial. */
function advance(bus: MessageBus, serial: number): number {
  let sent = 0;
  const signal = { type: MessageType.Signal, path: '/', interface: 'org.example.Filler', member: 'Any' };
  while (sent < serial) sent = bus.send(signal);
  return sent;
}

testUnless(
  PrivateBus.missing({ daemon: 'dbus-daemon' }),
  test,
  'dbus-daemon: replies to others do not answer the calls of a connection that eavesdrops',
  async () => {
    const daemon = await PrivateBus.start({ daemon: 'dbus-daemon' });
    await using service = await connect({ address: daemon.address });
    await using other = await connect({ address: daemon.address });
    await using spy = await connect({ address: daemon.address });
    let finish: (text: string) => void = () => {};
    const Wait = () => new Promise<string>((resolve) => (finish = resolve));
    service.export('/', implement(Slow, { Echo: (value) => value, Wait }));
    const driver = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    };
    const rule = "eavesdrop='true',type='method_return'";
    await spy.call({ ...driver, member: 'AddMatch', signature: 's', body: [rule] });
    const destination = service.uniqueName as string;
    assert.is(advance(other, 100), 100);
    assert.is(advance(spy, 100), 100);
    // Both calls have the same serial, and the same service answers them.
    const waiting = spy.proxy(Slow, destination, '/').call.Wait();
    const echoes = await other.proxy(Slow, destination, '/').call.Echo('for another one');
    assert.is(echoes, 'for another one');
    await spy.listNames();
    assert.is(spy.stats().unexpectedReplies > 0, true, 'it was overheard');
    finish('for the spy');
    assert.is(await waiting, 'for the spy');
    await daemon.stop();
  },
);

test.run();
