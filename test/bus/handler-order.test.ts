// Handlers that run one at a time, for an object, a member or each caller: what waits, for how long, and what a client sees.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  defineInterface,
  type ImplementedMemberOptions,
  type ImplementOptions,
  implement,
  LimitsExceededError,
  type MessageBus,
  method,
  property,
  ServiceInterface,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('order of handlers');
const { client, service, daemon, destination, stop } = await startClientAndService();
test.after(stop);

const Work = defineInterface('org.example.Work', {
  methods: { Wait: { in: 's', out: 's' }, Other: { in: 's', out: 's' }, Now: { in: 's', out: 's' } },
  signals: { Did: { args: 's' } },
  properties: { Level: { type: 'u' }, Count: { type: 'u', access: 'read' } },
});

/** An object whose handlers end when the test says so. */
function work(options: ImplementOptions<ImplementedMemberOptions<typeof Work.members>>, path: string) {
  const running = new Map<string, () => void>();
  const log: string[] = [];
  const wait = (text: string) =>
    new Promise<string>((resolve) => {
      log.push(text);
      running.set(text, () => {
        running.delete(text);
        resolve(text);
      });
    });
  const object = implement(
    Work,
    {
      Wait: wait,
      Other: wait,
      Now: (text) => {
        log.push(text);
        object.properties.Count++;
        return text;
      },
      Level: { get: () => 1, set: async (value) => void (await wait(`level ${value}`)) },
      Count: 0,
    },
    options,
  );
  const exported = service.export(path, object);
  const end = async (text: string) => {
    await until(() => running.has(text));
    running.get(text)?.();
  };
  return { running, log, end, exported, proxyOf: (bus: MessageBus = client) => bus.proxy(Work, destination, path) };
}

/** Resolves when all calls that were sent before have arrived. */
const arrived = (bus: MessageBus = client) =>
  bus.call({ destination, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });

test('serial: one handler of the object runs at a time, in the order of the calls of all callers', async () => {
  await using other = await connect({ address: daemon.address });
  const { running, log, end, exported, proxyOf } = work({ concurrency: 'serial' }, '/serial');
  const calls = [proxyOf().call.Wait('a')];
  await arrived();
  calls.push(proxyOf(other).call.Other('b'));
  await arrived(other);
  const set = proxyOf().set.Level(5);
  calls.push(proxyOf().call.Now('c'), proxyOf().call.Wait('d'));
  await arrived();
  assert.equal([...running.keys()], ['a']);
  assert.is(service.stats().callsInProgress, 5);
  for (const next of ['a', 'b', 'level 5', 'd']) await end(next);
  assert.equal(await Promise.all(calls), ['a', 'b', 'c', 'd']);
  await set;
  assert.equal(log, ['a', 'b', 'level 5', 'c', 'd']);
  assert.is(service.stats().callsInProgress, 0);
  exported.end();
});

test('a member may have an order of its own, or none', async () => {
  const members = { Other: { concurrency: 'serial' }, Now: { concurrency: 'parallel' } } as const;
  const { running, end, exported, proxyOf } = work({ concurrency: 'serial', members }, '/members');
  const { call } = proxyOf();
  const calls = [call.Wait('a'), call.Wait('b'), call.Other('c'), call.Other('d')];
  assert.is(await call.Now('now'), 'now');
  assert.equal([...running.keys()], ['a', 'c']);
  for (const next of ['c', 'd', 'a', 'b']) await end(next);
  await Promise.all(calls);
  exported.end();
});

test('perCaller: one handler of each caller runs at a time', async () => {
  await using other = await connect({ address: daemon.address });
  const { running, end, exported, proxyOf } = work({ concurrency: 'perCaller' }, '/caller');
  const calls = ['a', 'b'].map((text) => proxyOf().call.Wait(text));
  calls.push(...['c', 'd'].map((text) => proxyOf(other).call.Wait(text)));
  await Promise.all([arrived(), arrived(other)]);
  assert.equal([...running.keys()].sort(), ['a', 'c']);
  await end('c');
  await end('d');
  assert.equal([...running.keys()], ['a']);
  await end('a');
  await end('b');
  await Promise.all(calls);
  exported.end();
});

test('a full queue answers LimitsExceeded, to the caller that filled it alone', async () => {
  await using other = await connect({ address: daemon.address });
  const { log, end, exported, proxyOf } = work({ concurrency: 'serial', queue: 2 }, '/queue');
  const calls = ['a', 'b', 'c'].map((text) => proxyOf().call.Wait(text));
  const error = await rejection(proxyOf().call.Wait('d'));
  assert.instance(error, LimitsExceededError);
  assert.match(String(error), '2 calls of one caller wait for org.example.Work.Wait');
  calls.push(proxyOf(other).call.Wait('e'));
  for (const next of ['a', 'b', 'c', 'e']) await end(next);
  await Promise.all(calls);
  assert.equal(log, ['a', 'b', 'c', 'e']);
  exported.end();
});

test('limits.callsInProgress counts calls that wait', async () => {
  await using limited = await connect({ address: daemon.address, limits: { callsInProgress: 2 } });
  const ended: (() => void)[] = [];
  const object = implement(
    defineInterface('org.example.Slow', { methods: { Wait: {} } }),
    { Wait: () => new Promise<void>((resolve) => ended.push(resolve)) },
    { concurrency: 'serial' },
  );
  limited.export('/slow', object);
  const slow = client.proxy(object.description, limited.uniqueName, '/slow') as unknown as {
    call: { Wait(): Promise<void> };
  };
  const calls = [slow.call.Wait(), slow.call.Wait()];
  assert.instance(await rejection(slow.call.Wait()), LimitsExceededError);
  assert.is(limited.stats().callsInProgress, 2);
  for (const _call of calls) {
    await until(() => ended.length > 0);
    ended.pop()?.();
  }
  await Promise.all(calls);
});

test('calls of a caller that leaves are not handled', async () => {
  const other = await connect({ address: daemon.address });
  const { log, end, exported, proxyOf } = work({ concurrency: 'serial' }, '/leaves');
  const first = proxyOf().call.Wait('a');
  await arrived();
  for (const text of ['b', 'c'])
    proxyOf(other)
      .call.Wait(text)
      .catch(() => {});
  await arrived(other);
  const last = proxyOf().call.Wait('d');
  await arrived();
  assert.is(service.stats().callsInProgress, 4);
  await other.close({ drain: 0 });
  await until(() => service.stats().callsInProgress === 2);
  await end('a');
  await end('d');
  assert.equal(await Promise.all([first, last]), ['a', 'd']);
  assert.equal(log, ['a', 'd']);
  exported.end();
});

test('close waits for calls that wait', async () => {
  await using closing = await connect({ address: daemon.address });
  const handled: string[] = [];
  const object = implement(
    Work,
    {
      Wait: async (text) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        handled.push(text);
        return text;
      },
      Other: (text) => text,
      Now: (text) => text,
      Level: 1,
      Count: 0,
    },
    { concurrency: 'serial' },
  );
  closing.export('/closing', object);
  const proxy = client.proxy(Work, closing.uniqueName, '/closing');
  const calls = ['a', 'b', 'c'].map((text) => proxy.call.Wait(text));
  await client.call({
    destination: closing.uniqueName,
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  });
  await closing.close();
  assert.equal(handled, ['a', 'b', 'c']);
  assert.equal(await Promise.all(calls), ['a', 'b', 'c']);
});

test('a call is answered before the next one is handled', async () => {
  const { end, exported, proxyOf } = work({ concurrency: 'serial' }, '/answers');
  const seen: string[] = [];
  const rule = { sender: destination, path: '/answers', member: 'PropertiesChanged' };
  const watch = client.subscribe(rule, ({ body }) => void seen.push(`count ${(body[1] as { Count: number }).Count}`));
  await watch.ready;
  const { call } = proxyOf();
  const calls = [call.Wait('a'), call.Now('b'), call.Now('c')].map((each) => each.then((text) => seen.push(text)));
  await arrived();
  await end('a');
  await Promise.all(calls);
  assert.equal(seen, ['a', 'count 1', 'b', 'count 2', 'c']);
  watch.end();
  exported.end();
});

test('a permission is decided before the turn of the call, and not again', async () => {
  let isOpen = true;
  const { log, end, exported, proxyOf } = work(
    { concurrency: 'serial', members: { Other: { allow: () => isOpen } } },
    '/decided',
  );
  const calls = [proxyOf().call.Wait('a'), proxyOf().call.Other('b')];
  await arrived();
  isOpen = false;
  await end('a');
  await end('b');
  assert.equal(await Promise.all(calls), ['a', 'b']);
  assert.equal(log, ['a', 'b']);
  assert.match(String(await rejection(proxyOf().call.Other('c'))), 'requires the permission');
  exported.end();
});

test('parallel: a call that has to be permitted first can be overtaken; perCaller: it cannot', async () => {
  for (const [concurrency, expected] of [
    ['parallel', ['b', 'a']],
    ['perCaller', ['a', 'b']],
  ] as const) {
    let permit = () => {};
    const permitted = new Promise<boolean>((resolve) => {
      permit = () => resolve(true);
    });
    const options: ImplementOptions<ImplementedMemberOptions<typeof Work.members>> = {
      concurrency,
      members: { Wait: { allow: () => permitted } },
    };
    const { log, end, exported, proxyOf } = work(options, `/overtaken/${concurrency}`);
    const calls = [proxyOf().call.Wait('a'), proxyOf().call.Now('b')];
    await arrived();
    permit();
    await end('a');
    await Promise.all(calls);
    assert.equal(log, expected);
    exported.end();
  }
});

test('a handler that fails makes way for the next one', async () => {
  class Failing extends ServiceInterface {
    constructor() {
      super({ name: 'org.example.Failing', concurrency: 'serial' });
    }
    @method({ in: 's' })
    async Fail(text: string): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error(text);
    }
    @method({ context: true, concurrency: 'perCaller', queue: 3 })
    Sender(_call: CallContext): void {}
    @property({ type: 'u', concurrency: 'serial' })
    accessor Level = 1;
  }
  using _export = service.export('/failing', new Failing());
  const proxy = client.proxy(Failing, destination, '/failing');
  const errors = await Promise.all(['a', 'b', 'c'].map((text) => rejection(proxy.call.Fail(text))));
  assert.equal(
    errors.map((error) => /[abc](?= \()/.exec((error as Error).message)?.[0]),
    ['a', 'b', 'c'],
  );
  await Promise.all([proxy.call.Sender(), proxy.call.Sender(), proxy.set.Level(5)]);
});

test('many handlers that take no time let timers run', async () => {
  const { end, exported, proxyOf } = work({ concurrency: 'serial' }, '/many');
  const { call } = proxyOf();
  const calls = [call.Wait('a'), ...Array.from({ length: 2000 }, (_, index) => call.Now(`${index}`))];
  await arrived();
  await end('a');
  assert.is((await Promise.all(calls)).length, 2001);
  exported.end();
});

test.run();
