/**
 * `npm run test:loading`: has programs that use busbar made, run and tested by the tools that Node.js programs are put through:
 * bundlers, test runners, tracers of files, executables, and other runtimes with and without permissions. The tools come from npm,
 * into folders below build/runtimes. It writes docs/support/figures/tools.json.
 */
import { runFolder } from './package/rows.mjs';
import { orExplain, setupDependencies, setupLibrary } from './setup.mjs';

await orExplain(setupDependencies, setupLibrary);
await runFolder('tools', ['tools/node']);
