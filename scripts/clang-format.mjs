/** Checks the format of the C++ files, or corrects it with `--write`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/report.mjs';

const files = readdirSync(join(root, 'native'), { recursive: true })
  .filter((file) => /\.(cc|h)$/.test(file))
  .map((file) => join('native', file));
const write = process.argv.includes('--write');

const { status, error } = spawnSync('clang-format', [...(write ? ['-i'] : ['--dry-run', '--Werror']), ...files], {
  cwd: root,
  stdio: 'inherit',
});
if (error?.code === 'ENOENT') {
  console.log('clang-format: skipped (clang-format is not installed)');
  process.exit(0);
}
if (!write) console.log(`clang-format: ${status === 0 ? 'all files are formatted' : 'run it with --write'}`);
process.exit(status ?? 1);
