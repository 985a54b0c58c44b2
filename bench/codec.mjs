/**
 * `npm run bench:codec`: what it costs to turn values into bytes and back, without any bus, beside the codecs of the other
 * libraries as far as their packages let one reach them. `--rounds N` sets how often.
 */
import { orExplain, setupDependencies, setupTestedLibrary } from '../scripts/setup.mjs';

await orExplain(setupDependencies, setupTestedLibrary);

const { tsImport } = await import('tsx/esm/api');
const { main } = await tsImport('./codec/main.ts', import.meta.url);
process.exitCode = await main(process.argv.slice(2));
