// Error classes of the program that stand for D-Bus errors, in both directions.
import { channel } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  type Problem,
  pair,
  registerError,
  UnknownObjectError,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('registered errors');
const { client, service, destination, stop } = await startClientAndService();
const problems: Problem[] = [];
channel('busbar:problem').subscribe((problem) => problems.push(problem as Problem));

test.after(stop);
test.before.each(() => void problems.splice(0));

class DeviceError extends Error {}
class BusyError extends DeviceError {
  override readonly name = 'BusyError';
}
/** Has a number, which its constructor takes. */
class QuotaError extends Error {
  readonly limit: number;
  constructor(limit: number) {
    super(`at most ${limit}`);
    this.limit = limit;
  }

  static fromDBus({ body }: DBusError): QuotaError {
    return new QuotaError(Number(/\d+/.exec(String(body[0]))));
  }
}
/** A `DBusError` with values besides the text. */
class FullError extends DBusError {
  constructor(message: string, free = 0) {
    super('org.example.Error.Full', message, { body: [message, free], signature: 'su' });
  }
}

const Device = defineInterface('org.example.Device', {
  methods: { Fail: { in: 's' }, FailLater: { in: 's' } },
  properties: { Level: { type: 'u' } },
});
const errors: Readonly<Record<string, () => unknown>> = {
  busy: () => new BusyError('printing'),
  device: () => new DeviceError('on fire'),
  quota: () => new QuotaError(7),
  full: () => new FullError('no room', 3),
  plain: () => new Error('plain'),
  unprintable: () => Object.defineProperty(new BusyError(), 'message', { get: () => assert.unreachable() }),
};
const fail = (what: string) => {
  throw errors[what]?.();
};
service.export(
  '/device',
  implement(Device, {
    Fail: fail,
    FailLater: async (what) => fail(what),
    Level: {
      get: () => fail('busy'),
      set: () => fail('quota'),
    },
  }),
);
const device = client.proxy(Device, destination, '/device');

test('a handler answers with the name and the text, and the caller gets an instance', async () => {
  using _registered = registerError(BusyError, 'org.example.Error.Busy');
  for (const method of ['Fail', 'FailLater'] as const) {
    const error = (await rejection(device.call[method]('busy'))) as BusyError & DBusError;
    assert.instance(error, BusyError);
    assert.instance(error, DeviceError);
    assert.instance(error, DBusError);
    assert.is(error.name, 'BusyError');
    assert.is(error.dbusName, 'org.example.Error.Busy');
    assert.equal(error.body, ['printing']);
    assert.is(error.message, `printing (${destination} /device org.example.Device.${method})`);
    assert.is(error.reply?.errorName, 'org.example.Error.Busy');
    assert.is(error.code, 'ERR_DBUS');
    assert.match(String(error.stack), 'registered-errors.test');
  }
  assert.equal(problems, []);
});

test('getters and setters answer with it as well', async () => {
  using _busy = registerError(BusyError, 'org.example.Error.Busy');
  using _quota = registerError(QuotaError, 'org.example.Error.Quota');
  assert.instance(await rejection(device.get.Level()), BusyError);
  const error = await rejection(device.set.Level(1));
  assert.instance(error, QuotaError);
  assert.is((error as QuotaError).limit, 7);
});

test('the most derived class counts, and a class without a registration is an ordinary failure', async () => {
  using base = registerError(DeviceError, 'org.example.Error.Device');
  const names = async () => {
    const all = [];
    for (const what of ['busy', 'device', 'plain'])
      all.push(((await rejection(device.call.Fail(what))) as DBusError).dbusName);
    return all;
  };
  const failed = 'org.freedesktop.DBus.Error.Failed';
  assert.equal(await names(), ['org.example.Error.Device', 'org.example.Error.Device', failed]);
  using derived = registerError(BusyError, 'org.example.Error.Busy');
  assert.equal(await names(), ['org.example.Error.Busy', 'org.example.Error.Device', failed]);
  assert.is(problems.length, 2);
  derived.end();
  assert.equal(await names(), ['org.example.Error.Device', 'org.example.Error.Device', failed]);
  base.end();
  assert.equal(await names(), [failed, failed, failed]);
});

test('a subclass of DBusError keeps its own name and values, and is made of the text', async () => {
  using _registered = registerError(FullError, 'org.example.Error.Full');
  const error = await rejection(device.call.Fail('full'));
  assert.instance(error, FullError);
  const { dbusName, body, signature } = error as FullError;
  assert.equal([dbusName, body, signature], ['org.example.Error.Full', ['no room', 3], undefined]);
});

test('a received instance is never the answer to another call', async () => {
  using _registered = registerError(BusyError, 'org.example.Error.Busy');
  const Gate = defineInterface('org.example.Gate', { methods: { Pass: {} } });
  using _gate = service.export(
    '/gate',
    implement(Gate, { Pass: () => client.proxy(Device, destination, '/device').call.Fail('busy') }),
  );
  const error = await rejection(client.proxy(Gate, destination, '/gate').call.Pass());
  assert.is((error as DBusError).dbusName, 'org.freedesktop.DBus.Error.Failed');
  assert.not.instance(error, BusyError);
  assert.is(problems.length, 1);
});

test('a class that cannot be made leaves the DBusError, and that is reported', async () => {
  class Odd extends Error {
    constructor(message: string) {
      super(message);
      throw new RangeError('never made');
    }
  }
  class Other extends Error {
    static fromDBus(): Error {
      return new Error('another class');
    }
  }
  for (const [errorClass, text] of [
    [Odd, 'RangeError: never made'],
    [Other, 'returned something else'],
  ] as const) {
    using _registered = registerError(errorClass, 'org.example.Error.Full');
    const error = await rejection(device.call.Fail('full'));
    assert.is((error as DBusError).dbusName, 'org.example.Error.Full');
    assert.not.instance(error, errorClass);
    const [problem] = problems.splice(0);
    assert.match(problem?.message ?? '', 'no error of the class that is registered for org.example.Error.Full');
    assert.match(String(problem?.error), text);
  }
});

test('an error whose text cannot be read still answers', async () => {
  using _registered = registerError(BusyError, 'org.example.Error.Busy');
  const error = (await rejection(device.call.Fail('unprintable'))) as DBusError;
  assert.equal([error.dbusName, error.body], ['org.example.Error.Busy', ['the handler failed']]);
});

test('between peers as well', async () => {
  using _registered = registerError(BusyError, 'org.example.Error.Busy');
  const ends = await pair();
  const [near, far] = ends as [MessageBus, MessageBus];
  far.export('/device', implement(Device, { Fail: fail, FailLater: fail, Level: 0 }));
  assert.instance(await rejection(near.proxy(Device, '/device').call.Fail('busy')), BusyError);
  await Promise.all(ends.map((end) => end.close()));
});

test('what cannot be registered is refused', () => {
  using _registered = registerError(BusyError, 'org.example.Error.Busy');
  const cases: readonly [unknown, unknown, string][] = [
    [BusyError, 'org.example.Error.Other', '"BusyError" is registered already, for org.example.Error.Busy'],
    [DeviceError, 'org.example.Error.Busy', 'org.example.Error.Busy is registered already, for the class "BusyError"'],
    [DeviceError, 'Busy', 'dbusName'],
    [DeviceError, 5, 'dbusName'],
    [DeviceError, UnknownObjectError.dbusName, 'busbar has a class for'],
    [DeviceError, 'org.freedesktop.DBus.Error.Timeout', 'busbar has a class for'],
    [Error, 'org.example.Error.Any', 'expected a class that extends Error'],
    [DBusError, 'org.example.Error.Any', 'expected a class of the program'],
    [UnknownObjectError, 'org.example.Error.Any', 'expected a class of the program'],
    [class {}, 'org.example.Error.Any', 'expected a class that extends Error'],
    [{}, 'org.example.Error.Any', 'expected a class that extends Error'],
  ];
  for (const [errorClass, name, text] of cases) {
    const error = thrown(() => registerError(errorClass as typeof BusyError, name as string));
    assert.instance(error, InvalidArgumentError, text);
    assert.match(error.message, text);
  }
});

test('a registration ends once, and does not end a later one', async () => {
  const first = registerError(BusyError, 'org.example.Error.Busy');
  first.end();
  using _second = registerError(BusyError, 'org.example.Error.Busy');
  first.end();
  assert.instance(await rejection(device.call.Fail('busy')), BusyError);
});

test.run();
