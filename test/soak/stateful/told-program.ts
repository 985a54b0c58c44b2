/** A program of the stateful soak, which gets commands on its standard input. */
import { programArguments } from '../../helpers/own-runtime.js';
import { FOREVER, Program } from '../../helpers/program.js';

/** Each service and mirror has its own transport and poller. */
const SURROUNDINGS = [
  { BUSBAR_TRANSPORT: 'socket', BUSBAR_POLLER: 'uv' },
  { BUSBAR_TRANSPORT: 'sd-bus', BUSBAR_POLLER: 'uv' },
  { BUSBAR_TRANSPORT: 'socket', BUSBAR_POLLER: 'thread' },
  { BUSBAR_TRANSPORT: 'sd-bus', BUSBAR_POLLER: 'thread' },
];

/** Answers each command on a line. */
export class ToldProgram<Order extends { readonly do: string }> {
  readonly program: Program;
  #id = 0;

  constructor(file: string, args: readonly string[], number: number, onWrong: (what: string) => void) {
    this.program = Program.start(process.execPath, programArguments(file, ...args), {
      env: SURROUNDINGS[number % SURROUNDINGS.length] as Record<string, string>,
      timeLimit: FOREVER,
      onLine: (line, stream) => {
        if (stream === 'stderr' || line.includes('"event":"wrong"')) onWrong(line);
      },
    });
  }

  async tell(order: Order): Promise<unknown> {
    const id = ++this.#id;
    this.program.write(`${JSON.stringify({ id, ...order })}\n`);
    return (await this.program.event(`done ${id}`)).value;
  }
}
