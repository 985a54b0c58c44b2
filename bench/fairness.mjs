/**
 * `npm run bench:fairness`: what senders that send as fast as they can leave of the event loop of the one who receives, with
 * each poller. `-- --runtime PATH` measures under another Node.js, or Bun; `--runtime 'PATH run --allow-all'` under Deno.
 */
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from '../scripts/setup.mjs';

await orExplain(setupDependencies, setupTestedLibrary, setupTestPeers);

const { tsImport } = await import('tsx/esm/api');
const { main } = await tsImport('./fairness/main.ts', import.meta.url);
process.exitCode = await main(process.argv.slice(2));
