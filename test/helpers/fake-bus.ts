/**
 * A message bus that a test plays, in its own process: it authenticates clients, sends the first messages that they need,
 * and then any bytes that the test wants. With `peer: true` it does not answer Hello, and is a peer. It owns its socket and
 * all connections; both are closed by `stop()`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';
import { Bytes, wireMessage } from './wire.js';
import { WireEnd } from './wire-end.js';
import type { SentMessage } from './wire-reader.js';

export const BUS = 'org.freedesktop.DBus';
/** The unique name that every client gets, and that of the peer that sends to it. */
export const CLIENT = ':1.1';
export const PEER = ':1.2';

const CRLF = '\r\n';
const OK = `OK 0123456789abcdef0123456789abcdef${CRLF}`;
const AGREE = `AGREE_UNIX_FD${CRLF}`;
/** Everything that a server sends while a client authenticates as sd-bus does. */
export const HANDSHAKE = `DATA${CRLF}${OK}${AGREE}`;

export interface FakeBusOptions {
  /**
   * The bytes that the server sends instead of a correct answer, once the client has sent a line, and whether it then hangs
   * up.
   */
  readonly handshake?: { readonly text: string; readonly hangUp: boolean };
  /** Answers a call in place of the bus: with bytes, not at all (`'silence'`), or as usual (`undefined`). */
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

/** The bus's end of a client's connection. Its messages are from {@link PEER} to the client, unless it says otherwise. */
export class FakeConnection extends WireEnd {
  readonly #answers: FakeBusOptions['answer'];

  constructor(socket: Socket, { handshake, answer }: FakeBusOptions, onAuthenticated: () => void) {
    const read = handshake === undefined ? answersLines(socket) : answersAtOnce(socket, handshake);
    super(socket, {
      handshake: (received) => {
        const length = read(received);
        if (length !== undefined) onAuthenticated();
        return length;
      },
      head: { destination: CLIENT, sender: PEER },
      onMessage: (message) => {
        if (message.type === 1 && (message.flags & 1) === 0) this.#answer(message);
      },
    });
    this.#answers = answer;
  }

  #answer(call: SentMessage): void {
    const chosen = this.#answers?.(call);
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

type ReadHandshake = (received: Buffer) => number | undefined;

/** Accepts every client, answering line by line: peers wait for the answers, and sd-bus does not. */
export function answersLines(socket: Socket): ReadHandshake {
  let read = 0;
  return (received) => {
    for (let end = received.indexOf(CRLF, read); end >= 0; end = received.indexOf(CRLF, read)) {
      const line = received.toString('latin1', read, end).replace('\0', '');
      read = end + CRLF.length;
      if (line === 'BEGIN') return read;
      socket.write(line === 'AUTH EXTERNAL' ? `DATA${CRLF}` : line === 'NEGOTIATE_UNIX_FD' ? AGREE : OK);
    }
    return undefined;
  };
}

/** Sends the same to every client once it has sent a line: sd-bus has sent everything by then. */
function answersAtOnce(socket: Socket, { text, hangUp }: NonNullable<FakeBusOptions['handshake']>): ReadHandshake {
  const begin = `BEGIN${CRLF}`;
  let said = false;
  return (received) => {
    if (!said && received.includes(CRLF)) {
      said = true;
      if (hangUp) socket.end(text);
      else socket.write(text);
    }
    const at = received.indexOf(begin);
    return at < 0 ? undefined : at + begin.length;
  };
}

/** The answers of a real bus: just enough for a client with few requests. */
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
