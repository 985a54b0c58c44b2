// Well-known names over a real bus: owning, losing, queueing, watching and querying.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  InvalidArgumentError,
  MatchRuleNotFoundError,
  NameHasNoOwnerError,
  NameReleasedError,
  NameTakenError,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';

const daemon = await PrivateBus.start();
const one = await connect({ address: daemon.address });
const two = await connect({ address: daemon.address });
const test = suite('names');
const name = 'org.example.Name';

// These tests own names without exporting objects, which causes a warning.
process.removeAllListeners('warning');

/** Resolves when both connections have received everything that the bus sent them: it answers in order. */
async function nextRound(): Promise<void> {
  const ping = {
    destination: 'org.freedesktop.DBus',
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  };
  for (const bus of [one, two]) await bus.call(ping);
  await new Promise((resolve) => setImmediate(resolve));
}

test.after(async () => {
  await Promise.all([one.close(), two.close()]);
  await daemon.stop();
});

test('the bus gives every connection a unique name', () => {
  assert.match(one.uniqueName as string, /^:\d+\.\d+$/);
  assert.is.not(one.uniqueName, two.uniqueName);
});

test('a free name is owned, and released when disposed', async () => {
  {
    await using owned = await one.requestName(name);
    assert.is(owned.state, 'owned');
    await owned.acquired;
    assert.is(await two.nameOwner(name), one.uniqueName);
    assert.is(one.stats().ownedNames, 1);
  }
  assert.instance(await rejection(two.nameOwner(name)), NameHasNoOwnerError);
  assert.is(one.stats().ownedNames, 0);
});

test('requesting a taken name rejects with its owner', async () => {
  await using _owned = await one.requestName(name);
  const error = (await rejection(two.requestName(name))) as NameTakenError;
  assert.instance(error, NameTakenError);
  assert.is(error.owner, one.uniqueName);
  assert.match(error.message, one.uniqueName as string);
});

test('a name that is requested twice on a connection is released with the last handle', async () => {
  const first = await one.requestName(name);
  const second = await one.requestName(name);
  assert.is.not(first, second);
  await first.release();
  assert.equal([first.state, second.state], ['lost', 'owned']);
  assert.is(await first.lost, 'released');
  assert.is(await two.nameOwner(name), one.uniqueName);
  await second.release();
  assert.not(await two.hasName(name));
});

test('releasing an old handle again, or late, does not take the name from a new one', async () => {
  const old = await one.requestName(name);
  const releasing = old.release();
  const next = one.requestName(name);
  // The second release must not reach the bus after the new request.
  await Promise.all([releasing, old.release()]);
  await using held = await next;
  await old.release();
  await nextRound();
  assert.is(held.state, 'owned');
  assert.is(await two.nameOwner(name), one.uniqueName);
});

test('a lost name has a reason, and a name that can no longer be acquired rejects', async () => {
  const released = await one.requestName(name);
  await released.release();
  assert.is(await released.lost, 'released');
  assert.instance(await rejection(released.acquired), NameReleasedError);

  const soft = await one.requestName(name, { allowReplacement: true });
  const firm = await two.requestName(name, { replace: true });
  assert.is(await soft.lost, 'replaced');
  assert.instance(await rejection(soft.acquired), NameReleasedError);

  const queued = await one.requestName(name, { queue: true });
  const acquired = rejection(queued.acquired);
  await queued.release();
  assert.instance(await acquired, NameReleasedError);
  assert.is(await queued.lost, 'released');
  await firm.release();

  const byName = await one.requestName(name);
  await one.releaseName(name);
  assert.is(await byName.lost, 'released');
});

test('a queued name is acquired when its owner releases it', async () => {
  const first = await one.requestName(name);
  await using second = await two.requestName(name, { queue: true });
  assert.is(second.state, 'queued');
  await first.release();
  await second.acquired;
  assert.is(second.state, 'owned');
  assert.is(await one.nameOwner(name), two.uniqueName);
});

test('a name is replaced only if its owner allows it, and the owner is told of the loss', async () => {
  const firm = await one.requestName(name);
  assert.instance(await rejection(two.requestName(name, { replace: true })), NameTakenError);
  await firm.release();

  const soft = await one.requestName(name, { allowReplacement: true });
  await using _taken = await two.requestName(name, { replace: true });
  assert.is(await soft.lost, 'replaced');
  assert.is(soft.state, 'lost');
});

test('invalid and unique names cannot be requested', async () => {
  for (const wrong of ['nodots', ':1.5', '', 'org..example', 'org.9example', `org.${'x'.repeat(260)}`]) {
    assert.instance(await rejection(one.requestName(wrong)), InvalidArgumentError, wrong);
  }
});

test('a watcher is told of the present owner and of every change', async () => {
  const events: unknown[] = [];
  const watcher = { appeared: (owner: string) => events.push(owner), vanished: () => events.push('none') };
  using _watch = two.watchName(name, watcher);
  await nextRound();
  const owned = await one.requestName(name);
  await nextRound();
  await owned.release();
  await nextRound();
  assert.equal(events, ['none', one.uniqueName, 'none']);
});

test('a watcher of a name with an owner is told of it once', async () => {
  await using _owned = await one.requestName(name);
  const events: unknown[] = [];
  using _watch = two.watchName(name, {
    appeared: (owner) => events.push(owner),
    vanished: () => events.push('none'),
  });
  await nextRound();
  assert.equal(events, [one.uniqueName]);
});

test('a watcher is told of a name without an owner before later answers of the bus are handled', async () => {
  const events: string[] = [];
  using _watch = two.watchName(name, { vanished: () => events.push('none') });
  await two.listNames();
  events.push('later answer');
  assert.equal(events, ['none', 'later answer']);
});

test('a disposed watcher is not called, and its match rule is removed', async () => {
  const rules = two.stats().matchRules;
  const events: unknown[] = [];
  const watch = two.watchName(name, { appeared: (owner) => events.push(owner) });
  watch[Symbol.dispose]();
  await using _owned = await one.requestName(name);
  await nextRound();
  assert.equal(events, []);
  assert.is(two.stats().matchRules, rules);
});

test('names can be listed and queried', async () => {
  await using _owned = await one.requestName(name);
  const names = await two.listNames();
  for (const present of [name, one.uniqueName, 'org.freedesktop.DBus']) assert.ok(names.includes(present as string));
  assert.ok(await two.hasName(name));
  assert.not(await two.hasName('org.example.Nobody'));
});

test('removing a rule that the bus does not have is refused', async () => {
  const driver = {
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
  };
  const removing = one.call({ ...driver, member: 'RemoveMatch', signature: 's', body: ["member='NeverAdded'"] });
  assert.instance(await rejection(removing), MatchRuleNotFoundError);
});

test('credentials have the user and the process', async () => {
  const { uid, pid, all } = await two.credentials(one.uniqueName as string);
  assert.is(uid, process.getuid?.());
  assert.is(pid, process.pid);
  assert.is(all.ProcessID, process.pid);
});

test.run();
