/**
 * Attaches file descriptors to the messages of an end that the test plays, which Node.js cannot do: a relay, written in
 * Python, between a client and its bus or server. It owns a folder with the socket to which the client connects, and ends
 * with `stop()`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.js';
import { pythonWith } from './python.js';

// Copies both directions. A line on standard input, `client 3`, is the number of descriptors to send with the next bytes,
// and the receiver.
const RELAY = `
import array, os, select, socket, sys
listening, target, *pids = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(listening)
listener.listen()
print('listening', flush=True)
client, _ = listener.accept()
server = socket.socket(socket.AF_UNIX)
server.connect(target)
null = os.pidfd_open(int(pids[0])) if pids else os.open('/dev/null', os.O_RDONLY)
waiting = {client: 0, server: 0}
def copy(source, target):
    data = source.recv(65536)
    fds = array.array('i', [null] * waiting[target])
    waiting[target] = 0
    sent = target.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []) if data else 0
    target.sendall(data[sent:])
    return bool(data)
while True:
    ready, _, _ = select.select([client, server, 0], [], [])
    if client in ready and not copy(client, server): break
    if server in ready and not copy(server, client): break
    # Last: what was sent before it was told is to go without descriptors.
    if 0 in ready:
        line = os.read(0, 100)
        if not line: break
        target, count = line.split()
        waiting[client if target == b'client' else server] = int(count)
        print('attaching', int(count), flush=True)
`;

export class DescriptorRelay {
  readonly address: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'busbar-relay-'));
  readonly #program: Program;

  /** Why it cannot run on this machine; `undefined` if it can. */
  static missing(): string | undefined {
    return pythonWith('socket') === undefined ? 'python3 not installed' : undefined;
  }

  /**
   * A relay for one client of the bus or server at this address.
   *
   * @param pid the descriptors are of the process with this id; by default of `/dev/null`
   */
  static async start(address: string, pid?: number): Promise<DescriptorRelay> {
    const relay = new DescriptorRelay(/path=([^,]+)/.exec(address)?.[1] as string, pid);
    await relay.#program.line('listening');
    return relay;
  }

  private constructor(target: string, pid: number | undefined) {
    const socket = join(this.#folder, 'socket');
    this.address = `unix:path=${socket}`;
    this.#program = Program.start(pythonWith('socket') as string, [
      '-c',
      RELAY,
      socket,
      target,
      ...(pid === undefined ? [] : [`${pid}`]),
    ]);
  }

  /** Sends `count` descriptors with the next bytes to the client, or to the server. */
  async attach(count: number, target: 'client' | 'server' = 'client'): Promise<void> {
    this.#program.write(`${target} ${count}\n`);
    await this.#program.line(`attaching ${count}`);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
