/**
 * Sets up the requirements of a program in TypeScript, and runs it: `node scripts/run.mjs PROGRAM ARGUMENTS…`. Plain
 * Node.js, because the dependencies that run TypeScript are among the requirements. Examples need the library alone; other
 * programs also the libraries that busbar is compared with. `--help` sets up nothing.
 */
import { spawn } from 'node:child_process';
import { root } from './setup/report.mjs';
import { runSetup, setupDependencies, setupLibrary, setupTestedLibrary, setupTestPeers } from './setup.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('Which program? node scripts/run.mjs PROGRAM ARGUMENTS…');
  process.exit(2);
}

const isExample = file.startsWith('examples/');
if (isExample) await runSetup(setupDependencies, setupLibrary);
else if (!args.includes('--help')) await runSetup(setupTestPeers, setupDependencies, setupTestedLibrary);

const program = spawn(process.execPath, ['--import', 'tsx', '--expose-gc', file, ...args], {
  cwd: root,
  stdio: 'inherit',
});
// The program decides how it ends. A terminal has interrupted it already: a second signal is harmless.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => program.kill(signal));
program.on('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1;
});
