/** The programs of examples/services, each on a private bus that is the session and the system bus of its clients. */
import { connect, type MessageBus } from '../../src/index.js';
import { programArguments } from './own-runtime.js';
import { missingPrograms } from './paths.js';
import { PrivateBus } from './private-bus.js';
import { type Finished, Program, run } from './program.js';

/** Why the examples cannot be tested with these programs; `undefined` if they can. */
export function missingClients(...programs: readonly string[]): string | undefined {
  return PrivateBus.missing() ?? missingPrograms(...programs);
}

const fileOf = (name: string) => `examples/services/${name}.ts`;

/** A bus with an example on it. */
export class ServiceExample {
  readonly server: PrivateBus;
  /** A connection of the test itself. */
  readonly bus: MessageBus;
  readonly #file: string;
  readonly #args: readonly string[];
  #program: Program;

  private constructor(server: PrivateBus, bus: MessageBus, file: string, args: readonly string[]) {
    this.server = server;
    this.bus = bus;
    this.#file = file;
    this.#args = args;
    this.#program = this.#started();
  }

  /** Starts a bus and `examples/services/NAME.ts`, and calls `use` when the example is ready. */
  static async with(
    name: string,
    use: (example: ServiceExample) => Promise<void>,
    args: readonly string[] = [],
  ): Promise<void> {
    await using server = await PrivateBus.start();
    await using bus = await connect({ address: server.address });
    const example = new ServiceExample(server, bus, fileOf(name), args);
    try {
      await example.#program.line('ready');
      await use(example);
      await example.#stopped();
    } finally {
      // After a failure, the end of the example is not of interest.
      await example.#program.stop().catch(() => {});
    }
  }

  /** Unless the test has ended the example, it ends without an error when it is asked to. */
  async #stopped(): Promise<void> {
    const { code, stderr } = await this.#program.stop();
    if (code !== 0 || stderr !== '') throw new Error(`the example ended with ${code}\n${stderr}`);
  }

  #started(file = this.#file): Program {
    return Program.start(process.execPath, programArguments(file, ...this.#args), { env: this.server.env });
  }

  /** The example, whose lines tell what it does. */
  get program(): Program {
    return this.#program;
  }

  /** Starts the example once more, or another one, on the same bus. */
  another(name?: string): Program {
    return this.#started(name && fileOf(name));
  }

  /** Kills the example and starts it again. */
  async restart(): Promise<void> {
    this.#program.kill();
    await this.#program.finished;
    this.#program = this.#started();
    await this.#program.line('ready');
  }

  /** Starts a client, whose language is English. */
  start(command: string, ...args: readonly string[]): Program {
    return Program.start(command, args, { env: this.#clientEnv });
  }

  /** Runs a client to its end, whatever its exit code. */
  run(command: string, ...args: readonly string[]): Promise<Finished> {
    return run(command, args, { env: this.#clientEnv });
  }

  /** Runs a client to its end, and returns its output without the last line break; rejects unless it exits with 0. */
  async output(command: string, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, ...args);
    if (code === 0) return stdout.trimEnd();
    throw new Error(`${[command, ...args].join(' ')}: ended with ${code}\n${stdout}${stderr}`);
  }

  /** Calls a method with gdbus, which reads the arguments in GVariant's text format, and returns what it prints. */
  gdbus(destination: string, path: string, method: string, ...args: readonly string[]): Promise<string> {
    const where = ['--session', '--dest', destination, '--object-path', path, '--method', method];
    return this.output('gdbus', 'call', ...where, ...args);
  }

  get #clientEnv() {
    // GLib needs no settings and no remote file systems, which it would look for on the bus.
    return { ...this.server.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', GSETTINGS_BACKEND: 'memory', GIO_USE_VFS: 'local' };
  }
}
