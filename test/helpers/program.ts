/**
 * Programs that tests run: their output is collected, their lines can be awaited, and none outlives the test. A program is
 * ended by its own process id only, at the latest when this process ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { onExit } from './exit-cleanup.js';
import { projectRoot } from './paths.js';
import { patience } from './patience.js';

export interface ProgramOptions {
  /** Added to the environment of this process, for instance `bus.env`. `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the project's root. */
  readonly cwd?: string;
  /** Runs as another user; only root may. */
  readonly uid?: number;
  readonly gid?: number;
  /** Descriptors of this process that the program has as 3 and following. They stay open here. */
  readonly inherits?: readonly number[];
  /** Milliseconds, at normal speed, after which the program is killed and every wait for it rejects. Default {@link TIME_LIMIT}. */
  readonly timeLimit?: number;
  /** Called with every complete line of either stream. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

/** How a program ended. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface LineWaiter {
  readonly pattern: RegExp;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** Several programs at once take half of this to start where the load is ten times the processors. */
const TIME_LIMIT = 60_000;

/** The longest delay that a timer takes: about 25 days. */
export const FOREVER = 2 ** 31 - 1;

/** Milliseconds between asking a program to stop and killing it. */
const STOP_GRACE = 3_000;

/** Pipes are sockets, which the types of child processes do not say. Not so in Bun, where they keep nothing alive. */
interface Referable {
  ref?(): unknown;
  unref?(): unknown;
}

/** A running program. `await using program = Program.start(…)` stops it at the end of the scope. */
export class Program {
  readonly #child: ChildProcess;
  readonly #title: string;
  readonly #onLine: ProgramOptions['onLine'];
  readonly #timer: NodeJS.Timeout;
  readonly #lines: string[] = [];
  #linesSeen = 0;
  #waiters: LineWaiter[] = [];
  #timedOut = false;
  stdout = '';
  stderr = '';
  /** Resolves when the program has ended and its output is complete; rejects if it could not start or took too long. */
  readonly finished: Promise<Finished>;

  static start(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Program {
    return new Program(command, args, options);
  }

  private constructor(command: string, args: readonly string[], options: ProgramOptions) {
    this.#title = [command, ...args].join(' ');
    this.#onLine = options.onLine;
    const { cwd = projectRoot, uid, gid, inherits = [] } = options;
    const timeLimit = Math.min(FOREVER, patience * (options.timeLimit ?? TIME_LIMIT));
    this.#child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe', ...inherits],
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    // A program may end without reading its input.
    this.#child.stdin?.on('error', () => {});
    this.#collect('stdout');
    this.#collect('stderr');
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.kill('SIGKILL');
    }, timeLimit);
    this.finished = this.#watch(timeLimit);
    // Code that awaits gets the failure; a program that is not awaited must not end the test process.
    this.finished.catch(() => {});
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#title}: did not start`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * The next line of standard output that matches, after the one that an earlier call returned. Rejects with all output
   * when the program ends first.
   */
  line(pattern: RegExp | string): Promise<string> {
    const wanted = typeof pattern === 'string' ? new RegExp(escapePattern(pattern)) : pattern;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ pattern: wanted, resolve, reject });
      this.#serveWaiters();
      if (!this.running)
        this.finished.then(
          () => this.#abandonWaiters(),
          () => this.#abandonWaiters(),
        );
    });
  }

  /** {@link line}, for programs that print lines of JSON: the next object with these properties. */
  async event(name: string): Promise<Record<string, unknown>> {
    return JSON.parse(await this.line(new RegExp(`^\\{.*"event": ?"${name}"`))) as Record<string, unknown>;
  }

  /**
   * Whether the program still runs a while after it has printed such a line, however long that took; it is killed then.
   * False, too, if it ended without printing it.
   */
  async staysAfter(line: string, milliseconds = 1000): Promise<boolean> {
    await this.line(line).catch(() => {});
    const ended = this.finished.then(() => false);
    const stayed = await Promise.race([ended, delay(patience * milliseconds, true)]);
    this.kill();
    return stayed;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Writes the last input: the program reads its end after it. */
  end(text = ''): void {
    this.#child.stdin?.end(text);
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** Whether the program keeps this process alive: a new one does. Otherwise it is ended with this process. */
  keepsAlive(value: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const handle of [this.#child, this.#timer, stdin, stdout, stderr] as (Referable | null)[]) {
      if (value) handle?.ref?.();
      else handle?.unref?.();
    }
  }

  /** Asks the program to stop, kills it if it does not, and waits for its end. */
  async stop(): Promise<Finished> {
    this.keepsAlive(true);
    this.#child.stdin?.end();
    this.kill('SIGTERM');
    const impatience = setTimeout(() => this.kill('SIGKILL'), STOP_GRACE);
    try {
      return await this.finished;
    } finally {
      clearTimeout(impatience);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  #collect(stream: 'stdout' | 'stderr'): void {
    let partial = '';
    this.#child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      this[stream] += text;
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) this.#takeLine(line, stream);
    });
    this.#child[stream]?.on('end', () => {
      if (partial !== '') this.#takeLine(partial, stream);
    });
  }

  #takeLine(line: string, stream: 'stdout' | 'stderr'): void {
    this.#onLine?.(line, stream);
    if (stream !== 'stdout') return;
    this.#lines.push(line);
    this.#serveWaiters();
  }

  #serveWaiters(): void {
    for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
      const index = this.#lines.findIndex((line, i) => i >= this.#linesSeen && waiter?.pattern.test(line));
      if (index < 0) return;
      this.#linesSeen = index + 1;
      this.#waiters.shift();
      waiter.resolve(this.#lines[index] as string);
    }
  }

  #abandonWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    const how = this.#timedOut ? 'was killed for taking too long,' : 'ended';
    for (const { pattern, reject } of waiters) reject(this.#failure(`${how} without a line that matches ${pattern}`));
  }

  #watch(timeLimit: number): Promise<Finished> {
    const forget = onExit(() => this.kill('SIGKILL'));
    return new Promise<Finished>((resolve, reject) => {
      this.#child.once('error', (error) => reject(new Error(`${this.#title}: ${error.message}`)));
      this.#child.once('close', (code, signal) => {
        if (this.#timedOut) reject(this.#failure(`was killed after ${timeLimit} ms`));
        else resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    }).finally(() => {
      clearTimeout(this.#timer);
      forget();
      this.#abandonWaiters();
    });
  }

  #failure(what: string): Error {
    return new Error(`${this.#title}: ${what}\n--- standard output\n${this.stdout}--- standard error\n${this.stderr}`);
  }
}

/** Runs a program to its end, whatever its exit code. */
export function run(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Finished> {
  return Program.start(command, args, options).finished;
}

/** Runs a program to its end and returns its standard output; rejects with all output unless it exits with 0. */
export async function outputOf(
  command: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await run(command, args, options);
  if (code === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}: ended with ${signal ?? code}\n${stdout}${stderr}`);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
