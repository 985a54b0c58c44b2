/** Debian packages, downloaded and unpacked into a temporary folder: what they ship is read there, and nothing is installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from '../../../test/helpers/exit-cleanup.js';

const folder = mkdtempSync(join(tmpdir(), 'busbar-record-'));
onExit(() => rmSync(folder, { recursive: true, force: true }));

/** The output of a program that must succeed. */
export function output(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C', ...env }, maxBuffer: 2 ** 28 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, cwd: folder });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** The folder of a package's files. */
export function unpacked(name: string): string {
  const place = join(folder, name);
  try {
    mkdirSync(place);
  } catch {
    return place;
  }
  output('apt-get', ['download', name]);
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb')) as string;
  output('dpkg', ['-x', file, place]);
  return place;
}

/** The version of a package that `unpacked` or the machine has. */
export function versionOf(name: string): string {
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_`));
  if (file !== undefined) return output('dpkg-deb', ['-f', file, 'Version']).trim();
  return output('dpkg-query', ['-W', '-f', `\${Version}`, name]).trim();
}

/** The texts of files of a package, by a pattern below its root. */
export function filesOf(name: string, pattern: string): readonly string[] {
  const place = unpacked(name);
  const wanted = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  const found = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((path) => wanted.test(path));
  if (found.length === 0) throw new Error(`${name} has no ${pattern}`);
  return found.sort().map((path) => readFileSync(join(place, path), 'utf8'));
}
