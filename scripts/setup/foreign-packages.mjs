/**
 * Libraries of other architectures, from Debian's packages: unpacked below build/runtimes/, each set in a separate folder,
 * with separate package lists. The state of apt and dpkg on this machine is not changed, and nothing is installed, so
 * neither root nor `dpkg --add-architecture` is needed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printStep, runQuietly, SetupError } from './report.mjs';
import { runtimesFolder } from './runtime-packages.mjs';
import { hasProgram } from './system-packages.mjs';

/**
 * Unpacks packages unless they are there, and returns the folder, which looks like the root of a machine of that
 * architecture. Throws a `SetupError` if it cannot.
 *
 * @param set `name` of the folder, `architecture` as Debian names it, and `packages` with all their dependencies
 */
export function unpackForeign({ name, architecture, packages }) {
  const folder = join(runtimesFolder, name);
  const contents = join(folder, 'packages');
  const wanted = `${architecture}: ${packages.join(' ')}\n`;
  const systemRoot = join(folder, 'root');
  if (existsSync(contents) && readFileSync(contents, 'utf8') === wanted) return systemRoot;
  if (!hasProgram('apt-get'))
    throw new SetupError(`The libraries of ${name} come from Debian, and this machine has no apt-get.`);
  printStep(`unpacking ${packages.join(', ')} for ${architecture} in build/runtimes/${name}`);
  rmSync(folder, { recursive: true, force: true });
  download(folder, architecture, packages);
  const archives = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  for (const archive of archives) runQuietly('dpkg-deb', ['--extract', join(folder, archive), systemRoot]);
  // Last: a partial result is unpacked again.
  writeFileSync(contents, wanted);
  return systemRoot;
}

function download(folder, architecture, packages) {
  const [lists, cache] = ['lists', 'cache'].map((part) => join(folder, part));
  for (const path of [join(lists, 'partial'), join(cache, 'archives', 'partial')]) mkdirSync(path, { recursive: true });
  const settings = [
    ...[`APT::Architecture=${architecture}`, `APT::Architectures::=${architecture}`],
    ...[`Dir::State::lists=${lists}`, `Dir::Cache=${cache}`, 'Dir::State::status=/dev/null'],
    'Acquire::Retries=3',
    // The user that apt downloads as cannot write to this user's folders.
    `APT::Sandbox::User=${process.getuid() === 0 ? 'root' : ''}`,
  ].flatMap((setting) => ['-o', setting]);
  // A mirror may lack one of several lists for a moment, and the others may be enough.
  const update = spawnSync('apt-get', [...settings, 'update'], { encoding: 'utf8' });
  try {
    runQuietly('apt-get', [...settings, 'download', ...packages], process.env, folder);
  } catch (error) {
    throw update.status === 0 ? error : new SetupError(`${error.message}\n\n${update.stderr}`);
  }
  for (const path of [lists, cache]) rmSync(path, { recursive: true, force: true });
}
