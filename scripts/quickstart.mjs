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
// The half decides how it ends. A terminal has interrupted it already: hearing of it twice does no harm.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => program.kill(signal));
program.on('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1;
});
