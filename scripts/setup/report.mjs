/**
 * How the setup talks: one line for each thing that it does, nothing for what is done already, and a `SetupError` for
 * what only a person can cure. Written for every Node that reads modules, since it also tells an old one to go.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Something that the setup cannot do by itself; the message says what to do. */
export class SetupError extends Error {}

export function say(line) {
  console.log(`[setup]   ${line}`);
}

/** Runs a program quietly; throws a `SetupError` with all its output unless it succeeds. */
export function runQuietly(command, args, env = process.env, cwd = root) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  const output = error === undefined ? `${stdout}${stderr}` : error.message;
  throw new SetupError(`This failed: ${[command, ...args].join(' ')}\n\n${output.trimEnd()}`);
}
