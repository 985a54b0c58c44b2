/** One run of a command: its connection, its output, and what ends it. */
import type { ConnectOptions, MessageBus } from '../index.js';
import { CommandFailure, ExitCode, UsageFailure } from './failure.js';
import { library } from './library.js';
import { Output } from './output.js';

/** The options that all commands have. */
export interface CommonOptions {
  readonly session?: boolean;
  readonly system?: boolean;
  readonly address?: string;
  readonly host?: string;
  readonly machine?: string;
  readonly json?: boolean;
  readonly color?: boolean;
  readonly timeout?: string;
}

/** Milliseconds for an answer: the default of the library, and of most D-Bus tools. */
const TIMEOUT = 25_000;

export class Session {
  readonly output: Output;
  /** How long to wait for an answer, and until Ctrl+C. Pass it to calls. */
  readonly limits: { readonly timeout: number; readonly signal: AbortSignal };
  /** The options that all commands have, as they were given. */
  readonly options: CommonOptions;
  readonly #interruption = new AbortController();
  #bus: MessageBus | undefined;

  constructor(options: CommonOptions) {
    this.options = options;
    this.output = new Output({ json: options.json === true, color: options.color !== false });
    this.limits = { timeout: milliseconds(options.timeout), signal: this.#interruption.signal };
  }

  /** Whether a time limit was given on the command line. */
  get hasTimeout(): boolean {
    return this.options.timeout !== undefined;
  }

  /** Aborts when the user presses Ctrl+C, or the process is asked to end. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** Whether the bus is of this machine, so that processes of the bus are in `/proc`. */
  get isLocal(): boolean {
    return this.options.host === undefined && this.options.machine === undefined;
  }

  /**
   * Connects to the bus that the options name, when it is first called. Later calls return the same connection.
   *
   * @param limits how long to wait; as for answers, unless the time on the command line is one of something else
   * @throws (rejects) {@link UsageFailure} if the options contradict each other; `ConnectError` and others of `connect`
   */
  async connect(limits: Pick<ConnectOptions, 'timeout' | 'signal'> = this.limits): Promise<MessageBus> {
    this.#bus ??= await library.connect({ ...this.place(), ...limits });
    return this.#bus;
  }

  /** Where the bus is, as an option of `connect`. */
  place(): ConnectOptions {
    const { session, system, address, host, machine } = this.options;
    for (const places of [
      { session, system, address },
      { address, host, machine },
    ]) {
      const [first, second] = Object.entries(places).filter(([, value]) => value !== undefined);
      if (first === undefined || second === undefined) continue;
      throw new UsageFailure(`--${first[0]} and --${second[0]} name two buses: leave one of them out`);
    }
    if (address !== undefined) return { address };
    const bus = system === true ? 'system' : 'session';
    // As in busctl: elsewhere, the system bus is usually meant.
    const elsewhere = session === true ? 'session' : 'system';
    if (host !== undefined) return { host, bus: elsewhere };
    if (machine !== undefined) return { machine, bus: elsewhere };
    return { bus };
  }

  /** What the place is called in errors: `the session bus`. */
  get placeName(): string {
    const { system, address, host, machine } = this.options;
    if (address !== undefined) return `the bus at ${address}`;
    if (host !== undefined) return `the bus of ${host}`;
    if (machine !== undefined) return `the bus of the container ${machine}`;
    return system === true ? 'the system bus' : 'the session bus';
  }

  /** Ends everything that waits. */
  interrupt(): void {
    this.#interruption.abort(new CommandFailure('interrupted', ExitCode.Interrupted));
  }

  /** Closes the connection, if there is one. */
  async close(): Promise<void> {
    await this.#bus?.close();
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };

/** Seconds as on most command lines, or with a unit: `5`, `1.5s`, `200ms`, `2min`. */
function milliseconds(text: string | undefined): number {
  if (text === undefined) return TIMEOUT;
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|min)?$/.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit] as number);
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (value > 0) return value;
  throw new UsageFailure(
    `--timeout ${text}: expected a number of seconds greater than 0, a time such as 200ms, 1.5s or 2min, or infinity`,
  );
}
