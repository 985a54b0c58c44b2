/**
 * `npm run quickstart:service` and `npm run quickstart:client`: one half of the quickstart on the bus of the
 * environment. Arguments after `--` go to the half, for instance `npm run quickstart:service -- --system`.
 */
import { spawn } from 'node:child_process';
import { root } from './setup/report.mjs';
import { orExplain, setupDependencies, setupLibrary } from './setup.mjs';

const [half, ...args] = process.argv.slice(2);
if (half !== 'service' && half !== 'client') {
  console.error('Which half? node scripts/quickstart.mjs service|client [--system]');
  process.exit(2);
}

await orExplain(setupDependencies, setupLibrary);

const program = spawn(process.execPath, ['--import', 'tsx', `examples/quickstart/${half}.ts`, ...args], {
  cwd: root,
  stdio: 'inherit',
});
// A terminal interrupts both processes; a signal sent to this one alone is for the half, which then ends by itself.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => signal === 'SIGINT' || program.kill(signal));
}
program.on('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1;
});
