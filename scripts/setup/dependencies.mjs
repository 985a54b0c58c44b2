/** The npm dependencies: installed when what is in node_modules is not what the lock file asks for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runQuietly, say } from './report.mjs';

export function installDependencies() {
  const wrong = firstDifference();
  if (wrong === undefined) return;
  say(`npm ci (${wrong})`);
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund'];
  // Under `npm start` this is the npm that was called; it need not be the one on the search path.
  if (npm !== undefined && /npm-cli\.c?js$/.test(npm)) runQuietly(process.execPath, [npm, ...args]);
  else runQuietly('npm', args);
}

/**
 * The first package of the lock file that is not installed as locked. Contents are compared, not dates: switching
 * branches must not cost a download, and a machine without network keeps working.
 */
function firstDifference() {
  const installed = packagesOf('node_modules/.package-lock.json');
  if (installed === undefined) return 'nothing is installed';
  for (const [path, wanted] of Object.entries(packagesOf('package-lock.json') || {})) {
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
