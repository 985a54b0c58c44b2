/** The npm dependencies: installed if node_modules differs from the lock file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printStep, root, runQuietly } from './report.mjs';

/** @param folder relative to the project, with its own package.json and lock file */
export function installDependencies(folder = '.') {
  const wrong = firstDifference(folder);
  if (wrong === undefined) return;
  printStep(`npm ci ${folder === '.' ? '' : `in ${folder} `}(${wrong})`);
  const npm = process.env.npm_execpath;
  // Under `npm start` this is the npm that was called; it need not be the one on the search path.
  const isPath = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const args = [...(isPath ? [npm] : []), 'ci', '--no-audit', '--no-fund'];
  runQuietly(isPath ? process.execPath : 'npm', args, process.env, join(root, folder));
}

/**
 * The first package of the lock file that is not installed as locked. Contents are compared, not dates: switching branches
 * must not require a download, and a machine without network continues to work.
 */
function firstDifference(folder) {
  const installed = packagesOf(join(folder, 'node_modules/.package-lock.json'));
  if (installed === undefined) return 'nothing is installed';
  for (const [path, wanted] of Object.entries(packagesOf(join(folder, 'package-lock.json')) || {})) {
    if (path === '') continue;
    const found = installed[path];
    // Optional packages are mostly binaries for other platforms.
    if (found === undefined ? !wanted.optional : found.version !== wanted.version)
      return `${path} is not ${wanted.version}`;
  }
  return undefined;
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
