// Peers without a bus that reconnect, addresses with a GUID, and descriptors of calls that wait.
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BackpressureError,
  ConnectError,
  ConnectionClosedError,
  connect,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  listen,
  type MessageBus,
  NotSupportedError,
  type PeerServer,
  ServiceUnknownError,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { folder } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { bringBack, connectAgain, lose, QUICK, restoredOf } from '../helpers/reconnecting.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Again';
const Lamp = defineInterface(NAME, {
  methods: { Add: { in: 'uu', out: 'u' }, Size: { in: 'h', out: 'u' } },
  signals: { Switched: { args: 'u' } },
  properties: { Level: { type: 'u' } },
});

const test = suite('peers that reconnect');

/** A server whose peers all get one lamp. */
class Served {
  readonly lamp = implement(Lamp, { Add: (a, b) => a + b, Size: (file) => fstatSync(file.fd).size, Level: 1 });
  readonly address = `unix:path=${join(folder, 'again')}`;
  #server: PeerServer | undefined;
  peer: MessageBus | undefined;

  async start(): Promise<string> {
    this.#server = await listen({
      address: this.address,
      onConnection: (peer) => {
        this.peer = peer;
        peer.export('/lamp', this.lamp);
        peer.exportObjectManager('/');
      },
    });
    return this.#server.address;
  }

  async stop(): Promise<void> {
    await this.#server?.close({ drain: 0 });
  }
}

test('exports, subscriptions and live views of a peer work over the next connection', async () => {
  const served = new Served();
  await served.start();
  const peer = await connect({ address: served.address, peer: true, reconnect: QUICK });
  const own = implement(Lamp, { Add: (a, b) => a * b, Size: () => 0, Level: 2 });
  peer.export('/own', own);
  const proxy = peer.proxy(Lamp, '/lamp');
  const got: number[] = [];
  proxy.on.Switched((which) => void got.push(which));
  const view = peer.objects();
  const cached = await peer.cached(Lamp, '/lamp');
  await view.ready;
  const reasons: string[] = [];
  peer.watchConnection({ lost: ({ message }) => void reasons.push(message) });
  for (let round = 1; round <= 3; round++) {
    await served.stop();
    await until(() => peer.state === 'away');
    assert.equal([view.size, cached.values], [0, {}]);
    served.lamp.properties.Level = 10 * round;
    const waiting = proxy.call.Add(round, 1);
    const restored = restoredOf(peer);
    await served.start();
    const { uniqueName, downtime } = await restored;
    assert.is(uniqueName, undefined);
    assert.ok(downtime > 0);
    assert.is(await waiting, round + 1);
    await until(() => cached.values.Level === 10 * round);
    assert.equal(
      [...view.of(Lamp)].map(({ path, values }) => [path, values.Level]),
      [['/lamp', 10 * round]],
    );
    served.lamp.emit.Switched(round);
    await until(() => got.length === round);
    assert.is(await served.peer?.proxy(Lamp, '/own').call.Add(round, 5), 5 * round);
  }
  assert.equal(got, [1, 2, 3]);
  assert.is(reasons.length, 3);
  await peer.close();
  await served.stop();
});

test('the GUID of an address is compared for the first connection only', async () => {
  const served = new Served();
  const address = await served.start();
  assert.match(address, /guid=/);
  const peer = await connect({ address, peer: true, reconnect: QUICK });
  peer.ref();
  await served.stop();
  await until(() => peer.state === 'away');
  const restored = restoredOf(peer);
  const next = await served.start();
  assert.is.not(next, address);
  await restored;
  assert.is(await peer.proxy(Lamp, '/lamp').call.Add(1, 2), 3);
  assert.instance(await rejection(connect({ address, peer: true })), ConnectError);
  await peer.close();
  await served.stop();
});

test('calls beyond `limits.queuedBytes` do not wait for a connection', async () => {
  const served = new Served();
  await served.start();
  const limits = { queuedBytes: 1000 };
  const peer = await connect({ address: served.address, peer: true, reconnect: QUICK, limits });
  await served.stop();
  await until(() => peer.state === 'away');
  const call = () => peer.call({ path: '/lamp', member: 'Any', signature: 'ay', body: [Buffer.alloc(2000)] });
  const waiting = rejection(call());
  const error = await rejection(call());
  assert.instance(error, BackpressureError);
  assert.match(
    error.message,
    /^2\d+ bytes of calls already wait for a connection: make fewer, or raise limits\.queuedBytes$/,
  );
  await peer.close();
  assert.instance(await waiting, ConnectionClosedError);
});

test('a stream that the program passes cannot reconnect', async () => {
  for (const given of [{ fd: 0 }, { fd: 0, peer: true }]) {
    const error = await rejection(connect({ ...given, reconnect: true }));
    assert.instance(error, InvalidArgumentError);
    assert.is(error.message, 'reconnect: needs an address, and `fd` has none');
  }
});

test('a descriptor of a call that waits is sent, and stays with the program if the call is not sent', async () => {
  const before = openFds();
  const daemon = await PrivateBus.start();
  const [service, client] = [await connectAgain(daemon), await connectAgain(daemon)];
  service.export('/', new Served().lamp);
  await service.requestName(NAME);
  const proxy = client.proxy(Lamp, NAME, '/').with({ wait: false });
  const size = statSync(process.execPath).size % 2 ** 32;
  const open = () => openSync(process.execPath, 'r');
  await lose(daemon, service, client);
  const late = FileDescriptor.adopt(open()).handOver();
  const refused = rejection(proxy.with({ timeout: 10 }).call.Size(late));
  const kept = FileDescriptor.adopt(open());
  const handed = FileDescriptor.adopt(open()).handOver();
  const number = open();
  const call = { destination: NAME, path: '/', member: 'Size', signature: 'h', interface: NAME };
  const answers = Promise.allSettled([kept, handed, number].map((file) => client.call({ ...call, body: [file] })));
  closeSync(number);
  await refused;
  assert.not.ok(late.closed);
  late.close();
  await bringBack(daemon, service, client);
  // They are sent, whether or not the service already has its name.
  for (const answer of await answers) {
    if (answer.status === 'fulfilled') assert.equal(answer.value, [size]);
    else assert.instance(answer.reason, ServiceUnknownError);
  }
  assert.not.ok(kept.closed);
  assert.ok(handed.closed);
  assert.is(await proxy.call.Size(kept), size);
  kept.close();
  await client.close();
  await service.close();
  await daemon.stop();
  await assertNoFdsLeft(before);
});

test('descriptors reach a peer whose connection they waited for', async () => {
  const served = new Served();
  await served.start();
  const peer = await connect({ address: served.address, peer: true, reconnect: QUICK });
  const proxy = peer.proxy(Lamp, '/lamp');
  const before = openFds();
  await served.stop();
  await until(() => peer.state === 'away');
  const size = statSync(process.execPath).size % 2 ** 32;
  const number = openSync(process.execPath, 'r');
  const handed = FileDescriptor.adopt(openSync(process.execPath, 'r')).handOver();
  const calls = [proxy.call.Size(number), proxy.call.Size(handed)];
  closeSync(number);
  const attached = { path: '/lamp', member: 'Size', signature: 'h', body: [handed], fileDescriptors: [handed] };
  if (transportKind() === 'sd-bus') assert.instance(await rejection(peer.call(attached)), NotSupportedError);
  await served.start();
  assert.equal(await Promise.all(calls), [size, size]);
  assert.ok(handed.closed);
  await peer.close();
  await served.stop();
  await assertNoFdsLeft(before);
});

test.run();
