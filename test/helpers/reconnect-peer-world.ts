/**
 * A peer that reconnects to a server, over a relay that is cut again and again, in the middle of messages. Both sides record
 * what happens, and the world checks it against what may happen.
 */
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  type CachedObject,
  type CallContext,
  connect,
  DBusError,
  defineInterface,
  type Handle,
  implement,
  listen,
  type MessageBus,
  type ObjectsView,
  type PeerServer,
  standard,
} from '../../src/index.js';
import { folder } from './peers.js';
import { lossesIn } from './reconnect-world.js';
import { held, QUICK } from './reconnecting.js';
import { until } from './until.js';

const Gap = defineInterface('org.example.Gap', {
  methods: { Add: { in: 'uu', out: 'u' }, Wait: { in: 'u', out: 'u' } },
  signals: { Counted: { args: 'u' } },
  properties: { Level: { type: 'u' } },
});

interface Listening {
  readonly handle: Handle;
  readonly got: number[];
}

let made = 0;

/** Copies bytes between clients and a server, until it is cut. */
class Relay {
  readonly path = join(folder, `relay-${++made}`);
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(target: string) {
    this.#target = target;
  }

  async start(): Promise<void> {
    const server = createServer((client) => this.#join(client, createConnection(this.#target)));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  #join(...ends: readonly [Socket, Socket]): void {
    for (const [here, there] of [ends, [ends[1], ends[0]]] as const) {
      this.#sockets.add(here);
      // It also ends by being cut.
      here.on('error', () => {});
      here.on('close', () => {
        this.#sockets.delete(here);
        there.destroy();
      });
      here.pipe(there);
    }
  }

  /** Ends all connections, with the bytes in them. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise((resolve) => server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await closed;
    rmSync(this.path, { force: true });
  }
}

export class PeerWorld implements AsyncDisposable {
  readonly #relay: Relay;
  readonly #server: PeerServer;
  readonly #peer: MessageBus;
  /** The server's end of the present connection. */
  #accepted: MessageBus | undefined;
  readonly #lamp = this.#newLamp();
  readonly #own = this.#newLamp();
  readonly #executed = new Map<number, number>();
  #waiting: (() => void)[] = [];
  #calls = 0;
  #settled = 0;
  #lastSignal = 0;
  readonly #listening: Listening[] = [];
  readonly #extra: Handle[] = [];
  readonly #states: string[] = [];
  /** How often the connection will have been lost. */
  #losses = 0;
  #view!: ObjectsView;
  #cached!: CachedObject<typeof Gap>;
  #base: unknown;

  static async start(): Promise<PeerWorld> {
    const ends: MessageBus[] = [];
    const path = join(folder, `relayed-${++made}`);
    let accept = (end: MessageBus): void => void ends.push(end);
    const server = await listen({ address: `unix:path=${path}`, onConnection: (end) => accept(end) });
    const relay = new Relay(path);
    await relay.start();
    const connecting = connect({ address: `unix:path=${relay.path}`, peer: true, reconnect: QUICK });
    await until(() => ends.length === 1);
    const world = new PeerWorld(relay, server, await connecting);
    accept = (end) => world.#accept(end);
    accept(ends[0] as MessageBus);
    await world.#declare();
    return world;
  }

  private constructor(relay: Relay, server: PeerServer, peer: MessageBus) {
    this.#relay = relay;
    this.#server = server;
    this.#peer = peer;
    peer.watchConnection({
      lost: () => void this.#states.push('lost'),
      restored: () => void this.#states.push('restored'),
    });
  }

  #newLamp() {
    const execute = (id: number) => this.#executed.set(id, (this.#executed.get(id) ?? 0) + 1);
    return implement(Gap, {
      Add: (id, more) => {
        execute(id);
        return id + more;
      },
      Wait: (id, context: CallContext) => {
        execute(id);
        return new Promise<number>((resolve) => {
          this.#waiting.push(() => resolve(id));
          context.signal.addEventListener('abort', () => resolve(id), { once: true });
        });
      },
      Level: 0,
    });
  }

  #accept(end: MessageBus): void {
    end.export('/gap', this.#lamp);
    end.exportObjectManager('/');
    this.#accepted = end;
  }

  async #declare(): Promise<void> {
    const peer = this.#peer;
    peer.export('/own', this.#own);
    this.listen(0);
    this.listen(1);
    this.#view = peer.objects();
    await this.#view.ready;
    this.#cached = await peer.cached(Gap, '/gap');
    await this.#check();
    this.#base = held(peer);
  }

  /** Cuts the connection at a random place. */
  kill(): Promise<void> {
    return this.#relay.cut();
  }

  restart(): Promise<void> {
    return this.#relay.start();
  }

  /** A call with a number of its own, from the peer or from the server, which settles once, however it ends. */
  call(how: number): void {
    const id = ++this.#calls;
    const [from, path] = how === 3 ? [this.#accepted, '/own'] : [this.#peer, '/gap'];
    if (from === undefined) throw new Error('the server has no connection');
    const proxy = from.proxy(Gap, path).with({ timeout: 20_000 });
    const result = how === 2 ? proxy.call.Wait(id) : proxy.call.Add(id, 1);
    let settled = 0;
    const note = (value: unknown) => {
      this.#settled++;
      assert.is(++settled, 1);
      if (typeof value === 'number') assert.is(value, how === 2 ? id : id + 1);
      else assert.instance(value, DBusError);
    };
    result.then(note, note);
  }

  burst(how: number): void {
    for (let count = 0; count < 10 + 2 * how; count++) {
      this.call(count % 4);
      this.emit();
    }
    this.assign(how);
  }

  answer(): void {
    for (const finish of this.#waiting.splice(0)) finish();
  }

  emit(): void {
    this.#lamp.emit.Counted(++this.#lastSignal);
  }

  assign(value: number): void {
    this.#lamp.properties.Level = value;
  }

  listen(how: number): void {
    const got: number[] = [];
    const handle =
      how % 2 === 0
        ? this.#peer.proxy(Gap, '/gap').on.Counted((number) => void got.push(number))
        : this.#peer.subscribe({ pathNamespace: '/gap', member: 'Counted' }, ({ body }) => {
            got.push(body[0] as number);
          });
    this.#listening.push({ handle, got });
  }

  unlisten(which: number): void {
    for (const { handle } of this.#listening.splice(2 + (which % 7), 1)) handle.end();
  }

  toggleExport(which: number): void {
    if (which % 2 === 0) this.#extra.pop()?.end();
    else if (this.#extra.length < 3) {
      const path = `/own/extra${this.#extra.length}`;
      this.#extra.push(this.#peer.export(path, implement(Gap, { Add: () => 0, Wait: () => 0, Level: which })));
    }
  }

  /** Between peers there are no names. */
  toggleName(): void {}

  /** The connection is about to be cut: the peer will notice that, at the latest when it settles. */
  expectLoss(): void {
    if (this.#peer.state === 'open' && this.#states.at(-1) !== 'lost') this.#losses = lossesIn(this.#states) + 1;
  }

  async settle(): Promise<void> {
    await until(() => lossesIn(this.#states) >= this.#losses);
    await until(() => this.#peer.state === 'open' && this.#states.at(-1) !== 'lost');
    await this.#check();
  }

  /** `lost` and `restored` alternate. Returns how often everything was restored. */
  checkStates(): number {
    for (const [index, state] of this.#states.entries()) assert.is(state, index % 2 === 0 ? 'lost' : 'restored');
    return Math.floor(this.#states.length / 2);
  }

  async #check(): Promise<void> {
    const peer = this.#peer;
    // Calls that waited for the connection may arrive only now.
    await until(() => {
      this.answer();
      return this.#settled === this.#calls;
    });
    for (const [id, times] of this.#executed) assert.is(times, 1, `the call ${id} was executed ${times} times`);
    const id = ++this.#calls;
    assert.is(await peer.proxy(Gap, '/gap').call.Add(id, 2), id + 2);
    this.#settled++;
    const own = ++this.#calls;
    assert.is(await this.#accepted?.proxy(Gap, '/own').call.Add(own, 3), own + 3);
    this.#settled++;
    this.emit();
    await until(() => this.#listening.every(({ got }) => got.at(-1) === this.#lastSignal));
    for (const { got } of this.#listening) {
      const inOrder = [...new Set(got)].sort((a, b) => a - b);
      assert.equal(got, inOrder, 'no signal comes twice, or late');
    }
    const managed = await peer.proxy(standard.ObjectManager, '/').call.GetManagedObjects();
    await until(() => `${[...this.#view].map(({ path }) => path).sort()}` === `${Object.keys(managed).sort()}`);
    await until(() => this.#cached.values.Level === this.#lamp.properties.Level);
    await until(() => this.#view.of(Gap).get('/gap')?.values.Level === this.#lamp.properties.Level);
    assert.is(peer.stats().pendingCalls, 0);
    assert.is(peer.stats().callsInProgress, 0);
  }

  /** Ends what was declared in addition, and checks that the peer holds what it held at first. */
  async checkBase(): Promise<void> {
    for (const { handle } of this.#listening.splice(2)) handle.end();
    for (const handle of this.#extra.splice(0)) handle.end();
    await this.#check();
    assert.equal(held(this.#peer), this.#base);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer.close({ drain: 100 });
    await this.#server.close({ drain: 100 });
    await this.#relay.cut();
  }
}
