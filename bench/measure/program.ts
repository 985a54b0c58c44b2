/** The bench's side of the protocol that bench/peers/harness/harness.h describes. */
import { Program } from '../../test/helpers/program.js';
import type { Language } from '../peers.js';
import type { Workload } from '../workloads/index.js';

/** What a program reports of one round: times in microseconds for all operations, and whatever else it measured. */
export interface Report {
  readonly operations: number;
  readonly cpu: number;
  readonly wall: number;
  readonly [more: string]: number;
}

/** Milliseconds that a program has for all it is asked to do. */
const PATIENCE = 120_000;

/** Starts a program of a peer with its parameters. */
export function startProgram(
  [command, ...args]: readonly string[],
  address: string,
  workload: string,
  parameters: Readonly<Record<string, string>>,
): Program {
  const named = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return Program.start(command, [...args, address, workload, ...named], { timeLimit: PATIENCE });
}

/** The next report that a program makes. */
export async function reported(program: Program): Promise<Report> {
  try {
    return JSON.parse(await program.line(/^\{/)) as Report;
  } catch (error) {
    throw reasonOf(program) ?? error;
  }
}

/** Waits until a program is ready. */
export async function ready(program: Program): Promise<void> {
  try {
    await program.line('ready');
  } catch (error) {
    throw reasonOf(program) ?? error;
  }
}

/** Has a program do some operations. */
export function go(program: Program, operations: number): Promise<Report> {
  program.write(`go ${operations}\n`);
  return reported(program);
}

/** Has a program do what a workload says, after warming up. */
export async function warmAndGo(program: Program, workload: Workload, language: Language): Promise<Report> {
  await ready(program);
  await go(program, warmUpOf(workload, language));
  return go(program, workload.operations);
}

/** Compilers of JavaScript take some 90 000 messages to settle; C and Python only have caches to fill. */
function warmUpOf({ operations, warmUp = 3 * operations }: Workload, language: Language): number {
  return language === 'JavaScript' ? warmUp : Math.ceil(warmUp / 20);
}

/** Why a program ended, in one line: what it last said of an error. Stacks and versions come after that. */
function reasonOf({ stderr }: Program): Error | undefined {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /^[\w.]*(Error|Exception|Warning)\b/.test(line));
  const line = telling.at(-1) ?? lines.find((text) => text !== '');
  return line === undefined ? undefined : new Error(line.slice(0, 200));
}
