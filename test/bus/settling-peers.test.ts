// Between peers, too, every promise and iterator that busbar returns settles when the server closes, or the other side
// does.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, listen, type MessageBus, type PeerServer } from '../../src/index.js';
import { folder } from '../helpers/peers.js';
import { allSettle, publicMembers } from '../helpers/settling.js';
import { until } from '../helpers/until.js';

const Settling = defineInterface('org.example.Settling', {
  methods: { Never: {} },
  signals: { Said: { args: 'u' } },
  properties: { Level: { type: 'u' } },
});

const test = suite('settling between peers');
process.removeAllListeners('warning');

/**
 * All members of a server, and the promises that they return; `undefined` for members that return nothing that has to
 * settle.
 */
const ofServer: Readonly<Record<string, ((server: PeerServer) => Promise<unknown>) | undefined>> = {
  address: undefined,
  close: (server) => server.close({ drain: 0 }),
  connections: undefined,
  ref: undefined,
  unref: undefined,
  'Symbol(Symbol.asyncDispose)': (server) => server[Symbol.asyncDispose](),
  async 'Symbol(Symbol.asyncIterator)'(server) {
    for await (const _ of server);
  },
};

/** The promises of a peer's connection while the other side does not answer. */
function ofPeer(bus: MessageBus): Record<string, Promise<unknown>> {
  const proxy = bus.proxy(Settling, '/').with({ timeout: Number.POSITIVE_INFINITY });
  const queue = proxy.watch.Said();
  return {
    call: bus.call({
      path: '/',
      interface: 'org.example.Settling',
      member: 'Never',
      timeout: Number.POSITIVE_INFINITY,
    }),
    method: proxy.call.Never(),
    once: proxy.once.Said(),
    next: queue.next(),
    object: bus.object('/never'),
    ready: bus.subscribe({ member: 'Said' }, () => {}).ready,
    onReady: proxy.on.Said(() => {}).ready,
    flush: bus.flush(),
    disconnected: bus.disconnected,
  };
}

test('the table names every public member of a server', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  assert.equal(publicMembers(server, ['peer/peer-server.ts']), Object.keys(ofServer).sort());
});

for (const end of ['the server', 'the client', 'the accepted side'] as const) {
  test(`every promise settles by ${end}`, async () => {
    const server = await listen({ address: `unix:tmpdir=${folder}` });
    const iterator = server[Symbol.asyncIterator]();
    const first = iterator.next();
    const client = await connect({ address: server.address, peer: true });
    const accepted = (await first).value as MessageBus;
    let calls = 0;
    const never = () => {
      calls++;
      return new Promise<void>(() => {});
    };
    for (const bus of [client, accepted]) bus.export('/', implement(Settling, { Never: never, Level: 1 }));
    const open = new Map<string, Promise<unknown>>();
    for (const [what, bus] of Object.entries({ client, accepted })) {
      for (const [name, promise] of Object.entries(ofPeer(bus))) open.set(`${what} ${name}`, promise);
    }
    const next = iterator.next();
    const loop = ofServer['Symbol(Symbol.asyncIterator)']?.(server) as Promise<unknown>;
    for (const promise of [...open.values(), next, loop]) promise.catch(() => {});
    await until(() => calls === 4);
    if (end === 'the server') await server.close({ drain: 0 });
    else if (end === 'the client') await client.close({ drain: 0 });
    else await accepted.close({ drain: 0 });
    await allSettle(open);
    // For the other side it was a loss. A server continues without its clients.
    const ends = ['close', 'Symbol(Symbol.asyncDispose)'].map((name) => [name, ofServer[name]?.(server)] as const);
    await allSettle(
      new Map([...ends, ['next', next], ['loop', loop], ['late next', iterator.next()]] as [
        string,
        Promise<unknown>,
      ][]),
    );
    for (const bus of [client, accepted]) {
      assert.is(bus.state, 'closed');
      assert.is(bus.stats().pendingCalls, 0);
      assert.is(bus.stats().subscriptions, 0);
    }
  });
}

test.run();
