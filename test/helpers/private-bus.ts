/**
 * A private message bus: dbus-daemon or dbus-broker on a socket in a temporary folder. The bus owns the folder and the
 * daemon's process; both are removed by `stop()`, or at the latest when this process ends. The daemon is signalled only by
 * its process id.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { busConfiguration, policyFile } from './bus-configuration.js';
import { onExit } from './exit-cleanup.js';
import { programPath, sharedPath } from './paths.js';
import { FOREVER, Program } from './program.js';
import { pythonWith } from './python.js';

export type Daemon = 'dbus-daemon' | 'dbus-broker';

export interface PrivateBusOptions {
  /**
   * Left out if it does not matter to the test: `BUSBAR_TEST_DAEMON`, or else dbus-daemon. dbus-broker has an allow-all
   * policy: `type` and `policy` do not apply to it.
   */
  readonly daemon?: Daemon;
  /** The standard policy and limits: those of a session bus (the default) or of a system bus. */
  readonly type?: 'session' | 'system';
  /** In addition to the standard policy: the path of a `.conf` file, the text of one, or `<policy>` elements. */
  readonly policy?: string;
  /**
   * dbus-daemon: limits by the names of dbus-daemon(1). dbus-broker: `max_bytes`, `max_fds`, `max_matches`, `max_objects`.
   * A bus with an unknown limit does not start.
   */
  readonly limits?: Readonly<Record<string, number>>;
  /** A folder with `.service` files, for activation (dbus-daemon only). */
  readonly serviceFolder?: string;
}

/** The daemon of a test that does not choose one. */
const defaultDaemon = (process.env.BUSBAR_TEST_DAEMON ?? 'dbus-daemon') as Daemon;

const BROKER_LIMITS = ['max_bytes', 'max_fds', 'max_matches', 'max_objects'];

/** The limit of match rules: on dbus-daemon for a connection, on dbus-broker for all connections of a user. */
export function matchRuleLimit(rules: number, daemon = defaultDaemon): Readonly<Record<string, number>> {
  return daemon === 'dbus-daemon' ? { max_match_rules_per_connection: rules } : { max_matches: rules };
}

/** Whether this user has an entry in the user database. In a container that runs as any number it has none. */
function isKnownUser(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/** Milliseconds in which a daemon has to be ready. */
const START_LIMIT = 10_000;

/** Milliseconds after the end of a daemon in which this process lives on, unless the bus is stopped or started again. */
const SEEING_THE_END = 10_000;

/** A private bus; `await using bus = await PrivateBus.start()` stops it at the end of the scope. */
export class PrivateBus {
  /** The address to connect to. It stays the same over {@link restart}. */
  readonly address: string;
  readonly daemon: Daemon;
  readonly #folder: string;
  readonly #options: PrivateBusOptions;
  readonly #forget: () => void;
  #process: DaemonProcess | undefined;
  #afterEnd: NodeJS.Timeout | undefined;

  /** Why a bus of this kind is not available on this machine; `undefined` if it is. */
  static missing({ daemon = defaultDaemon }: PrivateBusOptions = {}): string | undefined {
    if (programPath(daemon) === undefined) return `${daemon} not installed`;
    if (daemon === 'dbus-daemon')
      return isKnownUser() ? undefined : 'dbus-daemon refuses users without an entry in /etc/passwd';
    if (sharedPath('tools/dbus-broker-direct.py') === undefined)
      return 'the launcher of dbus-broker is not beside the project';
    return pythonWith('gi') === undefined ? 'python3-gi not installed' : undefined;
  }

  static async start(options: PrivateBusOptions = {}): Promise<PrivateBus> {
    const missing = PrivateBus.missing(options);
    if (missing !== undefined) throw new Error(`no private bus: ${missing}`);
    const bus = new PrivateBus(options);
    try {
      await bus.restart();
    } catch (error) {
      await bus.stop();
      throw error;
    }
    return bus;
  }

  private constructor(options: PrivateBusOptions) {
    this.#options = options;
    this.daemon = options.daemon ?? defaultDaemon;
    this.#folder = mkdtempSync(join(tmpdir(), 'busbar-bus-'));
    // Other users must reach the socket of a system bus; a session bus is for its owner.
    if (options.type === 'system') chmodSync(this.#folder, 0o755);
    this.address = `unix:path=${join(this.#folder, 'socket')}`;
    this.#forget = onExit(() => this.#removeFolder());
  }

  /** The process id of the daemon. */
  get pid(): number {
    if (this.#process === undefined) throw new Error('the bus is not running');
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process?.program.running ?? false;
  }

  /** The standard error of the daemon since it was last started. */
  get log(): string {
    return this.#process?.program.stderr ?? '';
  }

  /** The environment of programs that are to use this bus as their session and system bus. */
  get env(): Readonly<Record<string, string | undefined>> {
    return {
      DBUS_SESSION_BUS_ADDRESS: this.address,
      DBUS_SYSTEM_BUS_ADDRESS: this.address,
      DBUS_STARTER_ADDRESS: undefined,
      DBUS_STARTER_BUS_TYPE: undefined,
    };
  }

  /** Sends the daemon a signal; if that ends it, resolves after its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      // Of dbus-broker, the launcher ends after the daemon.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return;
    this.#process?.program.keepsAlive(true);
    await this.#process?.program.finished;
    // A connection without anything to do sees the end a moment later, and does not keep the process alive until then.
    clearTimeout(this.#afterEnd);
    this.#afterEnd = setTimeout(() => {}, SEEING_THE_END);
  }

  /** Starts the daemon on the same address, after ending it if it runs. */
  async restart(): Promise<void> {
    await this.#end();
    this.#process = await (this.daemon === 'dbus-daemon' ? this.#startDaemon() : this.#startBroker());
  }

  async stop(): Promise<void> {
    await this.#end();
    this.#forget();
    this.#removeFolder();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(): Promise<void> {
    if (this.running) await this.kill('SIGKILL');
    clearTimeout(this.#afterEnd);
    this.#process = undefined;
  }

  #removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startDaemon(): Promise<DaemonProcess> {
    const { type = 'session', limits = {}, serviceFolder } = this.#options;
    const include = this.#writePolicy();
    const file = join(this.#folder, 'bus.conf');
    writeFileSync(file, busConfiguration({ type, address: this.address, include, serviceFolder, limits }));
    rmSync(join(this.#folder, 'socket'), { force: true });
    const args = [`--config-file=${file}`, '--nofork', '--nopidfile', '--nosyslog', '--print-address=1'];
    const program = await startAndAwaitAddress(programPath('dbus-daemon') as string, args, {});
    return { program, pid: program.pid };
  }

  #writePolicy(): string | undefined {
    const { policy } = this.#options;
    if (policy === undefined) return undefined;
    if (existsSync(policy)) return resolve(policy);
    const file = join(this.#folder, 'policy.conf');
    writeFileSync(file, policyFile(policy));
    return file;
  }

  async #startBroker(): Promise<DaemonProcess> {
    const given = Object.entries(this.#options.limits ?? {});
    const unknown = given.find(([name]) => !BROKER_LIMITS.includes(name));
    if (unknown !== undefined) throw new Error(`dbus-broker has no limit ${unknown[0]}`);
    const limits = given.map(([name, value]) => [name.toUpperCase(), `${value}`]);
    const launcher = sharedPath('tools/dbus-broker-direct.py') as string;
    const args = [launcher, join(this.#folder, 'socket')];
    const program = await startAndAwaitAddress(pythonWith('gi') as string, args, Object.fromEntries(limits));
    if (this.#options.type === 'system') chmodSync(join(this.#folder, 'socket'), 0o666);
    return { program, pid: childOf(program.pid) };
  }
}

interface DaemonProcess {
  /** The daemon, or the launcher that ends when the daemon does. */
  readonly program: Program;
  readonly pid: number;
}

async function startAndAwaitAddress(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  // The daemon lives as long as its bus: it has no time limit except for getting ready.
  const program = Program.start(command, args, { env, timeLimit: FOREVER });
  const impatience = setTimeout(() => program.kill(), START_LIMIT);
  try {
    await program.line(/^unix:/);
    // A test that fails may not stop its bus, which must end even so.
    program.keepsAlive(false);
    return program;
  } finally {
    clearTimeout(impatience);
  }
}

/** The process id of a process's only child. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
