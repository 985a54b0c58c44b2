/**
 * The service manager that started this process and wants to know its state: systemd, or another one with the protocol of
 * sd_notify(3). It takes datagrams at the socket that NOTIFY_SOCKET names, and pings if WATCHDOG_USEC is set.
 */
import { constants, uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { printable } from '../base/printable.js';
import { TIMER_MAXIMUM } from '../connection/time-limit.js';
import { loadAddon } from '../native/load.js';

const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/** Milliseconds between attempts while the queue of the socket is full, and the number of attempts. */
const RETRY_DELAY = 20;
const ATTEMPTS = 250;

type Environment = { readonly [Name in (typeof VARIABLES)[number]]?: string | undefined };

export class ServiceManager {
  static #found: ServiceManager | undefined;
  /** The number of services in the process that have not begun to end: the manager knows only the process. */
  static #services = 0;
  readonly #socket: string;
  /** Milliseconds between two pings; `undefined` if the manager wants none. */
  readonly pingInterval: number | undefined;
  /** What is told later arrives later. */
  #last: Promise<void> = Promise.resolve();

  /**
   * The manager that the environment names, if there is one. The variables are removed, so that child processes do not
   * speak for this one.
   */
  static take(): ServiceManager | undefined {
    const { NOTIFY_SOCKET: socket } = process.env;
    if (socket !== undefined && socket !== '') ServiceManager.#found = new ServiceManager(process.env, process.pid);
    for (const name of VARIABLES) delete process.env[name];
    if (ServiceManager.#found !== undefined) ServiceManager.#services++;
    return ServiceManager.#found;
  }

  constructor({ NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: time, WATCHDOG_PID: owner }: Environment, pid: number) {
    this.#socket = socket;
    const isOwn = owner === undefined || Number(owner) === pid;
    // Twice in the time after which the manager ends the process; a timer with a longer interval would run at once.
    const isWanted = isOwn && time !== undefined && Number(time) > 0;
    this.pingInterval = isWanted ? Math.min(Number(time) / 2000, TIMER_MAXIMUM) : undefined;
  }

  /** A service that could not start, or begins to end. Returns whether it was the last one. */
  leave(): boolean {
    return --ServiceManager.#services === 0;
  }

  /** Sends variables, as `READY=1`, one a line. Waits for room in the queue of the socket. A failure is a process warning. */
  tell(...variables: readonly string[]): Promise<void> {
    this.#last = this.#last.then(() => this.#tell(variables));
    return this.#last;
  }

  async #tell(variables: readonly string[]): Promise<void> {
    const text = variables.map((variable) => variable.replaceAll('\n', ' ')).join('\n');
    const failure = await this.#send(text);
    if (failure === undefined) return;
    const what = `the service manager was not told ${text}: ${failure} (NOTIFY_SOCKET is ${this.#socket})`;
    process.emitWarning(printable(what), { code: 'BUSBAR_NOTIFY' });
  }

  /** Resolves with the reason if it fails. */
  async #send(text: string): Promise<string | undefined> {
    if (!/^[/@]/.test(this.#socket)) return 'only unix sockets are supported';
    const name = this.#socket.replace(/^@/, '\0');
    for (let attempt = 1; ; attempt++) {
      const result = loadAddon().notify(name, text);
      if (result === 0) return undefined;
      if (result !== -constants.errno.EAGAIN || attempt === ATTEMPTS) return getSystemErrorName(result);
      await delay(RETRY_DELAY);
    }
  }
}

/**
 * The time of CLOCK_MONOTONIC, or up to a second more: the service manager ignores a reload that seems older than its
 * request.
 */
export function monotonicMicroseconds(): number {
  const { bun, deno } = process.versions;
  if (bun === undefined && deno === undefined) return Number(process.hrtime.bigint() / 1000n);
  // There `hrtime` begins with the process. The kernel rounds this time up, and counts the time of sleep as well.
  return uptime() * 1e6;
}
