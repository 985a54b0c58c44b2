// time limit: 300 s
import { testRunner } from './runner.js';

await testRunner({
  title: 'Mocha',
  packages: { mocha: '12.0.3' },
  files: {
    'sum.test.js': `import assert from 'node:assert'; import { sum } from './sum.js';
      describe('sum', () => it('adds', async () => assert.equal(await sum(), 5)));`,
    'sum.test.cjs': `const assert = require('node:assert'); const { sum } = require('./sum.cjs');
      describe('sum', () => it('adds', async () => assert.equal(await sum(), 5)));`,
  },
  ways: {
    'tests as ES modules': ['node_modules/mocha/bin/mocha.js', 'sum.test.js'],
    'tests as CommonJS': ['node_modules/mocha/bin/mocha.js', 'sum.test.cjs'],
  },
});
