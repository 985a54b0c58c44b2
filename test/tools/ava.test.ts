// time limit: 300 s
import { testRunner } from './runner.js';

await testRunner({
  title: 'AVA',
  packages: { ava: '6.4.1' },
  files: {
    'sum.test.js': `import test from 'ava'; import { sum } from './sum.js'; test('sum', async (t) => t.is(await sum(), 5));`,
  },
  ways: {
    'tests in worker threads': ['node_modules/ava/entrypoints/cli.mjs', 'sum.test.js'],
    'tests in child processes': ['node_modules/ava/entrypoints/cli.mjs', '--no-worker-threads', 'sum.test.js'],
  },
});
