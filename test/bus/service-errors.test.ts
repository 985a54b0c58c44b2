// The error that a caller gets when a handler fails, whatever the handler throws.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/diagnostics/problems.js';
import {
  connect,
  DBusError,
  type DBusErrorOptions,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  listen,
  type MessageBus,
  NameTakenError,
  NotSupportedError,
  parseIntrospection,
  TimeoutError,
  Variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { patience } from '../helpers/patience.js';
import { rejection } from '../helpers/rejection.js';

const FAILED = 'org.freedesktop.DBus.Error.Failed';
const { client, service, stop } = await startClientAndService();
const test = suite('service errors');

let fail: () => unknown = () => undefined;
let follows = false;
const Failing = defineInterface('org.example.Failing', {
  methods: { Fail: {}, Many: { out: 'ah' }, Odd: { out: 'a{ss}' } },
  signals: { Changed: { args: 'u' } },
  properties: { Level: { type: 'u' } },
});
const failing = implement(Failing, {
  Fail: async () => void (await fail()),
  Many: () => Array.from({ length: 254 }, () => FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver()),
  Odd(context) {
    if (follows) void context.signal;
    return {
      get key(): string {
        throw new RangeError('as always');
      },
    };
  },
  Level: 1,
});
service.export('/failing', failing);
const proxy = client.proxy(Failing, service.uniqueName as string, '/failing');

test.after(stop);

/** The error for the caller of a failing handler, and the problems that were reported meanwhile. */
async function answer(handler: () => unknown): Promise<{ error: DBusError; problems: Problem[] }> {
  const problems: Problem[] = [];
  const note = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', note);
  fail = handler;
  try {
    return { error: (await rejection(proxy.with({ timeout: 2000 }).call.Fail())) as DBusError, problems };
  } finally {
    unsubscribe('busbar:problem', note);
  }
}

const throwing = (thrown: unknown) => () => {
  throw thrown;
};

test('an error without a usable text is answered', async () => {
  class Silent extends Error {
    override get message(): string {
      throw new Error('no text either');
    }
  }
  const named = new DBusError('org.example.Error.Busy', 'text');
  Object.defineProperty(named, 'message', { value: Object.create(null) });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  for (const thrown of [Object.create(null), new Silent(), revoked.proxy, Symbol('text'), undefined]) {
    const { error, problems } = await answer(throwing(thrown));
    assert.is(error.dbusName, FAILED);
    assert.equal(
      problems.map(({ kind }) => kind),
      ['handler'],
    );
  }
  assert.is((await answer(throwing(named))).error.dbusName, 'org.example.Error.Busy');
});

test('an error without a usable text is a warning if reports have no listener', async () => {
  fail = throwing(Object.create(null));
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  await rejection(proxy.call.Fail());
  assert.match((await warned).message, 'cannot be shown');
});

test('an error that the service made is the answer, and is not reported', async () => {
  for (const made of [
    new DBusError('org.example.Error.Busy', 'later'),
    new InvalidArgumentError('not that'),
    new DBusError('org.freedesktop.DBus.Error.NoReply', 'the device does not answer'),
    new TimeoutError('the device does not answer'),
    new NameTakenError('the device has another user'),
    new (class OutOfPaper extends TimeoutError {})('there is no paper'),
  ]) {
    const { error, problems } = await answer(throwing(made));
    assert.is(error.dbusName, made.dbusName);
    assert.equal(error.body, [made.message]);
    assert.equal(problems, []);
  }
});

test('an error of another operation is not passed on as the answer of the service', async () => {
  const causes = {
    'a reply': () => service.call({ destination: 'org.example.Nobody', path: '/', member: 'Any' }),
    'a value of another type': () =>
      service.call({ destination: 'org.example.Any', path: '/', member: 'Any', signature: 'u', body: ['text'] }),
    'an invalid name': () => service.requestName('not a name'),
    'one of its own properties': () => {
      failing.properties.Level = -1;
    },
    'a call that timed out': () =>
      service.call({ destination: client.uniqueName as string, path: '/', member: 'Silent', timeout: 5 }),
    'a name that is taken': () => service.requestName('org.example.Taken'),
  };
  using _silent = client.addMessageHandler(({ member }) => member === 'Silent');
  await client.requestName('org.example.Taken');
  for (const [what, cause] of Object.entries(causes)) {
    const { error, problems } = await answer(cause);
    assert.is(error.dbusName, FAILED, what);
    assert.equal(
      problems.map(({ kind }) => kind),
      ['handler'],
      what,
    );
  }
});

test("an error of busbar about a value of the handler is not the service's answer", async () => {
  const wrong: Record<string, () => unknown> = {
    'an unknown property': () => failing.emitPropertiesChanged(['Levle'] as never),
    'changed properties that are not names': () => failing.emitPropertiesChanged([5] as never),
    'an invalid path': () => service.export('no path', failing),
    'an invalid object': () => service.export('/other', {} as never),
    'an invalid rule': () => service.subscribe({ path: 'no path' }, () => {}),
    'an invalid signature': () => new Variant('!' as string, 1),
    'an invalid definition': () => defineInterface('org.example.Odd', { methods: { 'not a member': {} as never } }),
    'an invalid description': () => parseIntrospection('<node'),
    'an invalid implementation': () => implement(Failing, {} as never),
    'an invalid descriptor': () => FileDescriptor.adopt(-1),
    'a signal with invalid arguments': () => failing.emit.Changed(-1),
    'a method that the other side does not have': () =>
      service.call({
        destination: service.uniqueName,
        path: '/failing',
        interface: 'org.example.Failing',
        member: 'No',
      }),
    'a name without an owner': () => service.nameOwner('org.example.Nobody'),
  };
  for (const [what, cause] of Object.entries(wrong)) {
    const { error, problems } = await answer(async () => void (await cause()));
    assert.is(error.dbusName, FAILED, what);
    assert.equal(
      problems.map(({ kind }) => kind),
      ['handler'],
      what,
    );
    assert.instance(problems[0]?.error, DBusError, what);
  }
});

test("an error of busbar about the call itself is the caller's answer, and no problem is reported", async () => {
  const object = { destination: service.uniqueName as string, path: '/failing' };
  const properties = { ...object, interface: 'org.freedesktop.DBus.Properties' };
  const calls: readonly [Parameters<typeof client.call>[0], string][] = [
    [{ ...object, interface: 'org.example.Failing', member: 'Fial' }, 'UnknownMethod'],
    [{ ...object, interface: 'org.example.Failing', member: 'Fail', signature: 's', body: ['x'] }, 'InvalidArgs'],
    [{ ...object, interface: 'org.example.Falling', member: 'Fail' }, 'UnknownInterface'],
    [{ ...object, path: '/nowhere', member: 'Fail' }, 'UnknownObject'],
    [{ ...properties, member: 'Get', signature: 'ss', body: ['org.example.Failing', 'Levle'] }, 'UnknownProperty'],
    [{ ...properties, member: 'Get', signature: 's', body: ['org.example.Failing'] }, 'InvalidArgs'],
    [{ ...properties, member: 'Set', signature: 'ssv', body: ['org.example.Failing', 'Level', 'high'] }, 'InvalidArgs'],
  ];
  const problems: unknown[] = [];
  const note = (problem: unknown) => void problems.push(problem);
  subscribe('busbar:problem', note);
  for (const [call, name] of calls) {
    const error = (await rejection(client.call(call))) as DBusError;
    assert.is(error.dbusName, `org.freedesktop.DBus.Error.${name}`, error.message);
  }
  unsubscribe('busbar:problem', note);
  assert.equal(problems, []);
});

test('an error that the service made from another one is the answer, whatever its text', async () => {
  for (const text of [(message: string) => message, (message: string) => `sorry: ${message}`]) {
    const { error, problems } = await answer(async () => {
      const cause = (await rejection(
        service.call({ destination: 'org.example.Nobody', path: '/', member: 'Any' }),
      )) as DBusError;
      throw new DBusError('org.example.Error.NotRunning', text(cause.message), { cause });
    });
    assert.is(error.dbusName, 'org.example.Error.NotRunning');
    assert.equal(problems, []);
  }
});

test('an error with an invalid name is answered as Failed, and reported', async () => {
  for (const made of [new DBusError('not a name', 'text'), new DBusError('text', 'org.example.Error.Swapped')]) {
    const { error, problems } = await answer(throwing(made));
    assert.is(error.dbusName, FAILED);
    assert.equal(error.body, [made.message]);
    assert.match(problems[0]?.message ?? '', 'takes the name first');
  }
  assert.is((await answer(throwing(Reflect.construct(DBusError, [])))).error.dbusName, FAILED);
});

test('an error carries further values if it has their signature', async () => {
  const busy = (options: DBusErrorOptions) =>
    answer(throwing(new DBusError('org.example.Error.Busy', 'text', options)));
  assert.equal((await busy({ signature: 'su', body: ['text', 5] })).error.body, ['text', 5]);
  assert.equal((await busy({ body: ['text', 5] })).error.body, ['text']);
});

test('values of an error that do not match their signature are left out, and reported', async () => {
  const made = new DBusError('org.example.Error.Busy', 'text', { signature: 'su', body: ['text', 'five'] });
  const { error, problems } = await answer(throwing(made));
  assert.is(error.dbusName, 'org.example.Error.Busy');
  assert.equal(error.body, ['text']);
  assert.equal(
    problems.map(({ kind }) => kind),
    ['misfit'],
  );
});

/** The error for a caller whose answer cannot be sent, and the problems that were reported meanwhile. */
async function unsendable(method: 'Many' | 'Odd', from = proxy): Promise<{ error: DBusError; problems: Problem[] }> {
  const problems: Problem[] = [];
  const note = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', note);
  try {
    return { error: (await rejection(from.with({ timeout: 2000 * patience }).call[method]())) as DBusError, problems };
  } finally {
    unsubscribe('busbar:problem', note);
  }
}

test('a result that throws when it is read is answered as Failed, and reported', async () => {
  const { error, problems } = await unsendable('Odd');
  assert.is(error.dbusName, FAILED);
  assert.match(error.message, /^the result of Odd does not match its signature/);
  assert.equal(
    problems.map(({ kind }) => kind),
    ['misfit'],
  );
});

test('a result with more descriptors than a message can carry is an error, and reported', async () => {
  const before = openFds();
  const { error, problems } = await unsendable('Many');
  assert.is(error.dbusName, FAILED);
  assert.equal(
    problems.map(({ kind }) => kind),
    ['misfit'],
  );
  assert.match(inspect(problems[0]?.error), 'at most 16 file descriptors (limits.messageDescriptors), not 254');
  await assertNoFdsLeft(before);
});

test('a result with descriptors over a connection that carries none is an error, and reported', async () => {
  const onConnection = (bus: MessageBus) => bus.export('/failing', failing);
  await using server = await listen({ address: 'tcp:host=127.0.0.1', anonymous: true, onConnection });
  await using bus = await connect({ address: server.address, peer: true, anonymous: true });
  const before = openFds();
  const { error, problems } = await unsendable('Many', bus.proxy(Failing, '/failing'));
  assert.instance(error, NotSupportedError);
  assert.equal(
    problems.map(({ kind }) => kind),
    ['send'],
  );
  await assertNoFdsLeft(before);
});

test("the subscriptions to the caller's disconnection end if the answer could not be sent", async () => {
  const { matchRules, subscriptions } = service.stats();
  follows = true;
  await unsendable('Odd');
  follows = false;
  assert.equal([service.stats().matchRules, service.stats().subscriptions], [matchRules, subscriptions]);
});

test('the error for an invalid name quotes only part of a long name', async () => {
  const name = 'a'.repeat(1_000_000);
  const properties = {
    path: '/failing',
    interface: 'org.freedesktop.DBus.Properties',
    destination: service.uniqueName,
  };
  for (const body of [
    ['org.example.Failing', name],
    [name, 'Level'],
  ]) {
    const error = await rejection(client.call({ ...properties, member: 'Get', signature: 'ss', body }));
    assert.instance(error, DBusError);
    assert.match((error as DBusError).message, /has no (property|interface) "aaa/);
    assert.ok((error as DBusError).message.length < 1000);
  }
});

test.run();
