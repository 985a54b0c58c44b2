/**
 * A process that listens to a signal and blocks until it is told to continue: nothing in it reads meanwhile. In the end it
 * reports how many signals it got, and whether their numbers have no gap.
 */
import { libraryEntry, moduleArguments } from './own-runtime.js';
import { Program } from './program.js';

export interface Heard {
  readonly signals: number;
  readonly inOrder: boolean;
  /** The reason in `disconnected`, as text; `undefined` if this side closed. */
  readonly reason?: string | undefined;
}

export class StoppedReader implements AsyncDisposable {
  readonly #program: Program;

  /**
   * Connects a peer, which blocks from then on.
   *
   * @param signal the interface and member of a signal whose first value is its number; `End` of the same interface is the
   * last
   */
  static async start(address: string, signal: readonly [string, string]): Promise<StoppedReader> {
    const [interfaceName, member] = signal;
    const program = `
      import { readSync } from 'node:fs';
      import { connect } from ${JSON.stringify(libraryEntry)};
      const bus = await connect({ address: ${JSON.stringify(address)}, peer: true });
      const heard = { signals: 0, inOrder: true };
      const rule = { interface: ${JSON.stringify(interfaceName)} };
      bus.subscribe({ ...rule, member: ${JSON.stringify(member)} }, ({ body: [number] }) => {
        heard.inOrder &&= number === heard.signals;
        heard.signals++;
      });
      bus.subscribe({ ...rule, member: 'End' }, () => void bus.close());
      console.log('stopped');
      readSync(0, Buffer.alloc(1));
      heard.reason = (await bus.disconnected)?.message;
      console.log(JSON.stringify(heard));
    `;
    const started = Program.start(process.execPath, moduleArguments(program), { timeLimit: 100_000 });
    await started.line('stopped');
    return new StoppedReader(started);
  }

  private constructor(program: Program) {
    this.#program = program;
  }

  /** Lets it read, until the connection is over. */
  async goOn(): Promise<Heard> {
    this.#program.write('\n');
    const { stdout, stderr } = await this.#program.finished;
    const last = stdout.trim().split('\n').at(-1) ?? '';
    if (!last.startsWith('{')) throw new Error(stderr);
    return JSON.parse(last);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
