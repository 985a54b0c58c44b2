// time limit: 240 s
// Clients of a peer server that connect, send and disconnect in every phase, in random order, against a model that counts
// them: the server has the same counts after each step, and nothing is left of them. `BUSBAR_SEED` replays the steps of a
// seed.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  type ConnectionEvent,
  connect,
  type FileDescriptor,
  listen,
  type MessageBus,
  type PeerServer,
  type PollerKind,
} from '../../src/index.js';
import type { TransportKind } from '../../src/native/binding.js';
import { pollerKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { patience } from '../helpers/patience.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';
import type { WireEnd } from '../helpers/wire-end.js';

const test = suite('phases of peers');

const LIMITS = { connections: 5, unauthenticated: 3 };
const RUNS = 25;
const ping = { type: 1, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };

/** The possible steps; `pick` chooses the client of a step. */
interface Step {
  readonly what: 'silent' | 'half' | 'join' | 'call' | 'talk' | 'take' | 'leave' | 'drop';
  readonly pick: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom<Step['what']>(
      'silent',
      'half',
      'join',
      'join',
      'join',
      'talk',
      'join',
      'call',
      'talk',
      'take',
      'leave',
      'leave',
      'drop',
    ),
    pick: fc.nat(1000),
  }),
  { minLength: 20, maxLength: 30, size: 'max' },
);

/** A client that has authenticated, in the model. */
interface Member {
  readonly end: WireEnd;
  isTaken: boolean;
  /** Whether it has sent something that the server has not read. */
  hasUnread: boolean;
  hasLeft: boolean;
}

/** The server's ends of all connections, by their state in the library. */
class ServedConnections implements Disposable {
  readonly #states = new Map<number, string>();
  readonly #hear = (event: unknown) => {
    const { connection, state, address } = event as ConnectionEvent;
    if (address !== '') return;
    if (state === 'closed') this.#states.delete(connection);
    else this.#states.set(connection, state);
  };

  constructor() {
    subscribe('busbar:connection', this.#hear);
  }

  [Symbol.dispose](): void {
    unsubscribe('busbar:connection', this.#hear);
  }

  /** Waits until this many are authenticating and this many are open. */
  async settle(connecting: number, open: number): Promise<void> {
    const deadline = performance.now() + 10_000 * patience;
    while (performance.now() < deadline && (this.#count('connecting') !== connecting || this.#count('open') !== open)) {
      await new Promise((go) => setTimeout(go, 1));
    }
    assert.equal([this.#count('connecting'), this.#count('open')], [connecting, open]);
  }

  #count(state: string): number {
    return [...this.#states.values()].filter((present) => present === state).length;
  }
}

/** The server, its clients, and the state in the model. */
class Scene {
  readonly #server: PeerServer;
  readonly #served: ServedConnections;
  readonly #hands: boolean;
  readonly #taking: AsyncIterator<MessageBus, undefined>;
  readonly #half: RawPeer[] = [];
  /** In the order in which they authenticated. */
  readonly #members: Member[] = [];
  readonly #taken: { readonly member: Member; readonly bus: MessageBus }[] = [];
  came = 0;

  /** @param hands whether the server hands connections over at once, or keeps them until they are taken */
  constructor(server: PeerServer, served: ServedConnections, hands: boolean) {
    this.#server = server;
    this.#served = served;
    this.#hands = hands;
    this.#taking = hands
      ? { next: () => Promise.reject(new Error('they are handed over')) }
      : (server[Symbol.asyncIterator]() as AsyncIterator<MessageBus, undefined>);
  }

  async take(step: Step): Promise<void> {
    await this[`_${step.what}`](step.pick);
    await this.settle();
  }

  async settle(): Promise<void> {
    await this.#served.settle(this.#half.length, this.#members.length);
    const taken = this.#members.filter(({ isTaken }) => isTaken).length;
    assert.is(this.#server.connections.size, taken);
  }

  /** Disconnects all clients, and takes the connections that were not taken. */
  async end(): Promise<void> {
    for (const peer of this.#half.splice(0)) peer.close();
    while (this.#members.some(({ hasLeft }) => !hasLeft)) await this._leave(0);
    await this.settle();
    while (this.#members.length > 0) await this._take();
    await this.settle();
  }

  get #hasPlace(): boolean {
    const { connections, unauthenticated } = LIMITS;
    return this.#half.length < unauthenticated && this.#half.length + this.#members.length < connections;
  }

  async _silent(): Promise<void> {
    if (!this.#hasPlace) return;
    this.#half.push(await RawPeer.connect(this.#server.address));
    this.came++;
  }

  async _half(pick: number): Promise<void> {
    if (!this.#hasPlace) return;
    await this._silent();
    this.#half.at(-1)?.write('\0AUTH EXTERNAL\r\nDATA\r\n'.slice(0, 1 + (pick % 18)));
  }

  async _join(): Promise<void> {
    if (this.#members.length >= LIMITS.connections) return this.#knock();
    if (!this.#hasPlace) return;
    const end = await RawPeer.authenticated(this.#server.address);
    this.came++;
    const member: Member = { end, isTaken: this.#hands, hasUnread: false, hasLeft: false };
    this.#members.push(member);
    if (!this.#hands) return;
    await this.settle();
    this.#taken.push({ member, bus: [...this.#server.connections].at(-1) as MessageBus });
  }

  /**
   * All places are taken: a further client is rejected, unless a client has left unread messages behind; it makes room
   * then.
   */
  async #knock(): Promise<void> {
    const gone = this.#members.findIndex(({ hasLeft }) => hasLeft);
    this.came++;
    if (gone < 0) {
      const attempt = connect({ address: this.#server.address, peer: true, timeout: 10_000 * patience });
      assert.instance(await rejection(attempt), ConnectError);
      return;
    }
    this.#members.splice(gone, 1);
    const end = await RawPeer.authenticated(this.#server.address);
    this.#members.push({ end, isTaken: false, hasUnread: false, hasLeft: false });
  }

  /** A client that connects, passes a descriptor back and forth, and disconnects. */
  async _call(): Promise<void> {
    if (!this.#hands || !this.#hasPlace) return;
    const client = await connect({ address: this.#server.address, peer: true, timeout: 10_000 * patience });
    this.came++;
    const fd = openSync('/dev/null', 'r');
    const returned = (await client.proxy(Example, PATH).call.Pass(fd)) as FileDescriptor;
    closeSync(fd);
    returned.close();
    await client.close();
  }

  async _talk(pick: number): Promise<void> {
    const present = this.#members.filter(({ hasLeft }) => !hasLeft);
    const member = present[pick % present.length];
    if (member === undefined) return;
    const serial = member.end.send(ping);
    if (member.isTaken) await member.end.until(({ replySerial }) => replySerial === serial);
    else member.hasUnread = true;
  }

  async _take(): Promise<void> {
    const member = this.#members.find(({ isTaken }) => !isTaken);
    if (this.#hands || member === undefined) return;
    const { value: bus } = await this.#taking.next();
    assert.ok(bus !== undefined);
    member.isTaken = true;
    member.hasUnread = false;
    if (member.hasLeft) this.#members.splice(this.#members.indexOf(member), 1);
    else this.#taken.push({ member, bus });
  }

  async _leave(pick: number): Promise<void> {
    if (pick % 2 === 1) {
      this.#half.splice(pick % Math.max(this.#half.length, 1), 1)[0]?.close();
      return;
    }
    const present = this.#members.filter(({ hasLeft }) => !hasLeft);
    const member = present[pick % present.length];
    if (member === undefined) return;
    member.end.hangUp();
    member.hasLeft = true;
    if (member.isTaken || !member.hasUnread) this.#forget(member);
  }

  async _drop(pick: number): Promise<void> {
    const chosen = this.#taken[pick % this.#taken.length];
    if (chosen === undefined) return;
    await chosen.bus.close();
    await chosen.member.end.closed;
    this.#forget(chosen.member);
  }

  #forget(member: Member): void {
    this.#members.splice(this.#members.indexOf(member), 1);
    const at = this.#taken.findIndex((taken) => taken.member === member);
    if (at >= 0) this.#taken.splice(at, 1);
  }
}

const pollers: readonly PollerKind[] = pollerKind() === 'uv' ? ['uv', 'thread'] : ['thread'];

for (const transport of ['socket', 'sd-bus'] satisfies TransportKind[]) {
  for (const poller of pollers) {
    for (const hands of [true, false]) {
      const name = `${transport}, ${poller}: clients that ${hands ? 'are handed over' : 'wait to be taken'} leave nothing behind`;
      test(name, async () => {
        let came = 0;
        // Objects that are made once, with the first connection, are not leaks.
        await (await listen({ address: `unix:tmpdir=${folder}`, transport, poller, onConnection: () => {} })).close();
        const before = openFds();
        const exits = process.listenerCount('exit');
        const property = fc.asyncProperty(steps, async (planned) => {
          using served = new ServedConnections();
          const server = await listen({
            ...{ address: `unix:tmpdir=${folder}`, transport, poller, limits: LIMITS },
            authenticationTimeout: 120_000 * patience,
            onConnection: hands ? (bus) => bus.export(PATH, exampleObject()) : undefined,
          });
          const scene = new Scene(server, served, hands);
          try {
            for (const step of planned) await scene.take(step);
            await scene.end();
          } finally {
            await server.close();
          }
          came += scene.came;
        });
        await fc.assert(property, replayable(RUNS));
        assert.ok(came > 80, `${came} clients came`);
        await assertNoFdsLeft(before);
        assert.is(process.listenerCount('exit'), exits);
      });
    }
  }
}

test.run();
