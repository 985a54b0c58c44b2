/** The environment of programs that are to find no sd-bus library, though this machine has one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';

/** The loader takes the first file of a name, and these are no libraries. */
export function withoutSdbusLibrary(): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-no-sd-bus-'));
  onExit(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['libsystemd.so.0', 'libelogind.so.0', 'libbasu.so.0']) writeFileSync(join(folder, name), '');
  return { LD_LIBRARY_PATH: folder };
}
