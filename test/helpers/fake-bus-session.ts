/**
 * An end of the library's connected to one that the test plays, a bus or a peer, with a service and a subscription, and
 * what they came to see. Also what the transport under test does, where transports differ: all expectations that depend
 * on it are here.
 */
import { subscribe as subscribeToChannel, unsubscribe as unsubscribeFromChannel } from 'node:diagnostics_channel';
import * as assert from 'uvu/assert';
import {
  type ConnectOptions,
  connect,
  defineInterface,
  implement,
  type Message,
  type MessageBus,
  type PeerServer,
  type Problem,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { FakeBus, type FakeBusOptions, PEER } from './fake-bus.js';
import { patience } from './patience.js';
import { RawPeer } from './raw-peer.js';
import type { WireMessage } from './wire.js';
import type { WireEnd } from './wire-end.js';
import type { SentMessage } from './wire-reader.js';

/** What the transport under test does. The socket transport goes by the specification; sd-bus has its own mind. */
export const TRANSPORT = {
  'sd-bus': {
    /** A message with a bad header is dropped, unless nobody could tell where it ends. The socket transport closes. */
    dropsBadHeaders: true,
    /** A connection that broken bytes ended says which rule they broke, and at which byte. */
    namesRules: false,
    /** Some rules are not looked at, where breaking them does no harm. */
    checksWholeHeader: false,
    /** The header fields may claim what the message may have altogether, 128 MiB, before anything happens. */
    limitsHeaderFields: false,
    /** Any boolean but 0 is true, and nothing looks behind the last value of a body. */
    seesWholeBody: false,
    /** Unicode noncharacters are valid, but refused. */
    takesNoncharacters: false,
    /** Calls and signals with a REPLY_SERIAL are dropped, although it is to be ignored. */
    takesSpareReplySerials: false,
    /** A message with a path of more than 64 KiB is dropped, although the specification knows no limit. */
    takesLongPaths: false,
    /** The specification allows 255 bytes. */
    longestSignature: 254,
    /** The descriptors of a message that it drops stay open. */
    closesDescriptorsOfDropped: false,
    /** As many descriptors as somebody sends are kept for a message that has not come as a whole. */
    limitsWaitingDescriptors: false,
    /** A message whose descriptors this process had no room for ends the connection, and not only itself. */
    outlivesLostDescriptors: false,
    /** At each read it moves all that it has of a message to new memory. */
    movesWhatItReads: true,
  },
  socket: {
    dropsBadHeaders: false,
    namesRules: true,
    checksWholeHeader: true,
    limitsHeaderFields: true,
    seesWholeBody: true,
    takesNoncharacters: true,
    takesSpareReplySerials: true,
    takesLongPaths: true,
    longestSignature: 255,
    closesDescriptorsOfDropped: true,
    limitsWaitingDescriptors: true,
    outlivesLostDescriptors: true,
    movesWhatItReads: false,
  },
}[transportKind()];

const Sink = defineInterface('org.example.Sink', { methods: { Take: { in: 's' } } });
export const SIGNAL = { type: 4, path: '/peer', interface: 'org.example.Peer', member: 'Spoke' };
export const CALL = { path: '/sink', interface: 'org.example.Sink', member: 'Take' };

/** A connection with a service at `/sink` and a subscription to {@link SIGNAL}, and what they came to see. */
export class Session implements AsyncDisposable {
  readonly bus: MessageBus;
  readonly peer: WireEnd;
  readonly heard: Message[] = [];
  readonly problems: Problem[] = [];
  handled = 0;
  readonly #listen = (problem: unknown) => void this.problems.push(problem as Problem);
  readonly #stop: () => Promise<void> | void;

  /** A client of a bus that the test plays. */
  static async start(options: FakeBusOptions = {}): Promise<Session> {
    const server = await FakeBus.start(options);
    return Session.connect(server, { address: server.address });
  }

  /** A client of a bus that the test plays, or with `peer` of a server. The session stops it. */
  static async connect(server: FakeBus, options: ConnectOptions): Promise<Session> {
    const [bus, peer] = await Promise.all([connect(options), server.accepted()]);
    return new Session(bus, peer, () => server.stop());
  }

  /** A server's end of the connection of a client that the test plays. */
  static async accept(server: PeerServer, address = server.address): Promise<Session> {
    const next = server[Symbol.asyncIterator]().next();
    const peer = await RawPeer.authenticated(address);
    const { value: bus } = await next;
    return new Session(bus as MessageBus, peer, () => peer.hangUp());
  }

  private constructor(bus: MessageBus, peer: WireEnd, stop: () => Promise<void> | void) {
    this.bus = bus;
    this.peer = peer;
    this.#stop = stop;
    bus.export('/sink', implement(Sink, { Take: () => void this.handled++ }));
    bus.subscribe({ interface: SIGNAL.interface }, (message) => void this.heard.push(message));
    subscribeToChannel('busbar:problem', this.#listen);
  }

  /** Has the library call a method of the peer: what the call becomes, and what the peer gets to see of it. */
  async called(
    timeout = 5000 * patience,
  ): Promise<{ readonly outcome: Promise<unknown[]>; readonly call: SentMessage }> {
    const member = `Ask${++asked}`;
    const outcome = this.bus.call({ destination: PEER, path: '/peer', interface: 'org.example.Peer', member, timeout });
    outcome.catch(() => {});
    return { outcome, call: await this.peer.until((message) => message.member === member) };
  }

  /** The connection goes on: calls go both ways, and signals are heard. */
  async assertAlive(because: string): Promise<void> {
    assert.ok(await this.peer.ping(), `${because}: still answers`);
    const { outcome, call } = await this.called();
    this.peer.send({ type: 2, replySerial: call.serial });
    assert.equal(await outcome, [], because);
    assert.is(this.bus.state, 'open', because);
  }

  /** What the library answers to a call. */
  answer(call: Omit<WireMessage, 'type'>): Promise<SentMessage> {
    return this.peer.call(call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribeFromChannel('busbar:problem', this.#listen);
    await this.bus.close();
    await this.#stop();
  }
}

let asked = 0;
