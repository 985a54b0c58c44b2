// Mistakes of programs, and operations that come twice or too late: each has an immediate error, and nothing else is
// affected.
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  NameHasNoOwnerError,
  NameTakenError,
  type OwnedName,
  sessionBus,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';

const daemon = await PrivateBus.start();
const one = await connect({ address: daemon.address });
const two = await connect({ address: daemon.address });
const test = suite('misuse');
const Example = defineInterface('org.example.Misuse', {
  methods: { Echo: { in: 's', out: 's' } },
  signals: { Lit: { args: 's' } },
  properties: { On: { type: 'b' } },
});
const members = { Echo: (text: string) => text, On: false };
const example = implement(Example, members);
one.export('/misuse', example);
const proxy = two.proxy(Example, one.uniqueName as string, '/misuse');
const nextRound = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Resolves when `one` has received everything that was sent before, because the bus answers in order, and its consequences
 * have run.
 */
async function settled(): Promise<void> {
  await one.listNames();
  await nextRound();
}

test.after(async () => {
  await Promise.all([one.close(), two.close()]);
  await daemon.stop();
});

test('a watcher that throws does not affect other watchers', async () => {
  const told: string[] = [];
  const warned: string[] = [];
  const note = ({ message }: Error) => {
    if (message.includes('complains')) warned.push(message);
  };
  process.on('warning', note);
  const complain = (whom: string) => (owner?: string) => {
    told.push(`${whom} ${owner}`);
    throw new Error(`${whom} complains`);
  };
  using _absent = one.watchName('org.example.Absent', { vanished: complain('absent') });
  using _first = one.watchName('org.freedesktop.DBus', { appeared: complain('first') });
  await settled();
  assert.equal(told.sort(), ['absent undefined', 'first org.freedesktop.DBus']);
  using _second = one.watchName('org.freedesktop.DBus', { appeared: complain('second') });
  await settled();
  assert.equal(told.slice(2), ['second org.freedesktop.DBus']);
  // Other watchers of the same name are called, whichever watcher threw before them.
  const name = 'org.example.Watched';
  const heard: string[] = [];
  using _complaining = one.watchName(name, { appeared: complain('third'), vanished: complain('third') });
  using _quiet = one.watchName(name, { appeared: (owner) => heard.push(owner), vanished: () => heard.push('none') });
  await settled();
  await (await two.requestName(name)).release();
  await settled();
  assert.equal(heard, ['none', two.uniqueName, 'none']);
  assert.equal(told.slice(3), ['third undefined', `third ${two.uniqueName}`, 'third undefined']);
  process.off('warning', note);
  for (const whom of ['absent', 'first', 'second', 'third']) {
    assert.ok(
      warned.some((message) => message.includes(`${whom} complains`)),
      warned.join('\n'),
    );
  }
  assert.is(warned.length, told.length);
  assert.is(one.state, 'open');
});

test('subscribing on a closed connection is refused', async () => {
  const bus = await connect({ address: daemon.address });
  const over = bus.proxy(Example, one.uniqueName as string, '/misuse');
  const earlier = over.on.Lit(() => {});
  bus.watchName('org.example.Name', {});
  const pending = bus.subscribe({}, () => {}).ready;
  pending.catch(() => {});
  await earlier.ready;
  const closing = bus.close();
  for (const state of ['closing', 'closed']) {
    assert.is(bus.state, state);
    assert.instance(await rejection(over.once.Lit()), ConnectionClosedError);
    for (const run of [
      () => over.on.Lit(() => {}),
      () => over.watch.Lit(),
      () => over.onChange(() => {}),
      () => bus.subscribe({}, () => {}),
      () => bus.watchName('org.example.Name', {}),
      () => bus.addMessageHandler(() => {}),
    ]) {
      assert.instance(thrown(run), ConnectionClosedError, String(run));
    }
    await closing;
  }
  earlier.end();
  const { matchRules, subscriptions, calledNames } = bus.stats();
  assert.equal([matchRules, subscriptions, calledNames], [0, 0, 0]);
});

test('closing a shared bus twice gives back one share', async () => {
  const before = process.env.DBUS_SESSION_BUS_ADDRESS;
  process.env.DBUS_SESSION_BUS_ADDRESS = daemon.address;
  const [first, second] = await Promise.all([sessionBus(), sessionBus()]);
  await first.close();
  await first.close();
  assert.is(second.state, 'open');
  assert.ok((await second.listNames()).length > 0);
  await second.close();
  assert.is(second.state, 'closed');
  if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
  else process.env.DBUS_SESSION_BUS_ADDRESS = before;
});

test('a share of a bus that does not read can be closed', async () => {
  const doomed = await PrivateBus.start();
  const before = process.env.DBUS_SESSION_BUS_ADDRESS;
  process.env.DBUS_SESSION_BUS_ADDRESS = doomed.address;
  const [first, second] = await Promise.all([sessionBus(), sessionBus()]);
  process.kill(doomed.pid, 'SIGSTOP');
  try {
    const signal = { path: '/', interface: 'org.example.Large', member: 'Sent', signature: 'ay' };
    for (let i = 0; i < 40; i++) first.emit({ ...signal, body: [Buffer.alloc(1_000_000)] });
    await first.close();
    assert.is(second.state, 'open');
    assert.ok(second.stats().queuedBytes > 0);
    await second.close();
  } finally {
    process.kill(doomed.pid, 'SIGCONT');
    if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
    else process.env.DBUS_SESSION_BUS_ADDRESS = before;
  }
  await doomed.stop();
});

test('the objects of a closed connection are not exported any more', async () => {
  const bus = await connect({ address: daemon.address });
  const exported = bus.export('/misuse', example);
  await bus.close();
  assert.is(bus.stats().exportedObjects, 0);
  exported.end();
  assert.instance(
    thrown(() => bus.export('/late', example)),
    ConnectionClosedError,
  );
});

test('an export that fails leaves nothing exported', () => {
  const other = implement(Example, members);
  const before = one.stats().exportedObjects;
  assert.instance(
    thrown(() => one.export('/half', other, example, other)),
    InvalidArgumentError,
  );
  assert.is(one.stats().exportedObjects, before);
  one.export('/half', other).end();
});

test('requesting a queued name without a queue is refused, and the first request stays queued', async () => {
  const owned = await one.requestName('org.example.Queue');
  const queued = await two.requestName('org.example.Queue', { queue: true });
  assert.instance(await rejection(two.requestName('org.example.Queue')), NameTakenError);
  assert.is(queued.state, 'queued');
  await owned.release();
  await queued.acquired;
  await queued.release();
  assert.is(two.stats().ownedNames, 0);
});

test('a replaced owner that wants to queue is queued, and gets the name back', async () => {
  const first: OwnedName = await one.requestName('org.example.Back', { allowReplacement: true, queue: true });
  const second = await two.requestName('org.example.Back', { replace: true });
  await first.lost;
  assert.is(first.state, 'queued');
  await second.release();
  await first.acquired;
  assert.is(first.state, 'owned');
  assert.is(await two.nameOwner('org.example.Back'), one.uniqueName);
  await first.release();
  assert.is(first.state, 'lost');
  assert.is(one.stats().ownedNames, 0);
});

test('releasing a name twice, or a name that has just been lost, succeeds', async () => {
  const owned = await one.requestName('org.example.Twice', { allowReplacement: true });
  await Promise.all([owned.release(), owned.release(), owned[Symbol.asyncDispose]()]);
  assert.is(owned.state, 'lost');
  const taken = await one.requestName('org.example.Twice', { allowReplacement: true });
  const [replacement] = await Promise.all([two.requestName('org.example.Twice', { replace: true }), taken.release()]);
  await taken.release();
  assert.is(taken.state, 'lost');
  await replacement.release();
  assert.is(one.stats().ownedNames, 0);
});

test('a name of another connection cannot be released', async () => {
  await using _owned = await one.requestName('org.example.Theirs');
  assert.instance(await rejection(two.releaseName('org.example.Theirs')), NameTakenError);
  assert.instance(await rejection(two.releaseName('org.example.Nobody')), NameHasNoOwnerError);
});

test('an invalid AbortSignal is refused, and has no effect', async () => {
  for (const signal of [null, 5, {}]) {
    const call = two.call({ destination: 'org.freedesktop.DBus', path: '/', member: 'GetId', signal: signal as never });
    assert.instance(await rejection(call), InvalidArgumentError);
  }
  assert.is(two.stats().pendingCalls, 0);
});

test('a watcher removes its listener from its AbortSignal', async () => {
  const { signal } = new AbortController();
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  for (let round = 0; round < 50; round++) proxy.watch.Lit({ signal })[Symbol.dispose]();
  await nextRound();
  process.off('warning', note);
  assert.equal(warnings, []);
  assert.instance(
    thrown(() => proxy.watch.Lit({ limit: 0 })),
    InvalidArgumentError,
  );
});

test('a listener whose subscription another listener ended is not called', async () => {
  const heard: string[] = [];
  const first = proxy.on.Lit(() => second.end());
  const second = proxy.on.Lit((text) => heard.push(text));
  await two.listNames();
  example.emit.Lit('now');
  await one.listNames();
  await two.listNames();
  first.end();
  assert.equal(heard, []);
});

test('reading a property requests a reply whatever the options say', async () => {
  assert.is(await proxy.with({ noReply: true }).get.On(), false);
  assert.equal(await proxy.with({ noReply: true }).getAll(), { On: false });
});

test('listeners, handlers and options of the wrong kind are refused at once', async () => {
  const wrong = 5 as never;
  for (const run of [
    () => proxy.on.Lit(wrong),
    () => proxy.onChange(wrong),
    () => two.subscribe({}, wrong),
    () => two.subscribe(null as never, () => {}),
    () => two.addMessageHandler(wrong),
    () => two.watchName('org.example.Name', null as never),
    () => two.watchName('org.example.Name', { appeared: wrong }),
    () => two.emit(undefined as never),
    () => two.send(undefined as never),
    () => two.export('/org/freedesktop/DBus/Local', example),
    () => two.proxy(Example, undefined as never, '/misuse'),
    () => two.proxy(Example, 'x', '/misuse'),
    () => two.proxy(Example, 'org.example.Misuse', 'no path'),
  ]) {
    assert.instance(thrown(run), InvalidArgumentError, String(run));
  }
  assert.instance(await rejection(two.call(undefined as never)), InvalidArgumentError);
  assert.instance(await rejection(two.requestName('org.example.Name', null as never)), InvalidArgumentError);
});

test('invalid options of calls are refused, and have no effect', async () => {
  const { call } = proxy.with({});
  for (const options of [
    { timeout: '5000' },
    { timeout: null },
    { timeout: 100n },
    { timeout: true },
    { timeout: [] },
    { timeout: -1 },
    { timeout: Number.NaN },
    { variants: 'wrapped' },
    { variants: 'constructor' },
  ] as never[]) {
    assert.instance(
      thrown(() => proxy.with(options)),
      InvalidArgumentError,
      inspect(options),
    );
  }
  assert.instance(
    await rejection(connect({ address: daemon.address, timeout: '5000' as never })),
    InvalidArgumentError,
  );
  assert.is(two.stats().pendingCalls, 0);
  assert.is(await call.Echo('text'), 'text');
});

test('a bus that dies during Hello rejects connect', async () => {
  const doomed = await PrivateBus.start();
  const attempts = Array.from({ length: 20 }, () =>
    connect({ address: doomed.address }).then(
      (bus: MessageBus) => bus.close(),
      (error: unknown) => error,
    ),
  );
  await doomed.kill();
  for (const outcome of await Promise.all(attempts)) {
    if (outcome !== undefined) assert.instance(outcome, ConnectError, String(outcome));
  }
  await doomed.stop();
});

test.run();
