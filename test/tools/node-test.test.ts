// time limit: 300 s
import { testRunner } from './runner.js';

await testRunner({
  title: 'node --test, and TypeScript by tsx',
  packages: { tsx: '4.23.15' },
  files: {
    'sum.test.js': `import assert from 'node:assert'; import { test } from 'node:test'; import { sum } from './sum.js';
      test('sum', async () => assert.equal(await sum(), 5));`,
    'typed.test.ts': `import assert from 'node:assert'; import { test } from 'node:test'; import { sum } from './sum.js';
      test('sum', async (): Promise<void> => assert.equal(await sum(), 5));`,
  },
  ways: {
    'tests in JavaScript': ['--test', 'sum.test.js'],
    'tests in TypeScript': ['--import', 'tsx', '--test', 'typed.test.ts'],
  },
});
