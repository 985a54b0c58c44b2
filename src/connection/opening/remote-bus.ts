/**
 * A bus of another machine, over ssh: a child process carries the stream. ssh starts `systemd-stdio-bridge` there, which
 * connects to the bus, so the handshake is with that bus. The child process ends with the connection.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { ConnectError, InvalidArgumentError, LimitsExceededError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { printable } from '../../base/printable.js';
import { trace } from '../../diagnostics/problems.js';
import { closeReceivedFd } from '../../native/descriptors.js';
import { loadAddon } from '../../native/load.js';
import type { Connection } from '../connection.js';
import { type OwnedStream, openStream, type StreamOptions } from './stream.js';

/** A user may be given, and a port. An address of IPv6 has brackets. */
const HOST = /^((?:[^-@\s:/[\]][^@\s:/[\]]*@)?)([^-@\s:/[\]][^@\s:/[\]]*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/;

/** How much of what ssh prints is kept for the error. */
const SAID_MAXIMUM = 1000;

/** @throws {@link InvalidArgumentError} unless the value is a host for ssh or `undefined` */
export function checkHost(value: unknown, name: string): void {
  if (value === undefined || (typeof value === 'string' && HOST.test(value))) return;
  const given = typeof value === 'string' ? quoted(value) : String(value);
  throw new InvalidArgumentError(`${name}: expected a host for ssh, as user@machine or machine:22, got ${given}`);
}

/**
 * Connects to a bus of another machine.
 *
 * @throws (rejects) {@link ConnectError} with the words of ssh, if it said anything
 * @throws (rejects) the reason of the signal
 */
export async function openRemote(
  host: string,
  bus: 'session' | 'system',
  options: Omit<StreamOptions, 'role' | 'server'>,
): Promise<{ readonly connection: Connection; readonly address: OwnedStream }> {
  const fds = loadAddon().socketPair();
  if (typeof fds === 'number') throw new LimitsExceededError('no pair of sockets can be made: too many descriptors');
  const [here, there] = fds;
  const ssh = new Ssh(argumentsFor(host, bus), there);
  closeReceivedFd(there);
  const text = `the ${bus} bus of ${host}`;
  const address: OwnedStream = { fd: here, text, origin: 'host', transport: 'adopted', parameters: new Map() };
  try {
    // The server of ssh may give the bridge sockets, so that both ends agree to pass descriptors, which ssh does not.
    const way = { role: 'client', server: 'bus', losesDescriptors: true, isRelayed: true } as const;
    const connection = await openStream(address, { ...options, ...way });
    void connection.closed.then(() => ssh.end());
    ssh.unref();
    return { connection, address };
  } catch (error) {
    ssh.end();
    if (!(error instanceof ConnectError)) throw error;
    throw new ConnectError(`${error.message}${await ssh.account()}`);
  }
}

function argumentsFor(host: string, bus: 'session' | 'system'): readonly string[] {
  const [, user = '', machine = '', port] = HOST.exec(host) ?? [];
  const where = user + machine.replace(/^\[(.*)\]$/, '$1');
  // Without X11, and without a terminal, which would change bytes. A host is never taken for an option.
  const options = port === undefined ? ['-xT', '--'] : ['-xT', '-p', port, '--'];
  return [...options, where, 'systemd-stdio-bridge', ...(bus === 'session' ? ['--user'] : [])];
}

/** The child process. */
class Ssh {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';
  #failure: NodeJS.ErrnoException | undefined;

  /** @param stream its standard input and output, of which it gets duplicates */
  constructor(args: readonly string[], stream: number) {
    trace('connect: ssh %s', args.join(' '));
    this.#child = spawn('ssh', args, { stdio: [stream, stream, 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_MAXIMUM);
      trace('connect: ssh said %s', text);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', (error) => {
        this.#failure = error;
        resolve();
      });
    });
  }

  /** The connection decides whether the process stays alive. */
  unref(): void {
    this.#child.unref();
    (this.#child.stderr as { unref?(): void } | null)?.unref?.();
  }

  /** Ends it. It ends by itself when the stream is closed, unless it is still connecting. */
  end(): void {
    this.#child.kill();
  }

  /** What it said and why it did not start, for the error. */
  async account(): Promise<string> {
    await this.#ended;
    if (this.#failure?.code === 'ENOENT') return '; ssh is not installed, or not in PATH';
    if (this.#failure !== undefined) return `; ssh does not start: ${this.#failure.message}`;
    const said = this.#said.trim();
    return said === '' ? '' : `; ssh said: ${printable(said)}`;
  }
}
