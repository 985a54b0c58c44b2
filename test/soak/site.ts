/**
 * The environment of the soak: a private bus with two permanent connections that serve each other, and a server of peers.
 * It owns all of it, and can wait until nothing is in progress.
 */
import { readdirSync } from 'node:fs';
import { connect, defineInterface, implement, listen, type MessageBus, type PeerServer } from '../../src/index.js';
import { folder } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rulesAtBus } from '../helpers/rules-at-bus.js';
import type { Ledger } from './ledger.js';

export const Soaked = defineInterface('org.example.Soak', {
  methods: {
    Echo: { in: 's', out: 's' },
    Bytes: { in: 'ay', out: 'ay' },
    Fail: {},
    Late: {},
    Pass: { in: 'h', out: 'h' },
  },
  signals: { Tick: { args: 'u' } },
  properties: { Level: { type: 'u', access: 'readwrite' } },
});

export const PATH = '/org/example/soak';
export const names = { one: 'org.example.Soak.One', two: 'org.example.Soak.Two' };

/** Answers calls whose callers have given up. */
const lateAnswers = new Set<() => void>();

export function soakedObject() {
  return implement(Soaked, {
    Echo: (text) => text,
    Bytes: (bytes) => bytes,
    Fail: () => {
      throw new RangeError('as always');
    },
    // At rest, when its callers have given up: dbus-daemon counts calls that were never answered, and its limit is 50 000
    // of them.
    Late: () => new Promise<void>((resolve) => lateAnswers.add(resolve)),
    Pass: (fd) => fd.handOver(),
    Level: 0,
  });
}

export class Site implements AsyncDisposable {
  readonly daemon: PrivateBus;
  readonly one: MessageBus;
  readonly two: MessageBus;
  readonly peers: PeerServer;
  readonly ofOne = soakedObject();
  readonly ofTwo = soakedObject();

  static async open(ledger: Ledger): Promise<Site> {
    const daemon = await PrivateBus.start();
    const [one, two] = await Promise.all([connect({ address: daemon.address }), connect({ address: daemon.address })]);
    const peers = await listen({
      address: `unix:tmpdir=${folder}`,
      onConnection: (bus) => bus.export(PATH, soakedObject()),
    });
    const site = new Site(daemon, one, two, peers);
    one.export(PATH, site.ofOne);
    two.export(PATH, site.ofTwo);
    await Promise.all([one.requestName(names.one), two.requestName(names.two)]);
    // Signals that are emitted before the other side listens are not delivered.
    await Promise.all([site.#listen(one, names.two, ledger), site.#listen(two, names.one, ledger)]);
    return site;
  }

  private constructor(daemon: PrivateBus, one: MessageBus, two: MessageBus, peers: PeerServer) {
    this.daemon = daemon;
    this.one = one;
    this.two = two;
    this.peers = peers;
  }

  /** Waits until everything that was begun is done at the bus and at the peers too. */
  async rest(ledger: Ledger): Promise<void> {
    for (const answer of lateAnswers) answer();
    lateAnswers.clear();
    // Answers come in order: everything that was sent before has been handled when these have come, at either end.
    await Promise.all([ledger.succeeds(this.one.listNames()), ledger.succeeds(this.two.listNames())]);
    await Promise.all([ledger.succeeds(this.one.listNames()), ledger.succeeds(this.two.listNames())]);
    for (let turn = 0; turn < 500 && this.peers.connections.size > 0; turn++) await pause(2);
  }

  get messages(): number {
    const [one, two] = [this.one.stats(), this.two.stats()];
    return one.messagesSent + one.messagesReceived + two.messagesSent + two.messagesReceived;
  }

  get pendingCalls(): number {
    return this.one.stats().pendingCalls + this.two.stats().pendingCalls;
  }

  get exportedObjects(): number {
    return this.one.stats().exportedObjects + this.two.stats().exportedObjects;
  }

  get fds(): number {
    return readdirSync('/proc/self/fd').length;
  }

  /** The number of rules of both connections, as the daemon counts them. */
  async matchRules(): Promise<number> {
    const counts = await Promise.all([this.one, this.two].map((bus) => rulesAtBus(bus)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.one.close(), this.two.close(), this.peers.close()]);
    await this.daemon.stop();
  }

  #listen(bus: MessageBus, name: string, ledger: Ledger): Promise<void> {
    let last = 0;
    const subscription = bus.proxy(Soaked, name, PATH).on.Tick((number) => {
      ledger.arrived++;
      if (number !== last + 1) ledger.surprise(`signal ${number} came after ${last}`);
      last = number;
    });
    return subscription.ready;
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
