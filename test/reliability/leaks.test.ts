// time limit: 120 s
// Operations that have ended leave nothing behind: match rules at the bus, pending calls, descriptors, handles of the event
// loop, and memory.
import { openSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type DBusError,
  defineInterface,
  FileDescriptor,
  InvalidReplyError,
  implement,
  type MessageBus,
  MessageType,
  Variant,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { rulesAtBus } from '../helpers/rules-at-bus.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const service = await connect({ address: daemon.address });
const test = suite('leaks');

const manyFds = Array.from({ length: 10 }, () => 0);

const Example = defineInterface('org.example.Leaks', {
  methods: { Echo: { in: 's', out: 's' }, Fail: {}, Pass: { in: 'h', out: 'h' }, Open: { in: 'b', out: 'a{sv}' } },
  properties: { Fixed: { type: 'ah', access: 'read' }, Size: { type: 'u' } },
  signals: { Lit: { args: 's' } },
});
const example = implement(Example, {
  Echo: (text) => text,
  Fail: () => {
    throw new RangeError('as always');
  },
  // A received descriptor is returned, and is closed here once it is sent.
  Pass: (fd) => fd.handOver(),
  Open: (isMisfit) => {
    const opened = () => new Variant('h', FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver());
    return { first: opened(), second: opened(), third: isMisfit ? new Variant('u', -1) : opened() };
  },
  Fixed: [],
  Size: 1,
});
service.export('/leaks', example);
await service.requestName('org.example.Leaks');
const proxy = client.proxy(Example, 'org.example.Leaks', '/leaks');
process.on('warning', () => {});

// Descriptors that were opened to load and start all this, and are closed a little later, are not leaks.
test.before(async () => {
  heapInUse();
  await delay(200);
});

test.after(async () => {
  await Promise.all([client.close(), service.close()]);
  await daemon.stop();
});

const openFds = () => readdirSync('/proc/self/fd').length;
// Handles that end on the next turn (including the garbage collector's callbacks) are not leaks.
const handles = () =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => kind !== 'Immediate')
    .sort()
    .join();

// The streams exist from now on: the first output to one must not look like a leak.
void [process.stdout, process.stderr];

async function baseline(bus: MessageBus): Promise<Record<string, unknown>> {
  await bus.listNames();
  // Timers and closed handles end on the next turns.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  const { matchRules, pendingCalls, queuedBytes } = bus.stats();
  return { matchRules, pendingCalls, queuedBytes, atBus: await rulesAtBus(bus), fds: openFds(), handles: handles() };
}

/** The size of the heap after a garbage collection. */
function heapInUse(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Runs the work twice, the first time so that caches are warm, and returns the growth of the heap of the second time. */
async function growth(work: () => Promise<void>): Promise<number> {
  await work();
  const before = heapInUse();
  await work();
  return heapInUse() - before;
}

test('10 000 subscriptions that ended', async () => {
  const before = await baseline(client);
  const grown = await growth(async () => {
    for (let round = 0; round < 100; round++) {
      const subscriptions = Array.from({ length: 50 }, (_, i) => [
        proxy.on.Lit(() => {}),
        client.subscribe({ interface: 'org.example.Leaks', arg0: `${round} ${i}` }, () => {}),
      ]).flat();
      for (const subscription of subscriptions) subscription.end();
      await client.listNames();
    }
  });
  assert.equal(await baseline(client), before);
  assert.ok(grown < 1_000_000, `the heap grew by ${grown} bytes`);
});

test('10 000 calls that were answered', async () => {
  // From the first call by its name on, the owner of the name is watched.
  await proxy.call.Echo('');
  const before = await baseline(client);
  const grown = await growth(async () => {
    for (let round = 0; round < 100; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => proxy.call.Echo(`${round} ${i}`)));
    }
  });
  assert.equal(await baseline(client), before);
  assert.ok(grown < 1_000_000, `the heap grew by ${grown} bytes`);
});

test('calls that failed, timed out or were aborted', async () => {
  const before = await baseline(client);
  const grown = await growth(async () => {
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const calls = Array.from({ length: 50 }, () => [
        proxy.call.Fail(),
        proxy.with({ timeout: 0 }).call.Echo('late'),
        proxy.with({ signal: controller.signal }).call.Echo('aborted'),
      ]).flat();
      controller.abort();
      await Promise.allSettled(calls);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await baseline(client), before);
  assert.ok(grown < 1_000_000, `the heap grew by ${grown} bytes`);
});

test('descriptors that went to a service and came back', async () => {
  const before = await baseline(client);
  for (let round = 0; round < 1000; round++) {
    using back = (await proxy.call.Pass(0)) as FileDescriptor;
    assert.instance(back, FileDescriptor);
    assert.is.not(back.fd, 0);
  }
  assert.equal(await baseline(client), before);
});

test('descriptors of a signal without a listener', async () => {
  const before = await baseline(client);
  for (let round = 0; round < 100; round++) {
    service.emit({
      path: '/',
      interface: 'org.example.Fds',
      member: 'Here',
      signature: 'hh',
      body: [0, 1],
      destination: client.uniqueName,
    });
  }
  await service.listNames();
  assert.equal(await baseline(client), before);
});

test('descriptors of values that a property refuses', async () => {
  const before = await baseline(client);
  const set = { destination: service.uniqueName, path: '/leaks', interface: 'org.freedesktop.DBus.Properties' };
  for (const [iface, name] of [
    ['org.example.Leaks', 'Fixed'],
    ['org.example.Leaks', 'Size'],
    ['org.example.Leaks', 'Missing'],
    ['org.example.Missing', 'Fixed'],
  ]) {
    const body = [iface, name, new Variant('ah', manyFds)];
    await rejection(client.call({ ...set, member: 'Set', signature: 'ssv', body }));
  }
  assert.equal(await baseline(client), before);
});

test('descriptors of signals whose body is decoded', async () => {
  const before = await baseline(client);
  const heard: unknown[] = [];
  const rule = { interface: 'org.example.Fds', arg1: 'wanted', arg2path: '/wanted/' };
  const subscription = client.subscribe(rule, ({ body }) => {
    for (const descriptor of body[0] as FileDescriptor[]) {
      heard.push(descriptor.closed);
      descriptor.close();
    }
  });
  await subscription.ready;
  for (const [text, path] of [
    ['unwanted', '/wanted/here'],
    ['wanted', '/unwanted'],
    ['wanted', '/wanted/here'],
  ]) {
    // The bus itself would decode one that is sent to every connection.
    const signal = { destination: client.uniqueName, path: '/', interface: 'org.example.Fds', member: 'Here' };
    service.emit({ ...signal, signature: 'ahso', body: [manyFds, text, path] });
  }
  await service.listNames();
  await client.listNames();
  subscription.end();
  assert.equal(await baseline(client), before);
  assert.equal(
    heard,
    manyFds.map(() => false),
  );
});

test('descriptors of results that are not wanted, or of another type', async () => {
  const before = await baseline(client);
  for (let round = 0; round < 10; round++) {
    await proxy.with({ noReply: true }).call.Open(false);
    await rejection(proxy.call.Open(true));
  }
  await service.listNames();
  assert.equal(await baseline(client), before);
});

test('descriptors of an error whose body is not read', async () => {
  const before = await baseline(client);
  using _handler = service.addMessageHandler(({ path, sender, serial, type }) => {
    if (type !== MessageType.MethodCall || path !== '/mistaken') return false;
    const answer = { destination: sender, replySerial: serial, signature: 'sah', body: ['text', manyFds] };
    service.send({ type: MessageType.Error, errorName: 'org.example.Error.Mistaken', ...answer });
    return true;
  });
  const error = (await rejection(
    client.proxy(Example, 'org.example.Leaks', '/mistaken').call.Echo('text'),
  )) as DBusError;
  assert.is(error.message.startsWith('text'), true);
  assert.equal(await baseline(client), before);
});

test('descriptors in the answers to properties that are not read', async () => {
  const before = await baseline(client);
  using _handler = service.addMessageHandler(({ path, sender, serial, type, member }) => {
    if (type !== MessageType.MethodCall || path !== '/mistaken') return false;
    const signature = member === 'Get' ? 'vah' : 'sah';
    const body = [member === 'Get' ? new Variant('u', 1) : 'text', manyFds];
    service.send({ type: MessageType.MethodReturn, destination: sender, replySerial: serial, signature, body });
    return true;
  });
  const mistaken = client.proxy(Example, 'org.example.Leaks', '/mistaken');
  assert.instance(await rejection(mistaken.get.Size()), InvalidReplyError);
  assert.is(await mistaken.with({ loose: true }).get.Size(), 1);
  await mistaken.set.Size(2);
  assert.equal(await baseline(client), before);
});

test('descriptors that a message handler got are closed when it ends, unless it took them', async () => {
  const before = await baseline(client);
  const kept: FileDescriptor[] = [];
  const taken: FileDescriptor[] = [];
  using _handler = service.addMessageHandler(({ member, body }) => {
    if (member !== 'Set') return;
    kept.push(...(body[2] as FileDescriptor[]));
    taken.push((kept[0] as FileDescriptor).dup());
  });
  const set = { destination: service.uniqueName, path: '/leaks', interface: 'org.freedesktop.DBus.Properties' };
  const body = ['org.example.Leaks', 'Missing', new Variant('ah', manyFds)];
  await rejection(client.call({ ...set, member: 'Set', signature: 'ssv', body }));
  assert.equal(
    kept.map(({ closed }) => closed),
    manyFds.map(() => true),
  );
  assert.is(taken[0]?.closed, false);
  for (const descriptor of taken) descriptor.close();
  assert.equal(await baseline(client), before);
});

test('watched and owned names', async () => {
  const before = await baseline(client);
  for (let round = 0; round < 500; round++) {
    using _watch = client.watchName(`org.example.Watched${round % 7}`, {});
    await using _name = await client.requestName(`org.example.Owned${round % 7}`);
  }
  assert.equal(await baseline(client), before);
});

test('10 000 objects that were exported and unexported', async () => {
  const before = await baseline(service);
  const grown = await growth(async () => {
    const exports = Array.from({ length: 10_000 }, (_, i) => service.export(`/many/of/${i % 100}/them/${i}`, example));
    assert.is(service.stats().exportedObjects, 10_001);
    for (const exported of exports) exported.end();
  });
  assert.is(service.stats().exportedObjects, 1);
  assert.equal(await baseline(service), before);
  assert.ok(grown < 2_000_000, `the heap grew by ${grown} bytes`);
});

test('500 connections that were opened and closed', async () => {
  const before = await baseline(client);
  const grown = await growth(async () => {
    for (let round = 0; round < 250; round++) {
      await using bus = await connect({ address: daemon.address });
      bus.subscribe({ interface: 'org.example.Leaks' }, () => {});
    }
  });
  assert.equal(await baseline(client), before);
  assert.ok(grown < 2_000_000, `the heap grew by ${grown} bytes`);
});

test('connections that could not be made', async () => {
  const before = await baseline(client);
  for (let round = 0; round < 500; round++) {
    await connect({ address: 'unix:path=/nonexistent/socket' }).catch(() => {});
  }
  assert.equal(await baseline(client), before);
});

test.run();
