/** The machine and software of a benchmark, as far as they affect the numbers. */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { programPath } from '../test/helpers/paths.js';
import type { Daemon } from '../test/helpers/private-bus.js';
import { outputOf } from '../test/helpers/program.js';

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${arch()}`,
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    // The rest of a release is specific to its builder.
    kernel: /^[\d.]+/.exec(release())?.[0] ?? release(),
    distribution: distribution(),
    node: process.version,
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** The version of a daemon, as it reports itself. */
export async function daemonVersion(daemon: Daemon): Promise<string> {
  const program = programPath(daemon);
  if (program === undefined) return '';
  return /[\d][\d.]*/.exec(await outputOf(program, ['--version']))?.[0] ?? '';
}
