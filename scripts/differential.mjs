/**
 * `npm run test:differential`: the same messages read by busbar and by other implementations, for longer than `npm run test:all`
 * has the time. Plain Node.js, because the dependencies that run TypeScript are among what it sets up. `--help` lists the
 * options.
 */
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';

if (!process.argv.includes('--help')) {
  await orExplain(setupTestPeers, setupDependencies, setupTestedLibrary);
}

const { tsImport } = await import('tsx/esm/api');
const { main } = await tsImport('./differential/main.ts', import.meta.url);
process.exitCode = await main(process.argv.slice(2));
