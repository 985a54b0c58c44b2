/** A socket that takes what services tell their service manager, as systemd does: a Python program, because Node.js has none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.js';
import { pythonWith } from './python.js';

const receiver = `
import json, socket, struct, sys
name = sys.argv[1]
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
sock.bind('\\0' + name[1:] if name.startswith('@') else name)
print(json.dumps({'event': 'bound'}), flush=True)
while True:
    data, ancillary, _, _ = sock.recvmsg(8192, socket.CMSG_SPACE(12))
    pid, _, _ = struct.unpack('iII', ancillary[0][2][:12])
    print(json.dumps({'event': 'told', 'text': data.decode(), 'pid': pid}), flush=True)
`;

let made = 0;

/** `await using socket = await NotifySocket.start('path')` */
export class NotifySocket {
  /** The value of NOTIFY_SOCKET. */
  readonly address: string;
  readonly #program: Program;
  readonly #folder: string;

  /** Why there is none on this machine. */
  static readonly missing = pythonWith('socket') === undefined ? 'python3 not installed' : undefined;

  static async start(kind: 'path' | 'abstract'): Promise<NotifySocket> {
    const folder = mkdtempSync(join(tmpdir(), 'busbar-notify-'));
    const address = kind === 'path' ? join(folder, 'notify') : `@busbar-notify-${process.pid}-${++made}`;
    const program = Program.start(pythonWith('socket') as string, ['-c', receiver, address]);
    await program.event('bound');
    return new NotifySocket(address, program, folder);
  }

  private constructor(address: string, program: Program, folder: string) {
    this.address = address;
    this.#program = program;
    this.#folder = folder;
  }

  /** The next datagram, and the process that sent it. */
  async next(): Promise<{ readonly text: string; readonly pid: number }> {
    const { text, pid } = await this.#program.event('told');
    return { text: text as string, pid: pid as number };
  }

  /** The texts of all datagrams so far. */
  get texts(): readonly string[] {
    const lines = this.#program.stdout.split('\n').filter((line) => line.includes('"told"'));
    return lines.map((line) => (JSON.parse(line) as { text: string }).text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
