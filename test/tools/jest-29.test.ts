// time limit: 300 s
import { testRunner } from './runner.js';

await testRunner({
  title: 'Jest',
  packages: { jest: '29.7.0' },
  files: {
    'sum.test.js': `import { sum } from './sum.js'; test('sum', async () => expect(await sum()).toBe(5));`,
    'sum.test.cjs': `const { sum } = require('./sum.cjs'); test('sum', async () => expect(await sum()).toBe(5));`,
    'esm.config.json': JSON.stringify({ testMatch: ['**/sum.test.js'], transform: {} }),
    'cjs.config.json': JSON.stringify({ testMatch: ['**/sum.test.cjs'] }),
  },
  ways: {
    'tests as CommonJS, which is its default': ['node_modules/jest/bin/jest.js', '--config', 'cjs.config.json'],
    'tests as ES modules': [
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      '--config',
      'esm.config.json',
    ],
  },
});
