/**
 * A bus of another machine, over ssh, or of a container on this machine: a child process carries the stream. It is
 * `systemd-stdio-bridge`, which connects to the bus, or ssh, which starts that program there; so the handshake is with
 * that bus. The child process ends with the connection.
 */
import type { ChildProcess, spawn as Spawn } from 'node:child_process';
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

/** The program of systemd that connects to a bus and forwards bytes. */
const BRIDGE = 'systemd-stdio-bridge';

/** A container of systemd-machined, and perhaps a user of it. */
const CONTAINER = /^(?:[^-@\s:/][^@\s:/]*@)?[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/;

/** How much of what the program prints is kept for the error. */
const SAID_MAXIMUM = 1000;

/** @throws {@link InvalidArgumentError} unless the value is a host for ssh or `undefined` */
export function checkHost(value: unknown, name: string): void {
  if (value === undefined || (typeof value === 'string' && HOST.test(value))) return;
  const given = typeof value === 'string' ? quoted(value) : String(value);
  throw new InvalidArgumentError(`${name}: expected a host for ssh, such as user@machine or machine:22, got ${given}`);
}

/** @throws {@link InvalidArgumentError} unless the value is a container's name or `undefined` */
export function checkMachine(value: unknown, name: string): void {
  if (value === undefined || (typeof value === 'string' && CONTAINER.test(value))) return;
  const given = typeof value === 'string' ? quoted(value) : String(value);
  throw new InvalidArgumentError(`${name}: expected the name of a container, as machinectl lists it, got ${given}`);
}

/** Where a bus is: a host for ssh, or a container. */
export interface Elsewhere {
  readonly host?: string | undefined;
  readonly machine?: string | undefined;
}

/** Whether a bus is on another machine or in a container. */
export function isElsewhere({ host, machine }: Elsewhere): boolean {
  return host !== undefined || machine !== undefined;
}

/**
 * Connects to a bus of another machine, or of a container.
 *
 * @throws (rejects) {@link ConnectError} with the words of the program that carries the stream, if it said anything
 * @throws (rejects) the reason of the signal
 */
export async function openRemote(
  { host, machine = '' }: Elsewhere,
  bus: 'session' | 'system',
  options: Omit<StreamOptions, 'role' | 'server'>,
): Promise<{ readonly connection: Connection; readonly address: OwnedStream }> {
  const { spawn } = await import('node:child_process');
  const fds = loadAddon().socketPair();
  if (typeof fds === 'number') throw new LimitsExceededError('no pair of sockets can be made: too many descriptors');
  const [here, there] = fds;
  const relay =
    host === undefined
      ? new Relay(spawn, BRIDGE, [`--machine=${machine}`, ...userOption(bus)], there)
      : new Relay(spawn, 'ssh', sshArguments(host, bus), there);
  closeReceivedFd(there);
  const text = `the ${bus} bus of ${host ?? `the container ${machine}`}`;
  const origin = host === undefined ? 'machine' : 'host';
  const address: OwnedStream = { fd: here, text, origin, transport: 'adopted', parameters: new Map() };
  try {
    // The server of ssh may give the bridge sockets, so that both ends agree to pass descriptors, which ssh does not.
    const way = { role: 'client', server: 'bus', isRelayed: true } as const;
    const connection = await openStream(address, { ...options, ...way });
    void connection.closed.then(() => relay.end());
    relay.unref();
    return { connection, address };
  } catch (error) {
    relay.end();
    if (!(error instanceof ConnectError)) throw error;
    throw new ConnectError(`${error.message}${await relay.account()}`);
  }
}

function sshArguments(host: string, bus: 'session' | 'system'): readonly string[] {
  const [, user = '', machine = '', port] = HOST.exec(host) ?? [];
  const where = user + machine.replace(/^\[(.*)\]$/, '$1');
  // Without X11, and without a terminal, which would change bytes. A host is never taken for an option.
  const options = port === undefined ? ['-xT', '--'] : ['-xT', '-p', port, '--'];
  return [...options, where, BRIDGE, ...userOption(bus)];
}

function userOption(bus: 'session' | 'system'): readonly string[] {
  return bus === 'session' ? ['--user'] : [];
}

/** The child process. */
class Relay {
  readonly #program: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';
  #failure: NodeJS.ErrnoException | undefined;

  /** @param stream its standard input and output, of which it gets duplicates */
  constructor(spawn: typeof Spawn, program: string, args: readonly string[], stream: number) {
    trace('connect: %s %s', program, args.join(' '));
    this.#program = program;
    this.#child = spawn(program, args, { stdio: [stream, stream, 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_MAXIMUM);
      trace('connect: %s said %s', program, text);
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
    if (this.#failure?.code === 'ENOENT') return `; ${this.#program} is not installed, or not in PATH`;
    if (this.#failure !== undefined) return `; ${this.#program} does not start: ${this.#failure.message}`;
    const said = this.#said.trim();
    if (said !== '') return `; ${this.#program} said: ${printable(said)}`;
    const { exitCode } = this.#child;
    if (this.#program !== BRIDGE || exitCode === null) return '';
    return `; ${BRIDGE} ended with exit code ${exitCode}: is it a container that \`machinectl list\` shows?`;
  }
}
