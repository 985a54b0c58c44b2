/**
 * `npm run bench`: sets up what is measured, then measures it. Plain Node.js, because the dependencies that run
 * TypeScript are among what it sets up. `--help` lists the options.
 */
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from '../scripts/setup.mjs';

if (!process.argv.includes('--help')) {
  await orExplain(setupDependencies, setupTestedLibrary, setupTestPeers);
}

const { tsImport } = await import('tsx/esm/api');
const { main } = await tsImport('./main.ts', import.meta.url);
process.exitCode = await main(process.argv.slice(2));
