// time limit: 300 s
import { testBundler } from './bundler.js';

const args = ['rolldown/bin/cli.mjs', 'main.js', '--platform', 'node'];

await testBundler({
  title: 'rolldown',
  packages: { rolldown: '1.3.3' },
  ways: {
    'out/main.mjs': [...args, '--format', 'esm', '--file', 'out/main.mjs'],
    'out/main.cjs': [...args, '--format', 'cjs', '--file', 'out/main.cjs'],
  },
});
