/**
 * An end of a connection that a test plays with messages: it sends any bytes that the test wants, and keeps the messages of
 * the library. Its maker decides who connects, and what is sent before the first message. It owns its socket.
 */
import type { Socket } from 'node:net';
import { patience } from './patience.js';
import { type WireMessage, wireMessage } from './wire.js';
import { MessageReader, type SentMessage } from './wire-reader.js';

export interface WireEndOptions {
  /** Gets all bytes so far; returns how many of them were the handshake, once it is over. */
  readonly handshake: (received: Buffer) => number | undefined;
  /** Header fields of every message that does not have others. */
  readonly head?: Partial<WireMessage>;
  /** Called with every message of the library, before any wait for it resolves. */
  readonly onMessage?: (message: SentMessage) => void;
}

interface Waiter {
  readonly wanted: (message: SentMessage) => boolean;
  readonly resolve: (message: SentMessage) => void;
  readonly reject: (error: Error) => void;
}

export class WireEnd {
  /** Everything that the library sent after the handshake, in order. */
  readonly sent: SentMessage[] = [];
  /** Settles when the library has closed the connection. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #options: WireEndOptions;
  readonly #reader = new MessageReader();
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #waiters: Waiter[] = [];
  #serial = 0;

  constructor(socket: Socket, options: WireEndOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#receive(chunk));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const { reject } of this.#waiters) reject(new Error('the library closed the connection'));
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

  /** Sends a message. */
  send(message: WireMessage): number {
    const serial = message.serial ?? this.nextSerial();
    this.inject(this.message({ ...message, serial }));
    return serial;
  }

  /** The bytes of a message as `send` sends it. */
  message(message: WireMessage): Buffer {
    return wireMessage({ serial: message.serial ?? this.nextSerial(), ...this.#options.head, ...message });
  }

  /** The next wanted message that the library sends, or has sent already; rejects when it hangs up. */
  async until(wanted: (message: SentMessage) => boolean): Promise<SentMessage> {
    const found = this.sent.find(wanted);
    if (found !== undefined) return found;
    if (this.isClosed) throw new Error('the library closed the connection');
    return new Promise((resolve, reject) => this.#waiters.push({ wanted, resolve, reject }));
  }

  /** Calls a method and returns the answer: also the proof that the library still works, and got everything before. */
  async call(call: Omit<WireMessage, 'type'>): Promise<SentMessage> {
    const serial = this.send({ type: 1, ...call });
    return this.until(({ replySerial }) => replySerial === serial);
  }

  /** Whether the library still answers. */
  async ping(milliseconds = 5000 * patience): Promise<boolean> {
    const answer = this.call({ path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
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

  /** Hangs up, after everything that was sent before if `after` is given. */
  hangUp(after?: Uint8Array): void {
    if (after === undefined) this.#socket.destroy();
    else this.#socket.end(after);
  }

  #receive(chunk: Buffer): void {
    if (this.#handshake === undefined) {
      this.#reader.push(chunk);
    } else {
      this.#handshake = Buffer.concat([this.#handshake, chunk]);
      const length = this.#options.handshake(this.#handshake);
      if (length === undefined) return;
      this.#reader.push(this.#handshake.subarray(length));
      this.#handshake = undefined;
    }
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) this.#take(message);
  }

  #take(message: SentMessage): void {
    this.sent.push(message);
    this.#options.onMessage?.(message);
    const served = this.#waiters.filter(({ wanted }) => wanted(message));
    this.#waiters = this.#waiters.filter((waiter) => !served.includes(waiter));
    for (const { resolve } of served) resolve(message);
  }
}
