/**
 * Writes the TypeScript of all families: `npm run generate -w @busbar/interfaces`. The same data always gives the same
 * files, and with `--check` they are only compared.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { outputs } from './outputs.js';

const root = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
const changed = outputs(root).filter(({ path, text }) => textOf(path) !== text);
for (const { path, text } of changed) {
  console.log(`${relative(root, path)} ${isCheck ? 'is not current' : 'written'}`);
  if (!isCheck) writeFileSync(path, text);
}
process.exitCode = isCheck && changed.length > 0 ? 1 : 0;

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
