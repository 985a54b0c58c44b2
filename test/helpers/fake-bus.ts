/**
 * A message bus that a test plays, in its own process: it authenticates, says what a client needs to hear to get going,
 * and then sends whatever bytes the test wants. It owns its socket and all connections; both go with `stop()`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';
import { patience } from './patience.js';
import { Bytes, type WireMessage, wireMessage } from './wire.js';
import { MessageReader, type SentMessage } from './wire-reader.js';

export const BUS = 'org.freedesktop.DBus';
/** The unique name that every client gets, and the one of the peer that speaks to it. */
export const CLIENT = ':1.1';
export const PEER = ':1.2';

const GUID = '0123456789abcdef0123456789abcdef';
/** All that a server says while a client authenticates as sd-bus does. */
export const HANDSHAKE = `DATA\r\nOK ${GUID}\r\nAGREE_UNIX_FD\r\n`;

export interface FakeBusOptions {
  /** What the server says to authenticate, and whether it hangs up after it. Default {@link HANDSHAKE} and to stay. */
  readonly handshake?: { readonly text: string; readonly hangUp: boolean };
  /** Answers a call in place of the bus: with bytes, with nothing (`'silence'`), or as usual (`undefined`). */
  readonly answer?: (call: SentMessage) => Uint8Array | 'silence' | undefined;
}

/** `await using bus = await FakeBus.start()` */
export class FakeBus {
  readonly address: string;
  readonly #options: FakeBusOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'busbar-fake-'));
  readonly #forget = onExit(() => rmSync(this.#folder, { recursive: true, force: true }));
  readonly #server: Server;
  readonly #connections = new Set<FakeConnection>();
  readonly #accepted: FakeConnection[] = [];
  #awaiting: ((connection: FakeConnection) => void)[] = [];

  static async start(options: FakeBusOptions = {}): Promise<FakeBus> {
    const bus = new FakeBus(options);
    await new Promise<void>((resolve) => bus.#server.listen(join(bus.#folder, 'socket'), resolve));
    return bus;
  }

  private constructor(options: FakeBusOptions) {
    this.#options = options;
    this.address = `unix:path=${join(this.#folder, 'socket')}`;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** The next client that has authenticated. */
  accepted(): Promise<FakeConnection> {
    const waiting = this.#accepted.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    return new Promise((resolve) => this.#awaiting.push(resolve));
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #accept(socket: Socket): void {
    const connection = new FakeConnection(socket, this.#options, () => {
      const resolve = this.#awaiting.shift();
      if (resolve === undefined) this.#accepted.push(connection);
      else resolve(connection);
    });
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
  }
}

interface Waiter {
  readonly wanted: (message: SentMessage) => boolean;
  readonly resolve: (message: SentMessage) => void;
  readonly reject: (error: Error) => void;
}

/** The bus's end of a client's connection. */
export class FakeConnection {
  /** Everything that the client sent after authenticating, in order. */
  readonly sent: SentMessage[] = [];
  /** Settles when the client has closed the connection. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #options: FakeBusOptions;
  readonly #onAuthenticated: () => void;
  readonly #reader = new MessageReader();
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #waiters: Waiter[] = [];
  #serial = 0;

  constructor(socket: Socket, options: FakeBusOptions, onAuthenticated: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onAuthenticated = onAuthenticated;
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#receive(chunk));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const { reject } of this.#waiters) reject(new Error('the client closed the connection'));
        this.#waiters = [];
        resolve();
      });
    });
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  nextSerial(): number {
    return ++this.#serial;
  }

  /** Sends bytes as they are. */
  inject(...pieces: readonly Uint8Array[]): void {
    if (!this.#socket.destroyed)
      this.#socket.write(pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces));
  }

  /** Sends a message from {@link PEER} to the client, unless it says otherwise. */
  send(message: WireMessage): number {
    const serial = message.serial ?? this.nextSerial();
    this.inject(this.message({ ...message, serial }));
    return serial;
  }

  /** The bytes of a message as `send` sends it. */
  message(message: WireMessage): Buffer {
    return wireMessage({ serial: message.serial ?? this.nextSerial(), destination: CLIENT, sender: PEER, ...message });
  }

  /** The next message that the client sends, or has sent already, that is wanted; rejects when it hangs up. */
  async until(wanted: (message: SentMessage) => boolean): Promise<SentMessage> {
    const found = this.sent.find(wanted);
    if (found !== undefined) return found;
    if (this.isClosed) throw new Error('the client closed the connection');
    return new Promise((resolve, reject) => this.#waiters.push({ wanted, resolve, reject }));
  }

  /** Calls a method of the client and returns what it answers: also the proof that it lives, and got what came before. */
  async call(call: Omit<WireMessage, 'type'>): Promise<SentMessage> {
    const serial = this.send({ type: 1, ...call });
    return this.until(({ replySerial }) => replySerial === serial);
  }

  /** Whether the client still answers. */
  async ping(milliseconds = 5000 * patience): Promise<boolean> {
    const answer = this.call({ path: '/', interface: `${BUS}.Peer`, member: 'Ping' });
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds);
    });
    try {
      return await Promise.race([answer.then(({ type }) => type === 2), impatience]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hangs up, after what was sent before if `after` is given. */
  hangUp(after?: Uint8Array): void {
    if (after === undefined) this.#socket.destroy();
    else this.#socket.end(after);
  }

  #receive(chunk: Buffer): void {
    if (this.#handshake === undefined) {
      this.#reader.push(chunk);
    } else {
      this.#handshake = Buffer.concat([this.#handshake, chunk]);
      const end = this.#handshake.indexOf('BEGIN\r\n');
      if (end < 0) return;
      this.#reader.push(this.#handshake.subarray(end + 'BEGIN\r\n'.length));
      this.#handshake = undefined;
      const { text, hangUp } = this.#options.handshake ?? { text: HANDSHAKE, hangUp: false };
      if (hangUp) this.#socket.end(text);
      else this.#socket.write(text);
      this.#onAuthenticated();
    }
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) this.#take(message);
  }

  #take(message: SentMessage): void {
    this.sent.push(message);
    if (message.type === 1 && (message.flags & 1) === 0) this.#answer(message);
    const served = this.#waiters.filter(({ wanted }) => wanted(message));
    this.#waiters = this.#waiters.filter((waiter) => !served.includes(waiter));
    for (const { resolve } of served) resolve(message);
  }

  #answer(call: SentMessage): void {
    const chosen = this.#options.answer?.(call);
    if (chosen === 'silence') return;
    if (chosen !== undefined) this.inject(chosen);
    else if (call.destination === BUS) {
      if (call.member === 'RequestName') this.#announceName(call.text as string);
      this.inject(busReply(call, this.nextSerial()));
    }
  }

  #announceName(name: string): void {
    const signal = { path: '/org/freedesktop/DBus', interface: BUS, member: 'NameAcquired', sender: BUS };
    this.send({ type: 4, ...signal, signature: 's', body: new Bytes().text(name).buffer });
  }
}

/** What a real bus would say: just enough for a client that asks for little. */
export function busReply(call: SentMessage, serial: number): Buffer {
  const header = { type: 2, serial, replySerial: call.serial, destination: CLIENT, sender: BUS };
  switch (call.member) {
    case 'Hello':
      return wireMessage({ ...header, signature: 's', body: new Bytes().text(CLIENT).buffer });
    case 'GetNameOwner':
      return wireMessage({ ...header, signature: 's', body: new Bytes().text(PEER).buffer });
    case 'RequestName':
    case 'ReleaseName':
      return wireMessage({ ...header, signature: 'u', body: new Bytes().u32(1).buffer });
    case 'AddMatch':
    case 'RemoveMatch':
      return wireMessage(header);
    case 'ListNames':
      return wireMessage({
        ...header,
        signature: 'as',
        body: new Bytes().array(4, (names) => names.text(BUS).text(CLIENT).text(PEER)).buffer,
      });
    default:
      return wireMessage({ ...header, type: 3, errorName: `${BUS}.Error.UnknownMethod` });
  }
}
