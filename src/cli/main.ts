/** The program `busbar`. */
import { readFileSync } from 'node:fs';
import { ExitCode } from './failure.js';
import { failed, runProgram } from './program.js';

/** A reader such as `head` has what it wants: this is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.Ok);
  process.exit(failed(Object.assign(error, { path: 'standard output' })));
});

process.exitCode = await runProgram(process.argv.slice(2), versionOfPackage());

/** The package is one folder above the bundle, and some above the sources. */
function versionOfPackage(): string {
  for (let folder = '..'; folder.length < 20; folder += '/..') {
    try {
      const file = new URL(`${folder}/package.json`, import.meta.url);
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
      if (version !== undefined) return version;
    } catch {
      // There is none in this folder.
    }
  }
  return 'unknown';
}
