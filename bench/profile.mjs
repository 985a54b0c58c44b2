/**
 * `npm run bench:profile`: where the time of a message goes, by `perf`. Prints a table: what a message costs, how often the
 * process was woken for it, and who had the time.
 */
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from '../scripts/setup.mjs';

await orExplain(setupDependencies, setupTestedLibrary, setupTestPeers);

const { tsImport } = await import('tsx/esm/api');
const { main } = await tsImport('./profile/main.ts', import.meta.url);
process.exitCode = await main();
