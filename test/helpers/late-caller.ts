/**
 * A process that makes many calls and does not read for a while: it blocks, so that nothing in it reads either. When it has
 * read all answers, it reports how the calls ended.
 */
import { libraryEntry, moduleArguments } from './own-runtime.js';
import { Program } from './program.js';

export interface LateCaller {
  readonly address: string;
  /** Left out between peers. */
  readonly destination?: string | undefined;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly calls: number;
  /** Milliseconds without reading. */
  readonly idle: number;
}

/** How the calls ended: how many with values of this many bytes in all, and how many with each error. */
export interface Told {
  readonly answered: number;
  readonly bytes: number;
  readonly errors: Readonly<Record<string, number>>;
}

export async function callLate({ address, destination, calls, idle, ...method }: LateCaller): Promise<Told> {
  const call = { ...method, destination, timeout: 60_000 };
  const program = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    const bus = await connect({ address: ${JSON.stringify(address)}, peer: ${destination === undefined} });
    const told = { answered: 0, bytes: 0, errors: {} };
    const pending = Array.from({ length: ${calls} }, () => bus.call(${JSON.stringify(call)}).then(
      ([value]) => { told.answered++; told.bytes += value?.length ?? 0; },
      (error) => { told.errors[error.name] = (told.errors[error.name] ?? 0) + 1; },
    ));
    await bus.flush();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${idle});
    await Promise.all(pending);
    console.log(JSON.stringify(told));
    await bus.close();
  `;
  await using caller = Program.start(process.execPath, moduleArguments(program), { timeLimit: 100_000 });
  const { stdout, stderr } = await caller.finished;
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return JSON.parse(stdout);
}
