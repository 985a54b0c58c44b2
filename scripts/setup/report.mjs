/**
 * The output of the setup: one line for each step that it takes, nothing for steps that are done already, and a
 * `SetupError` for problems that only the user can solve. Written for every Node.js that supports modules, because it also
 * tells the users of an old one to update.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A problem that the setup cannot solve; the message says what to do. */
export class SetupError extends Error {}

export function printStep(line) {
  console.log(`[setup]   ${line}`);
}

/** Runs a program quietly; throws a `SetupError` with all its output unless it succeeds. */
export function runQuietly(command, args, env = process.env, cwd = root) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  const output = error === undefined ? `${stdout}${stderr}` : error.message;
  throw new SetupError(`This failed: ${[command, ...args].join(' ')}\n\n${output.trimEnd()}`);
}
