/** A client of a peer server that the test plays with bytes: it sends what a test wants, or nothing at all. */
import { connect, type Socket } from 'node:net';
import { WireEnd } from './wire-end.js';
import { MessageReader, type SentMessage } from './wire-reader.js';

/** The bytes of a client that authenticates as its own user and begins, without waiting for answers. */
export const BEGIN_EXTERNAL = '\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n';

/** The same, with descriptors agreed to, and the end of the last answer to it. */
const BEGIN_WITH_FDS = BEGIN_EXTERNAL.replace('BEGIN', 'NEGOTIATE_UNIX_FD\r\nBEGIN');
const AGREED = 'AGREE_UNIX_FD\r\n';

export class RawPeer {
  readonly #socket: Socket;
  /** Resolves with everything that was received when the server has hung up. */
  readonly ended: Promise<string>;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};

  /** Connects to a unix socket by an address with a path. */
  static async connect(address: string): Promise<RawPeer> {
    return new RawPeer(await connected(address));
  }

  /** Connects and authenticates, to exchange messages from then on. */
  static async authenticated(address: string): Promise<WireEnd> {
    const socket = await connected(address);
    return new Promise((resolve, reject) => {
      const end = new WireEnd(socket, {
        handshake: (received) => {
          const at = received.indexOf(AGREED);
          if (at < 0) return undefined;
          resolve(end);
          return at + AGREED.length;
        },
      });
      void end.closed.then(() => reject(new Error('the server hung up')));
      end.inject(Buffer.from(BEGIN_WITH_FDS, 'latin1'));
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      socket.once('close', () => resolve(this.#received.toString('latin1')));
    });
    // The kind of end makes no difference.
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Everything that was received, once it contains this text; everything so far if the server hangs up first. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text, 0, 'latin1') && !this.#socket.closed) await this.#more();
    return this.#received.toString('latin1');
  }

  /** The first message after the lines of the handshake, of which `OK` is the last. */
  async message(): Promise<SentMessage> {
    for (;;) {
      const line = this.#received.indexOf('OK ');
      const end = line < 0 ? -1 : this.#received.indexOf('\r\n', line);
      if (end >= 0) {
        const reader = new MessageReader();
        reader.push(this.#received.subarray(end + 2));
        const message = reader.next();
        if (message !== undefined) return message;
      }
      if (this.#socket.closed) throw new Error('the server hung up');
      await this.#more();
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #more(): Promise<unknown> {
    return Promise.race([this.ended, new Promise<void>((resolve) => (this.#wake = resolve))]);
  }
}

async function connected(address: string): Promise<Socket> {
  const path = /path=([^,]+)/.exec(address)?.[1];
  if (path === undefined) throw new Error(`no path in ${address}`);
  const socket = connect({ path });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}
