/** Where the programs of a workload run: on chosen processors, and beside processes that keep the processors busy. */
import { spawnSync } from 'node:child_process';
import { FOREVER, Program } from '../test/helpers/program.js';
import type { Workload } from './workloads.js';

const [SERVICE, CLIENT] = ['0', '1'];

/** The command of a measured client, on the processor of the workload. */
export function placed(command: readonly string[], { processors }: Workload): readonly string[] {
  if (processors === undefined) return command;
  return ['taskset', '-c', processors === 'two' ? CLIENT : SERVICE, ...command];
}

/** Moves a running process of the other side, with all its threads. */
export function place(pid: number, { processors }: Workload): void {
  if (processors === undefined) return;
  const { status, stderr } = spawnSync('taskset', ['-a', '-p', '-c', SERVICE, `${pid}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset: ${stderr}`);
}

/** Starts the processes that keep the processors busy. */
export function startBusy({ busy = 0 }: Workload): AsyncDisposable {
  const start = () => Program.start(process.execPath, ['-e', 'for (;;);'], { timeLimit: FOREVER });
  const programs = Array.from({ length: busy }, start);
  return {
    async [Symbol.asyncDispose]() {
      for (const program of programs) await program[Symbol.asyncDispose]();
    },
  };
}
