/** Programs that must not find an sd-bus library, though this machine has one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';
import { missingPrograms, programPath } from './paths.js';

const NAMES = ['libsystemd.so.0', 'libelogind.so.0', 'libbasu.so.0'];

/** The environment in which they find none: the loader takes the first file of a name, and these are not libraries. */
export function withoutSdbusLibrary(): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-no-sd-bus-'));
  onExit(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of NAMES) writeFileSync(join(folder, name), '');
  return { LD_LIBRARY_PATH: folder };
}

/**
 * The prefix of a command that runs without the libraries, for the loader and for every other lookup: in a separate mount
 * namespace, where they are empty files.
 */
export function hidingSdbusLibraries(): readonly string[] {
  const hide = installedLibraries().map((path) => `mount --bind /dev/null '${path}'`);
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', [...hide, 'exec "$@"'].join('\n'), 'sh'];
}

/** Why they cannot be hidden here; `undefined` if they can. */
export function missingForHiding(): string | undefined {
  const missing = missingPrograms('unshare', 'mount', 'ldconfig');
  if (missing !== undefined) return missing;
  const [command, ...args] = hidingSdbusLibraries();
  const { status } = spawnSync(command as string, [...args, 'true']);
  return status === 0 ? undefined : 'only root may mount, and not in every container';
}

function installedLibraries(): readonly string[] {
  const { stdout } = spawnSync(programPath('ldconfig') as string, ['-p'], { encoding: 'utf8' });
  const paths = stdout.split('\n').flatMap((line) => {
    const [name, path] = line.trim().split(/ \(.*\) => /);
    return path !== undefined && NAMES.includes(name as string) ? [realpathSync(path)] : [];
  });
  return [...new Set(paths)];
}
