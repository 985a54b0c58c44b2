/**
 * Attaches file descriptors to what the fake bus sends, which Node.js cannot: a relay, written in Python, between the
 * client and the bus. It owns a folder with the socket that the client connects to, and ends with `stop()`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.js';
import { pythonWith } from './python.js';

// Copies both directions. A number on standard input is how many descriptors go with the next bytes to the client.
const RELAY = `
import array, os, select, socket, sys
listening, bus = sys.argv[1:]
server = socket.socket(socket.AF_UNIX)
server.bind(listening)
server.listen()
print('listening', flush=True)
client, _ = server.accept()
upstream = socket.socket(socket.AF_UNIX)
upstream.connect(bus)
null = os.open('/dev/null', os.O_RDONLY)
count = 0
while True:
    ready, _, _ = select.select([client, upstream, 0], [], [])
    if client in ready:
        data = client.recv(65536)
        if not data: break
        upstream.sendall(data)
    if upstream in ready:
        data = upstream.recv(65536)
        if not data: break
        fds = array.array('i', [null] * count)
        sent = client.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if count else [])
        client.sendall(data[sent:])
        count = 0
    # Last: what the bus sent before it was told is to go without descriptors.
    if 0 in ready:
        line = os.read(0, 100)
        if not line: break
        count = int(line)
        print('attaching', count, flush=True)
`;

export class DescriptorRelay {
  readonly address: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'busbar-relay-'));
  readonly #program: Program;

  /** Why there can be none on this machine; `undefined` where there can. */
  static missing(): string | undefined {
    return pythonWith('socket') === undefined ? 'python3 not installed' : undefined;
  }

  /** A relay for one client of the bus at this address. */
  static async start(address: string): Promise<DescriptorRelay> {
    const relay = new DescriptorRelay(address.replace('unix:path=', ''));
    await relay.#program.line('listening');
    return relay;
  }

  private constructor(busSocket: string) {
    const socket = join(this.#folder, 'socket');
    this.address = `unix:path=${socket}`;
    this.#program = Program.start(pythonWith('socket') as string, ['-c', RELAY, socket, busSocket]);
  }

  /** Has `count` descriptors go with the next bytes that the bus sends. */
  async attach(count: number): Promise<void> {
    this.#program.write(`${count}\n`);
    await this.#program.line(`attaching ${count}`);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
