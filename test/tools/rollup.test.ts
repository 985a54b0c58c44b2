// time limit: 300 s
import { testBundler } from './bundler.js';

const args = [
  'rollup/dist/bin/rollup',
  'main.js',
  '--plugin',
  'node-resolve={preferBuiltins:true}',
  '--plugin',
  'commonjs',
];

await testBundler({
  title: 'rollup',
  packages: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3', '@rollup/plugin-commonjs': '29.0.3' },
  ways: {
    'out/main.mjs': [...args, '--format', 'es', '--file', 'out/main.mjs'],
    'out/main.cjs': [...args, '--format', 'cjs', '--file', 'out/main.cjs'],
  },
});
