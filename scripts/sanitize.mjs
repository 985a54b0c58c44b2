/**
 * `npm run sanitize`: the native code under everything that watches it. On two cores the addon takes twenty to forty
 * minutes, clang-tidy three, and valgrind four.
 *
 *   npm run sanitize -- --only addon --suite bus/calls     the suites with these words in their names
 *   npm run sanitize -- --only valgrind --only tidy
 *
 * What a complete part came to is written to docs/reliability/figures/sanitizers.json, whatever it was. `npm run test:all` runs
 * the native tests under AddressSanitizer and UndefinedBehaviorSanitizer anyway.
 */
import { parseArgs } from 'node:util';
import { sanitizeAddon } from './sanitize/addon.mjs';
import { writeFigures } from './sanitize/figures.mjs';
import { tidy } from './sanitize/tidy.mjs';
import { memcheck } from './sanitize/valgrind.mjs';
import { SetupError } from './setup/report.mjs';
import { program, requirePackages } from './setup/system-packages.mjs';
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';

const word = { type: 'string', multiple: true };
const { only, suite = [] } = parseArgs({ options: { only: word, suite: word } }).values;

const parts = {
  tidy: { tools: [program('clang-tidy', 'clang-tidy'), program('clang++', 'clang')], run: tidy },
  valgrind: { tools: [program('valgrind', 'valgrind'), program('g++', 'g++')], run: memcheck },
  addon: { tools: [program('g++', 'g++')], run: () => sanitizeAddon(suite) },
};

await orExplain(setupTestPeers, setupDependencies, setupTestedLibrary, sanitize);

async function sanitize() {
  const unknown = only?.find((name) => parts[name] === undefined);
  if (unknown !== undefined)
    throw new SetupError(`There is no part ${unknown}; there are ${Object.keys(parts).join(', ')}.`);
  const chosen = Object.entries(parts).filter(([name]) => only === undefined || only.includes(name));
  requirePackages([program('cmake', 'cmake'), ...chosen.flatMap(([, { tools }]) => tools)]);
  for (const [name, { run }] of chosen) {
    const figures = await run();
    console.log(name, figures);
    if (name !== 'addon' || suite.length === 0) writeFigures(name, figures);
    if (figures.findings > 0 || figures.failed > 0 || figures.passed === 0) process.exitCode = 1;
  }
}
