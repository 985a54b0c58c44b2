/** The listening end of a peer connection that authenticates its clients, and then does not read. */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { folder } from './peers.js';

let count = 0;

export class StoppedServer implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  static async start(): Promise<StoppedServer> {
    const path = join(folder, `stopped-server-${count++}`);
    const server = new StoppedServer(path);
    await new Promise<void>((resolve) => server.#server.listen(path, resolve));
    return server;
  }

  private constructor(path: string) {
    this.address = `unix:path=${path}`;
    this.#server = createServer((socket) => {
      this.#sockets.push(socket);
      authenticate(socket);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers line by line, as in the specification, whether or not the client waits for the answers. */
function authenticate(socket: Socket): void {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1').replace('\0', '');
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (line === 'BEGIN') {
        socket.pause();
        return;
      }
      socket.write(`${answerTo(line)}\r\n`);
    }
  });
}

function answerTo(line: string): string {
  if (line === 'AUTH EXTERNAL') return 'DATA';
  if (line.startsWith('AUTH EXTERNAL ') || line.startsWith('DATA')) return `OK ${'0123456789abcdef'.repeat(2)}`;
  return line === 'NEGOTIATE_UNIX_FD' ? 'AGREE_UNIX_FD' : 'ERROR';
}
