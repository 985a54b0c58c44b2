// time limit: 300 s
import { testRunner } from './runner.js';

await testRunner({
  title: 'Vitest',
  packages: { vitest: '5.1.2', vite: '8.4.0' },
  files: {
    'sum.test.js': `import { expect, test } from 'vitest'; import { sum } from './sum.js';
      test('sum', async () => expect(await sum()).toBe(5));`,
  },
  ways: {
    'tests in child processes': ['node_modules/vitest/vitest.mjs', 'run', '--pool=forks'],
    'tests in threads': ['node_modules/vitest/vitest.mjs', 'run', '--pool=threads'],
  },
});
