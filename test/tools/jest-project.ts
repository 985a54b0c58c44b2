/** A project that Jest tests as CommonJS, which is its default, and as ES modules. */
import { testRunner } from './runner.js';

export function testJest(version: string): Promise<void> {
  return testRunner({
    title: 'Jest',
    packages: { jest: version },
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
}
