/**
 * busbar on one of its transports as a reader of messages: a bus that the test plays sends each to a connection, and the
 * reading is what a user of the connection gets. A connection that a message ended is replaced.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { IncomingMessage } from '../../src/connection/receiving/incoming-message.js';
import { connect, type DBusError, type MessageBus, MessageType, type TransportKind } from '../../src/index.js';
import { BUS, FakeBus, type FakeConnection } from '../helpers/fake-bus.js';
import { DescriptorRelay } from '../helpers/fake-bus-descriptors.js';
import { Field } from '../helpers/wire.js';
import { messageLength } from '../helpers/wire-reader.js';
import { descriptorsIn } from '../interop/values-echo.js';
import type { CorpusMessage } from './corpus.js';
import type { Reading } from './reading.js';
import { type TypedText, typedTexts } from './typed-text.js';

/**
 * Milliseconds without an answer after which the connection counts as waiting for more bytes: few, if it has a reason to
 * wait, otherwise more than on the busiest machine.
 */
const PATIENCE = { incomplete: 300, complete: 10_000 } as const;

/**
 * Milliseconds at a time: where this process waited for a processor, a timer is due before the sockets are looked at, so one
 * timer of the whole time would prove nothing.
 */
const STEP = 30;

/** Serials of the calls that show when a message has been handled; corpora have other ones. */
const FIRST_MARK = 0xf000_0000;

const CALL = { type: MessageType.MethodCall, path: '/asked', interface: 'org.example.Asked', member: 'Never' } as const;
/** The error of a call whose reply was dropped for its header. */
const BROKEN = 'the header of the message is not valid: ';
const FAULTY = /^(the body of the message is not valid|sd-bus cannot read this message)/;

/** `await using reader = await TransportReader.start('socket')` */
export class TransportReader implements AsyncDisposable {
  readonly #transport: TransportKind;
  readonly #server: FakeBus;
  #connection: ConnectionUnderTest | undefined;

  static async start(transport: TransportKind): Promise<TransportReader> {
    // Calls to the bus are answered as usual; those without a receiver wait for the messages of a corpus.
    const answer = ({ interface: name }: { interface: string | undefined }) =>
      name === CALL.interface ? ('silence' as const) : undefined;
    return new TransportReader(transport, await FakeBus.start({ answer }));
  }

  private constructor(transport: TransportKind, server: FakeBus) {
    this.#transport = transport;
    this.#server = server;
  }

  async read(message: CorpusMessage): Promise<Reading> {
    const wantsRelay = (message.fds ?? 0) > 0;
    if (this.#connection?.isUsable(wantsRelay) === false) await this.#disconnect();
    this.#connection ??= await ConnectionUnderTest.open(this.#transport, this.#server, wantsRelay);
    return this.#connection.read(message);
  }

  async readAll(messages: readonly CorpusMessage[]): Promise<Reading[]> {
    const readings: Reading[] = [];
    for (const message of messages) readings.push(await this.read(message));
    return readings;
  }

  /** The calls and signals that handlers get, which come all at once. None of them may end the connection. */
  async readTogether(messages: readonly CorpusMessage[]): Promise<readonly Reading[]> {
    await this.#disconnect();
    this.#connection = await ConnectionUnderTest.open(this.#transport, this.#server, false);
    return this.#connection.readTogether(messages);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disconnect();
    await this.#server.stop();
  }

  async #disconnect(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }
}

/** A connection, the messages that are sent to it, and their readings. */
class ConnectionUnderTest {
  readonly #bus: MessageBus;
  readonly #peer: FakeConnection;
  readonly #relay: DescriptorRelay | undefined;
  #isSpoilt = false;
  #seen: Reading | undefined;
  /** Everything that was received since the last message was sent. */
  readonly #seenTogether: Reading[] = [];
  /** The pending call, if there is one. */
  #serial: number | undefined;
  #mark = FIRST_MARK;

  static async open(transport: TransportKind, server: FakeBus, withRelay: boolean): Promise<ConnectionUnderTest> {
    const relay = withRelay ? await DescriptorRelay.start(server.address) : undefined;
    const address = relay?.address ?? server.address;
    const [bus, peer] = await Promise.all([connect({ address, transport }), server.accepted()]);
    return new ConnectionUnderTest(bus, peer, relay);
  }

  private constructor(bus: MessageBus, peer: FakeConnection, relay: DescriptorRelay | undefined) {
    this.#bus = bus;
    this.#peer = peer;
    this.#relay = relay;
    bus.addMessageHandler((message) => this.#take(message as IncomingMessage));
  }

  isUsable(wantsRelay: boolean): boolean {
    return !this.#isSpoilt && this.#bus.state === 'open' && wantsRelay === (this.#relay !== undefined);
  }

  async read({ bytes, fds = 0 }: CorpusMessage): Promise<Reading> {
    this.#seen = undefined;
    this.#seenTogether.length = 0;
    this.#peer.sent.length = 0;
    const isReply = bytes[1] === MessageType.MethodReturn || bytes[1] === MessageType.Error;
    if (fds > 0) await this.#relay?.attach(fds);
    this.#peer.inject(isReply ? answering(bytes, await this.#waitingCall()) : bytes);
    const isComplete = messageLength(bytes) === bytes.length;
    if (!(await this.#isDealtWith(isComplete ? PATIENCE.complete : PATIENCE.incomplete))) return this.#end();
    const seen = this.#seen as Reading | undefined;
    if (seen === undefined) return { outcome: 'nothing' };
    return seen.type === MessageType.MethodCall ? { ...seen, ...this.#answerTo(seen) } : seen;
  }

  async readTogether(messages: readonly CorpusMessage[]): Promise<readonly Reading[]> {
    this.#seenTogether.length = 0;
    this.#peer.inject(...messages.map(({ bytes }) => bytes));
    if (!(await this.#isDealtWith(PATIENCE.complete))) throw new Error('messages ended the connection');
    return this.#seenTogether;
  }

  async close(): Promise<void> {
    await this.#bus.close();
    this.#peer.hangUp();
    await this.#relay?.stop();
  }

  /** Whether the next message is answered, and the tested one therefore complete; not so if it ends the connection. */
  async #isDealtWith(patience: number): Promise<boolean> {
    const serial = ++this.#mark;
    const answer = this.#peer.call({ serial, path: '/', interface: `${BUS}.Peer`, member: 'Ping' });
    const answered = answer.then(
      () => true,
      () => false,
    );
    for (let waited = 0; waited < patience; waited += STEP) {
      const result = await Promise.race([answered, delay(STEP)]);
      if (result !== undefined) return result;
    }
    return false;
  }

  /** The serial of a call that waits for its reply. One does until it is answered. */
  async #waitingCall(): Promise<number> {
    if (this.#serial !== undefined) return this.#serial;
    const options = { timeout: Number.POSITIVE_INFINITY, variants: 'wrap' } as const;
    const reading = this.#bus.request(CALL, [], options, (reply, asked): Reading => {
      const { signature } = reply;
      return { outcome: 'reply', signature, body: bodyTexts(signature, reply.decode(asked)) };
    });
    reading.catch(readingOf).then((settled) => this.#settle(settled));
    const { serial } = await this.#peer.until(({ interface: name }) => name === CALL.interface);
    this.#serial = serial;
    return serial;
  }

  #settle(reading: Reading): void {
    this.#serial = undefined;
    // A call that the end of the connection settles has no further information.
    if (this.#bus.state === 'open') this.#seen = reading;
  }

  #take(message: IncomingMessage): void {
    if (message.serial === this.#mark) return;
    this.#seen = { ...headerOf(message), ...bodyOf(message) };
    this.#seenTogether.push(this.#seen);
  }

  #answerTo(call: Reading): Pick<Reading, 'answer'> {
    const answer = this.#peer.sent.find(({ replySerial }) => replySerial === call.serial);
    return answer === undefined ? {} : { answer: [answer.errorName ?? '', answer.text ?? ''] };
  }

  async #end(): Promise<Reading> {
    this.#isSpoilt = true;
    if (!this.#peer.isClosed) return { outcome: 'waiting' };
    return { outcome: 'closed', because: (await this.#bus.disconnected)?.message ?? '' };
  }
}

function headerOf(message: IncomingMessage): Omit<Reading, 'outcome'> {
  const { type, flags, serial, signature } = message;
  return {
    ...{ type, flags, serial, signature },
    replySerial: message.replySerial ?? null,
    path: message.path ?? null,
    interface: message.interface ?? null,
    member: message.member ?? null,
    errorName: message.errorName ?? null,
    destination: message.destination ?? null,
    sender: message.sender ?? null,
  };
}

function bodyOf(message: IncomingMessage): Pick<Reading, 'outcome' | 'because' | 'body'> {
  if (message.fault !== undefined) return { outcome: 'faulty body', because: message.fault.message };
  return { outcome: 'message', body: bodyTexts(message.signature, message.decode({ variants: 'wrap' })) };
}

/** The typed texts of values whose descriptors are not needed any more. */
function bodyTexts(signature: string, values: readonly unknown[]): TypedText[] {
  const texts = typedTexts(signature, values);
  for (const descriptor of descriptorsIn(values)) descriptor.close();
  return texts;
}

function readingOf(error: DBusError): Reading {
  if (error.message.startsWith(BROKEN)) return { outcome: 'nothing', because: error.message };
  if (FAULTY.test(error.message)) return { outcome: 'faulty body', because: error.message };
  // Without their signature values have no types, so they are derived from the values.
  const values = inspect(error.body, { depth: Number.POSITIVE_INFINITY }).replace(/(?<=FileDescriptor \{ )\d+/g, 'n');
  for (const descriptor of descriptorsIn(error.body)) descriptor.close();
  return { outcome: 'reply', errorName: error.dbusName, answer: [error.constructor.name, error.message, values] };
}

/** Makes a reply the answer to a call: if its header has REPLY_SERIAL, and not 0, it gets the call's serial. */
function answering(bytes: Buffer, serial: number): Buffer {
  const copy = Buffer.from(bytes);
  const big = copy[0] === 0x42;
  const at = replySerialAt(copy, big);
  if (at === undefined || copy.readUInt32LE(at) === 0) return copy;
  if (big) copy.writeUInt32BE(serial, at);
  else copy.writeUInt32LE(serial, at);
  return copy;
}

/**
 * The position of the number, if the fields up to it are well-formed. Bytes that only look like it may belong to a string,
 * and a change of them might repair or break the message.
 */
function replySerialAt(bytes: Buffer, big: boolean): number | undefined {
  const number = (at: number) => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const end = Math.min(16 + number(12), bytes.length);
  for (let at = 16; at + 8 <= end; at = Math.ceil(at / 8) * 8) {
    const type = bytes.toString('latin1', at + 1, at + 4);
    if (bytes[at] === Field.ReplySerial) return type === '\x01u\0' ? at + 4 : undefined;
    at += 4;
    if (type === '\x01u\0') at += 4;
    else if (type === '\x01s\0' || type === '\x01o\0') at += 4 + number(at) + 1;
    else if (type === '\x01g\0') at += 1 + (bytes[at] as number) + 1;
    else return undefined;
  }
  return undefined;
}
