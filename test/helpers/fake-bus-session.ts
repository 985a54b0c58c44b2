/**
 * A client of the library connected to a bus that the test plays, with a service and a subscription, and what they came
 * to see. Also what the transport under test does, where transports differ: all expectations that depend on it are here.
 */
import { subscribe as subscribeToChannel, unsubscribe as unsubscribeFromChannel } from 'node:diagnostics_channel';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, type Message, type MessageBus, type Problem } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { FakeBus, type FakeBusOptions, type FakeConnection, PEER } from './fake-bus.js';
import { patience } from './patience.js';
import type { WireMessage } from './wire.js';
import type { SentMessage } from './wire-reader.js';

/** What the transport under test does. The socket transport goes by the specification; sd-bus has its own mind. */
export const TRANSPORT = {
  'sd-bus': {
    /** A message with a bad header is dropped, unless nobody could tell where it ends. The socket transport closes. */
    dropsBadHeaders: true,
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
    /** A message with a path of 64 KiB or more is dropped, although the specification knows no limit. */
    takesLongPaths: false,
    /** The specification allows 255 bytes. */
    longestSignature: 254,
    /** The descriptors of a message that it drops stay open. */
    closesDescriptorsOfDropped: false,
  },
  socket: {
    dropsBadHeaders: false,
    checksWholeHeader: true,
    limitsHeaderFields: true,
    seesWholeBody: true,
    takesNoncharacters: true,
    takesSpareReplySerials: true,
    takesLongPaths: true,
    longestSignature: 255,
    closesDescriptorsOfDropped: true,
  },
}[transportKind()];

const Sink = defineInterface('org.example.Sink', { methods: { Take: { in: 's' } } });
export const SIGNAL = { type: 4, path: '/peer', interface: 'org.example.Peer', member: 'Spoke' };
export const CALL = { path: '/sink', interface: 'org.example.Sink', member: 'Take' };

/** A client of the fake bus, with a service at `/sink` and a subscription to {@link SIGNAL}, and what they came to see. */
export class Session implements AsyncDisposable {
  readonly server: FakeBus;
  readonly bus: MessageBus;
  readonly peer: FakeConnection;
  readonly heard: Message[] = [];
  readonly problems: Problem[] = [];
  handled = 0;
  readonly #listen = (problem: unknown) => void this.problems.push(problem as Problem);

  static async start(options: FakeBusOptions = {}): Promise<Session> {
    const server = await FakeBus.start(options);
    return Session.connect(server, server.address);
  }

  /** A session with a bus that is reached at another address than its own. The session stops the bus. */
  static async connect(server: FakeBus, address: string): Promise<Session> {
    const [bus, peer] = await Promise.all([connect({ address }), server.accepted()]);
    return new Session(server, bus, peer);
  }

  private constructor(server: FakeBus, bus: MessageBus, peer: FakeConnection) {
    this.server = server;
    this.bus = bus;
    this.peer = peer;
    bus.export('/sink', implement(Sink, { Take: () => void this.handled++ }));
    bus.subscribe({ interface: SIGNAL.interface }, (message) => void this.heard.push(message));
    subscribeToChannel('busbar:problem', this.#listen);
  }

  /** Has the client call a method of the peer: what the call becomes, and what the peer gets to see of it. */
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

  /** What the client answers to a call. */
  answer(call: Omit<WireMessage, 'type'>): Promise<SentMessage> {
    return this.peer.call(call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribeFromChannel('busbar:problem', this.#listen);
    await this.bus.close();
    await this.server.stop();
  }
}

let asked = 0;
