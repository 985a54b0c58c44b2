/** The problems that busbar reports while a test runs. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Problem } from '../../src/index.js';

/** Collects them until it is disposed of: `using problems = collectProblems()`. */
export function collectProblems(): Disposable & { readonly all: readonly Problem[] } {
  const all: Problem[] = [];
  const collect = (problem: unknown) => void all.push(problem as Problem);
  subscribe('busbar:problem', collect);
  return { all, [Symbol.dispose]: () => void unsubscribe('busbar:problem', collect) };
}

/** The problems that are reported while a function runs. */
export async function problemsOf(run: () => unknown): Promise<readonly Problem[]> {
  using problems = collectProblems();
  await run();
  return problems.all;
}
