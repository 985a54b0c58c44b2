/** The Python interpreter that can run a peer written in Python: often not the first one on the search path. */
import { spawnSync } from 'node:child_process';
import { programPath } from './paths.js';

/** An interpreter that has all the modules; `undefined` if there is none. */
export function pythonWith(...modules: readonly string[]): string | undefined {
  // Distribution packages of modules belong to the distribution's interpreter.
  const interpreters = new Set(['/usr/bin/python3', programPath('python3')]);
  for (const python of interpreters) {
    if (python === undefined) continue;
    const { status } = spawnSync(python, ['-c', modules.map((name) => `import ${name}`).join('\n')]);
    if (status === 0) return python;
  }
  return undefined;
}
