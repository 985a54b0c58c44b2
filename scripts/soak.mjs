/**
 * `npm run soak -- --minutes 10`: mixed load against a private bus for a while. Plain Node.js, because the dependencies
 * that run TypeScript are among what it sets up, and because the program needs `--expose-gc`. `--help` lists the options.
 */
import { spawn } from 'node:child_process';
import { root } from './setup/report.mjs';
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';

if (!process.argv.includes('--help')) {
  await orExplain(setupTestPeers, setupDependencies, setupTestedLibrary);
}

const args = ['--import', 'tsx', '--expose-gc', 'test/soak/main.ts', ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
