/**
 * A Node.js of another architecture as a program of this machine, so that tests can start it like any other. The kernel
 * does not know how to run the emulated one, and is not taught (binfmt_misc would be for all of the machine).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackForeign } from '../setup/foreign-packages.mjs';
import { runQuietly } from '../setup/report.mjs';
import { installRuntime, runtimesFolder } from '../setup/runtime-packages.mjs';

/** Installs what it needs, and returns the path of the program. Throws a `SetupError` where it cannot. */
export function emulatedNode({ qemu, systemRoot, node }) {
  const libraries = unpackForeign(systemRoot);
  const executable = installRuntime(node);
  const folder = join(runtimesFolder, `emulated-${node.name}`);
  mkdirSync(folder, { recursive: true });
  const [program, start] = ['node', 'start.mjs'].map((name) => join(folder, name));
  // What tests start with process.execPath is started like this, too. Workers as well, though they start nothing.
  writeFileSync(start, `process.execPath = ${JSON.stringify(program)};\n`);
  const command = [qemu, '-L', libraries, executable, '--import', start].map((word) => `'${word}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`, { mode: 0o755 });
  return program;
}

export function emulatorVersion(qemu) {
  return /version (\d+\.\d+\.\d+)/.exec(runQuietly(qemu, ['--version']))?.[1];
}
