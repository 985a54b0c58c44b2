/** Peers in C, compiled by the bench as a distribution would compile them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { requirePackages } from '../../scripts/setup/system-packages.mjs';
import { compileProgram } from '../../test/helpers/compiled-program.js';
import { programPath, projectRoot } from '../../test/helpers/paths.js';
import { Unavailable } from './unavailable.js';

const buildFolder = join(projectRoot, 'build', 'bench');

/** A library that a peer is written for: its name in pkg-config, and Debian's package with the headers. */
export interface CLibrary {
  readonly pkgConfig: string;
  readonly debian: string;
}

/** Compiles `client.c` and `service.c` of a folder below bench/peers/; returns where they are. */
export function compilePeer(folder: string, library: CLibrary): { readonly client: string; readonly service: string } {
  const flags = flagsOf(library);
  return { client: compile(folder, 'client', flags), service: compile(folder, 'service', flags) };
}

/** The version of a library that pkg-config knows. */
export function libraryVersion({ pkgConfig }: CLibrary): string {
  return spawnSync('pkg-config', ['--modversion', pkgConfig], { encoding: 'utf8' }).stdout.trim();
}

function compile(folder: string, role: string, flags: readonly string[]): string {
  const peers = join(projectRoot, 'bench', 'peers');
  const program = join(buildFolder, `${folder}-${role}`);
  const options = ['-std=gnu17', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Wno-unused-function'];
  try {
    compileProgram(program, {
      compiler: 'gcc',
      args: [...options, join(peers, folder, `${role}.c`), ...flags],
      folders: [join(peers, folder), join(peers, 'harness')],
    });
  } catch (error) {
    throw new Unavailable((error as Error).message, { cause: error });
  }
  return program;
}

function flagsOf(library: CLibrary): readonly string[] {
  requireTools(library);
  const { stdout } = spawnSync('pkg-config', ['--cflags', '--libs', library.pkgConfig], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/);
}

function requireTools({ pkgConfig, debian }: CLibrary): void {
  const program = (name: string, packageName: string) => ({
    name,
    present: () => programPath(name) !== undefined,
    packages: { 'apt-get': packageName },
  });
  const headers = {
    name: `headers of ${pkgConfig}`,
    present: () => spawnSync('pkg-config', ['--exists', pkgConfig]).status === 0,
    packages: { 'apt-get': debian },
  };
  try {
    requirePackages([program('gcc', 'gcc'), program('pkg-config', 'pkg-config'), headers]);
  } catch (error) {
    throw new Unavailable((error as Error).message.split('\n', 1)[0], { cause: error });
  }
}
