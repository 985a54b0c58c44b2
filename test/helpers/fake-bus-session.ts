/**
 * An end of the library connected to one that the test plays, a bus or a peer, with a service and a subscription, and the
 * messages that they received. Also the behaviour of the transport under test, where transports differ: all expectations
 * that depend on it are here.
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

/** The behaviour of the transport under test. The socket transport follows the specification; sd-bus differs. */
export const TRANSPORT = {
  'sd-bus': {
    /** A message with an invalid header is dropped, unless its end cannot be determined. The socket transport closes. */
    dropsBadHeaders: true,
    /** A connection that was ended by invalid bytes reports the broken rule, and the position. */
    namesRules: false,
    /** Some rules are not checked if breaking them is harmless. */
    checksWholeHeader: false,
    /** The header fields may be as long as the whole message, 128 MiB, before anything happens. */
    limitsHeaderFields: false,
    /** Any boolean but 0 is true, and bytes after the last value of a body are ignored. */
    seesWholeBody: false,
    /** Unicode noncharacters are valid, but refused. */
    takesNoncharacters: false,
    /** Calls and signals with a REPLY_SERIAL are dropped, although it should be ignored. */
    takesSpareReplySerials: false,
    /** A message with a path of more than 64 KiB is dropped, although the specification has no limit. */
    takesLongPaths: false,
    /** The specification allows 255 bytes. */
    longestSignature: 254,
    /** The descriptors of a message that it drops stay open. */
    closesDescriptorsOfDropped: false,
    /** Any number of descriptors is kept for an incomplete message. */
    limitsWaitingDescriptors: false,
    /** A message whose descriptors this process had no room for ends the connection, and not only itself. */
    outlivesLostDescriptors: false,
    /** At each read it moves the whole partial message to new memory. */
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

/** A connection with a service at `/sink` and a subscription to {@link SIGNAL}, and the messages that they received. */
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

  /** Has the library call a method of the peer: the outcome of the call, and the message that the peer gets. */
  async called(
    timeout = 5000 * patience,
  ): Promise<{ readonly outcome: Promise<unknown[]>; readonly call: SentMessage }> {
    const member = `Ask${++asked}`;
    const outcome = this.bus.call({ destination: PEER, path: '/peer', interface: 'org.example.Peer', member, timeout });
    outcome.catch(() => {});
    return { outcome, call: await this.peer.until((message) => message.member === member) };
  }

  /** The connection still works: calls pass both ways, and signals are received. */
  async assertAlive(because: string): Promise<void> {
    assert.ok(await this.peer.ping(), `${because}: still answers`);
    const { outcome, call } = await this.called();
    this.peer.send({ type: 2, replySerial: call.serial });
    assert.equal(await outcome, [], because);
    assert.is(this.bus.state, 'open', because);
  }

  /** The library's answer to a call. */
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
