// AbortSignals: each of them ends its operation, and nothing is left behind.
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, TimeoutError } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('abort');
const NAME = 'org.example.Abort';
const Example = defineInterface(NAME, {
  methods: { Never: {} },
  signals: { Said: { args: 's' } },
  properties: { On: { type: 'b', access: 'readwrite' } },
});

const server = await PrivateBus.start();
const service = await connect({ address: server.address });
const client = await connect({ address: server.address });
const example = implement(Example, { Never: () => new Promise<void>(() => {}), On: false });
service.export('/', example);
await service.requestName(NAME);
const proxy = client.proxy(Example, NAME, '/');

test.after(async () => {
  await Promise.all([client.close(), service.close()]);
  await server.stop();
});

const settled = async () => {
  await service.listNames();
  await client.listNames();
};
const held = () => {
  const { matchRules, subscriptions, pendingCalls } = client.stats();
  return [matchRules, subscriptions, pendingCalls];
};

test('the AbortSignal of a proxy ends the subscriptions of the proxy', async () => {
  const before = held();
  const controller = new AbortController();
  const bound = proxy.with({ signal: controller.signal });
  const heard: unknown[] = [];
  const on = bound.on.Said((text) => heard.push(text));
  bound.onChange((changed) => heard.push(changed));
  const loop = (async () => {
    for await (const [text] of bound.watch.Said()) heard.push(`loop ${text}`);
    return 'ended';
  })();
  const once = rejection(bound.once.Said());
  await on.ready;
  const aborted = new Error('aborted');
  controller.abort(aborted);
  assert.is(await loop, 'ended');
  assert.is(await once, aborted);
  example.emit.Said('late');
  await settled();
  assert.equal(held(), before);
  assert.equal(heard, []);
  // The signal is already aborted, so nothing is subscribed to.
  const late = bound.on.Said(() => assert.unreachable());
  assert.is(await rejection(late.ready), aborted);
  assert.is(await rejection(bound.onChange(() => {}).ready), aborted);
  assert.equal(await bound.watch.Said().next(), { value: undefined, done: true });
  assert.is(await rejection(bound.call.Never()), aborted);
  assert.equal(held(), before);
  late.end();
  // The AbortSignal of a call takes precedence over the one of the proxy.
  const own = new AbortController();
  const watching = bound.watch.Said({ signal: own.signal });
  const next = watching.next();
  own.abort();
  assert.equal(await next, { value: undefined, done: true });
  await settled();
  assert.equal(held(), before);
});

test('ending a subscription removes its listener from the AbortSignal', async () => {
  const { signal } = new AbortController();
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  for (let round = 0; round < 30; round++)
    proxy
      .with({ signal })
      .on.Said(() => {})
      .end();
  assert.is(listeners, 0);
  const other = await connect({ address: server.address });
  other
    .proxy(Example, NAME, '/')
    .with({ signal })
    .on.Said(() => {});
  assert.is(listeners, 1);
  await other.close();
  assert.is(listeners, 0);
  process.off('warning', note);
  assert.equal(warnings, []);
});

test('options that are not given keep their values', async () => {
  const short = proxy.with({ timeout: 50 });
  for (const same of [short.with({ timeout: undefined }), short.with({}), short.with({ interactive: true })]) {
    assert.instance(await rejection(same.call.Never()), TimeoutError);
  }
  const controller = new AbortController();
  const bound = proxy.with({ signal: controller.signal }).with({ signal: undefined, timeout: 20_000 });
  const call = rejection(bound.call.Never());
  const reason = new Error('enough');
  controller.abort(reason);
  assert.is(await call, reason);
});

test('connecting can be aborted before it begins, while it is under way, and during Hello', async () => {
  const reason = new Error('changed my mind');
  assert.is(await rejection(connect({ address: server.address, signal: AbortSignal.abort(reason) })), reason);
  for (const greeting of ['', 'OK 0123456789abcdef0123456789abcdef\r\n']) {
    const path = join(tmpdir(), `busbar-mute-${process.pid}-${greeting.length}`);
    const sockets: { destroy(): void }[] = [];
    let accept!: () => void;
    const accepted = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const mute = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('data', () => {
        if (greeting !== '') socket.write(`DATA\r\n${greeting}AGREE_UNIX_FD\r\n`);
        setImmediate(accept);
      });
    });
    await new Promise<void>((resolve) => mute.listen(path, resolve));
    const controller = new AbortController();
    const attempt = rejection(connect({ address: `unix:path=${path}`, signal: controller.signal, timeout: 60_000 }));
    await accepted;
    controller.abort(reason);
    assert.is(await attempt, reason);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
  }
  // Aborting has no effect on an established connection.
  const controller = new AbortController();
  await using bus = await connect({ address: server.address, signal: controller.signal });
  controller.abort(reason);
  assert.ok((await bus.listNames()).length > 0);
});

test('a close listener that throws does not keep the other listeners from running', async () => {
  const bus = await connect({ address: server.address });
  const warnings: string[] = [];
  const note = ({ message }: Error) => warnings.push(message);
  process.on('warning', note);
  const heard: string[] = [];
  bus.whenClosed(() => heard.push('first'));
  bus.whenClosed(() => {
    throw new Error('a bad listener');
  });
  bus.whenClosed(() => heard.push('last'));
  const disconnected = bus.disconnected;
  await bus.close();
  assert.is(await disconnected, undefined);
  assert.equal(heard, ['first', 'last']);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  assert.ok(warnings.some((message) => message.includes('a bad listener')));
});

test.run();
