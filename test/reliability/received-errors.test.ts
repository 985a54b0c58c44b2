// Errors in answers of services and buses: the classes for failures of the own connection cannot be caused by a peer.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BackpressureError,
  ConnectError,
  ConnectionClosedError,
  connect,
  DBusError,
  ListenError,
  NameTakenError,
  ProtocolError,
  ServiceLeftError,
  ServiceUnknownError,
  TimeoutError,
} from '../../src/index.js';
import { BUS, CLIENT, FakeBus, PEER } from '../helpers/fake-bus.js';
import { peers } from '../helpers/peers.js';
import { rejection } from '../helpers/rejection.js';
import { Bytes, wireMessage } from '../helpers/wire.js';

const test = suite('received errors');

const local = [
  ...[BackpressureError, ConnectError, ConnectionClosedError, ListenError, NameTakenError, ProtocolError, TimeoutError],
  ServiceLeftError,
];
const standard = (name: string) => `org.freedesktop.DBus.Error.${name}`;

/** The error of a call that is answered by an error of this name from this sender. */
async function received(name: string, sender: string, text = 'so it says'): Promise<DBusError> {
  await using bus = await FakeBus.start({
    answer: (call) => {
      if (call.member !== 'Ask') return undefined;
      const header = { type: 3, serial: 1000, replySerial: call.serial, destination: CLIENT, sender, errorName: name };
      return wireMessage({ ...header, signature: 's', body: new Bytes().text(text).buffer });
    },
  });
  await using client = await connect({ address: bus.address });
  return (await rejection(client.call({ destination: PEER, path: '/', member: 'Ask' }))) as DBusError;
}

test('no error name of a service makes an error of the own connection or call', async () => {
  const names = new Set([
    ...local.map(({ dbusName }) => dbusName),
    ...['Timeout', 'TimedOut', 'NoReply'].map(standard),
  ]);
  names.delete(standard('LimitsExceeded'));
  for (const name of names) {
    const error = await received(name, PEER);
    assert.is(error.constructor, DBusError, name);
    assert.is(error.dbusName, name);
    assert.is(error.code, 'ERR_DBUS');
    assert.ok(!local.some((kind) => error instanceof kind), name);
  }
  const limits = await received(standard('LimitsExceeded'), PEER);
  assert.is(limits.name, 'LimitsExceededError');
  assert.not.instance(limits, BackpressureError);
});

test('only the bus can report that a call gets no reply because the service left or the time was over', async () => {
  for (const name of ['Timeout', 'TimedOut'].map(standard)) {
    const error = await received(name, BUS);
    assert.instance(error, TimeoutError);
    assert.is(error.dbusName, name);
  }
  const left = await received(standard('NoReply'), BUS);
  assert.instance(left, ServiceLeftError);
  assert.not.instance(left, TimeoutError);
  assert.is(left.code, 'ERR_DBUS_SERVICE_LEFT');
  // The text of dbus-daemon if its configuration has a `reply_timeout`.
  const late = await received(standard('NoReply'), BUS, 'Message did not receive a reply (timeout by message bus)');
  assert.instance(late, TimeoutError);
  // The bus cannot cause the other classes either.
  assert.not.instance(await received(standard('Disconnected'), BUS), ConnectionClosedError);
  assert.instance(await received(standard('ServiceUnknown'), BUS), ServiceUnknownError);
});

test('a peer cannot make such an error either', async () => {
  await using pair = await peers();
  for (const name of ['NoReply', 'Disconnected', 'NoServer', 'InconsistentMessage'].map(standard)) {
    const off = pair.accepted.addMessageHandler(({ serial, member }) => {
      if (member !== 'Ask') return false;
      pair.accepted.send({ type: 3, errorName: name, replySerial: serial });
      return true;
    });
    const error = (await rejection(pair.client.call({ path: '/', member: 'Ask' }))) as DBusError;
    off[Symbol.dispose]();
    assert.is(error.constructor, DBusError, name);
  }
});

test.run();
