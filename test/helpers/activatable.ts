/** A service that a bus can start: a folder with its `.service` file, whose command runs the text of a module. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moduleArguments } from './own-runtime.js';
import { projectRoot } from './paths.js';

const quotedForShell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Returns the folder. The command of an activation file is one line, and needs no quoting here.
 *
 * @param program the text, or a function that gets the folder and returns it
 */
export function serviceFolderOf(
  name: string,
  program: string | ((folder: string) => string),
): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-activation-'));
  const start = join(folder, 'start.sh');
  const text = typeof program === 'string' ? program : program(folder);
  const command = [process.execPath, ...moduleArguments(text)].map(quotedForShell).join(' ');
  writeFileSync(start, `#!/bin/sh\ncd ${quotedForShell(projectRoot)}\nexec ${command}\n`, { mode: 0o755 });
  writeFileSync(join(folder, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=/bin/sh ${start}\n`);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
