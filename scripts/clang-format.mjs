/** The format of the C++ files, for `npm run format`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from './options.mjs';
import { root } from './setup/report.mjs';

const USAGE = `Usage: node scripts/clang-format.mjs [options]

  checks the format of the C++ files.

  --write     corrects it
  --help      prints this text`;

const {
  values: { write },
} = readOptions(USAGE, { write: { type: 'boolean', default: false } });

const files = readdirSync(join(root, 'native'), { recursive: true })
  .filter((file) => /\.(cc|h)$/.test(file))
  .map((file) => join('native', file));

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
