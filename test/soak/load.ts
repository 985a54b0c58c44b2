/** The mixed load: ordinary use of a bus, and failures on one, a short round of each at a time. */
import { BackpressureError, connect, type FileDescriptor, type MessageBus } from '../../src/index.js';
import { BEGIN_EXTERNAL, RawPeer } from '../helpers/raw-peer.js';
import { fillCaches } from './caches.js';
import type { Ledger } from './ledger.js';
import { names, PATH, pause, type Site, Soaked, soakedObject } from './site.js';

/** One round of a kind; it has released everything when it settles. */
type Round = (site: Site, ledger: Ledger) => Promise<void>;

/** The rounds of a soak. */
export interface Load {
  /** Runs once, before the first sample. */
  readonly begin?: Round;
  /** Cycles after which code is compiled, so that samples are meaningful. None if left out. */
  readonly warmUp?: number;
  /** A cycle is one round of each. */
  readonly rounds: Readonly<Record<string, Round>>;
}

const proxyOf = (bus: MessageBus, name: string) => bus.proxy(Soaked, name, PATH);
const large = Buffer.alloc(300 * 1024, 7);
const veryLarge = Buffer.alloc(4 * 1024 * 1024, 7);
/** Numbers of the signals of each connection, so that a lost one would be missed. */
const ticks = { one: 0, two: 0 };
/** Signals that may be on their way. */
const UNDERWAY = 1000;

const rounds: Readonly<Record<string, Round>> = {
  async calls({ one }, ledger) {
    const proxy = proxyOf(one, names.two);
    await Promise.all(Array.from({ length: 50 }, () => ledger.succeeds(proxy.call.Echo('there'))));
  },

  async callsBack({ two }, ledger) {
    const proxy = proxyOf(two, names.one);
    await Promise.all(Array.from({ length: 50 }, () => ledger.succeeds(proxy.call.Echo('back'))));
  },

  async signals({ ofOne, ofTwo }, ledger) {
    // Nothing else slows the emitter down, and a slow daemon would delay everything.
    while (ledger.emits - ledger.arrived > UNDERWAY) await pause(1);
    for (let i = 0; i < 50; i++) {
      emit(ledger, () => ofOne.emit.Tick(++ticks.one));
      emit(ledger, () => ofTwo.emit.Tick(++ticks.two));
    }
  },

  async properties({ one }, ledger) {
    const proxy = proxyOf(one, names.two);
    let changes = 0;
    using _change = proxy.onChange(() => void changes++);
    const value = ledger.cycles % 1000;
    await ledger.succeeds(proxy.set.Level(value));
    ledger.holds((await ledger.succeeds(proxy.get.Level())) === value, 'a property is what it was set to');
    await ledger.succeeds(proxy.getAll());
    ledger.holds(changes <= 1, 'a property that changed once is announced once');
  },

  async descriptors({ two }, ledger) {
    const proxy = proxyOf(two, names.one);
    for (let i = 0; i < 5; i++) {
      using _back = (await ledger.succeeds(proxy.call.Pass(0))) as FileDescriptor | undefined;
    }
  },

  async subscriptions({ one }, ledger) {
    const proxy = proxyOf(one, names.two);
    const subscriptions = Array.from({ length: 10 }, (_, i) => [
      proxy.on.Tick(() => {}),
      one.subscribe({ interface: 'org.example.Soak', arg0: `${ledger.cycles} ${i}` }, () => {}),
    ]).flat();
    await ledger.succeeds((subscriptions.at(-1) as { ready: Promise<void> }).ready);
    for (const subscription of subscriptions) subscription.end();
  },

  async exports({ one, two }, ledger) {
    const path = `${PATH}/exported/${ledger.cycles % 20}`;
    const handles = Array.from({ length: 10 }, (_, i) => two.export(`${path}/${i}`, soakedObject()));
    await ledger.succeeds(one.proxy(Soaked, names.two, `${path}/3`).call.Echo('exported'));
    for (const handle of handles) handle.end();
    await ledger.fails(one.proxy(Soaked, names.two, `${path}/3`).call.Echo('gone'), 'UnknownObjectError');
  },

  async connections({ daemon }, ledger) {
    const bus = await ledger.succeeds(connect({ address: daemon.address }));
    if (bus === undefined) return;
    bus.subscribe({ interface: 'org.example.Soak' }, () => {});
    await using _name = await bus.requestName(`org.example.Soak.N${ledger.cycles}`, { queue: true });
    bus.export(PATH, soakedObject());
    const waiting = ledger.fails(proxyOf(bus, names.two).call.Late(), 'ConnectionClosedError');
    await ledger.succeeds(proxyOf(bus, names.one).call.Echo('new'));
    await bus.close();
    await waiting;
  },

  async refusedConnections(_site, ledger) {
    await ledger.fails(connect({ address: 'unix:path=/nonexistent/soak' }), 'ConnectError');
  },

  async peers({ peers }, ledger) {
    const bus = await ledger.succeeds(connect({ address: peers.address, peer: true }));
    if (bus === undefined) return;
    const proxy = bus.proxy(Soaked, PATH);
    await Promise.all(Array.from({ length: 10 }, () => ledger.succeeds(proxy.call.Echo('peer'))));
    await bus.close();
  },

  async misbehavingPeers({ peers }, ledger) {
    const peer = await RawPeer.connect(peers.address);
    peer.write(BEGIN_EXTERNAL);
    await peer.until('OK ');
    peer.write('GET / HTTP/1.1\r\nHost: none\r\n\r\n');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('late'), 5000);
    });
    ledger.holds((await Promise.race([peer.ended, late])) !== 'late', 'a peer that sends garbage is disconnected');
    clearTimeout(timer);
    peer.close();
  },

  async errors({ one }, ledger) {
    const proxy = proxyOf(one, names.two);
    await Promise.all(Array.from({ length: 5 }, () => ledger.fails(proxy.call.Fail(), 'DBusError')));
    await ledger.fails(
      one.call({ destination: 'org.example.Nobody', path: '/', member: 'Ask' }),
      'ServiceUnknownError',
    );
    const misfit = {
      destination: names.two,
      path: PATH,
      interface: 'org.example.Soak',
      member: 'Echo',
      signature: 's',
    };
    await ledger.fails(one.call({ ...misfit, body: [1] }), 'InvalidArgumentError');
  },

  async timeouts({ two }, ledger) {
    const proxy = proxyOf(two, names.one).with({ timeout: 5 });
    await Promise.all(Array.from({ length: 5 }, () => ledger.fails(proxy.call.Late(), 'TimeoutError')));
  },

  async aborts({ two }, ledger) {
    const controller = new AbortController();
    const proxy = proxyOf(two, names.one).with({ signal: controller.signal });
    const calls = Array.from({ length: 5 }, () => ledger.fails(proxy.call.Late(), 'AbortError'));
    controller.abort();
    await Promise.all(calls);
  },

  async largeMessages({ one }, ledger) {
    const bytes = ledger.cycles % 20 === 0 ? veryLarge : large;
    const back = await ledger.succeeds(proxyOf(one, names.two).call.Bytes(bytes));
    ledger.holds(back?.length === bytes.length && back.at(-1) === 7, 'a large message comes back whole');
  },

  async names({ one }, ledger) {
    const name = `org.example.Soak.Named${ledger.cycles % 7}`;
    using _watch = one.watchName(name, {});
    const owned = await ledger.succeeds(one.requestName(name));
    await owned?.release();
  },
};

export const mixedLoad: Load = { begin: fillCaches, warmUp: 200, rounds };

/** The emitter knows of a refused signal; an accepted one has to arrive. */
function emit(ledger: Ledger, send: () => void): void {
  try {
    send();
    ledger.emits++;
  } catch (error) {
    if (error instanceof BackpressureError) ledger.refused++;
    else ledger.surprise(`an emit failed: ${String(error)}`);
  }
}
