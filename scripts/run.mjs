/**
 * Sets up the requirements of a program in TypeScript, and runs it: `node scripts/run.mjs PROGRAM ARGUMENTS…`. Plain
 * Node.js, because the dependencies that run TypeScript are among the requirements. Examples need the library alone; other
 * programs also the libraries that busbar is compared with. `--help` sets up nothing. Examples leave their options to this
 * script, so that they stay short.
 */
import { spawn } from 'node:child_process';
import { readOptions, refuse } from './options.mjs';
import { root } from './setup/report.mjs';
import { runSetup, setupDependencies, setupLibrary, setupTestedLibrary, setupTestPeers } from './setup.mjs';

const [file, ...args] = process.argv.slice(2);
const USAGE = `Usage: node scripts/run.mjs PROGRAM ARGUMENTS…

  sets up the requirements of a program in TypeScript, and runs it.

  --help      prints this text, or that of the program`;
const EXAMPLE_USAGE = `Usage: npm run quickstart:service -- [--system]
       npm run quickstart:client -- [--system | --peer ADDRESS]

  runs one half of examples/quickstart, on the session bus. npm start runs both.

  --system        runs it on the system bus
  --peer ADDRESS  connects to a service without a bus
  --help          prints this text`;

if (file === undefined || file.startsWith('-')) readOptions(USAGE, {}, false, file === undefined ? [] : [file]);
if (file === undefined) refuse('Which program? node scripts/run.mjs PROGRAM ARGUMENTS…');

const isExample = file.startsWith('examples/');
if (isExample) {
  readOptions(EXAMPLE_USAGE, { system: { type: 'boolean' }, peer: { type: 'string' } }, false, args);
  await runSetup(setupDependencies, setupLibrary);
} else if (!args.includes('--help')) await runSetup(setupTestPeers, setupDependencies, setupTestedLibrary);

const program = spawn(process.execPath, ['--import', 'tsx', '--expose-gc', file, ...args], {
  cwd: root,
  stdio: 'inherit',
});
// The program decides how it ends. A terminal has interrupted it already: a second signal is harmless.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => program.kill(signal));
program.on('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1;
});
