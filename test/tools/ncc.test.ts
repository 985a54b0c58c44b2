// time limit: 300 s
import { testBundler } from './bundler.js';

await testBundler({
  title: 'ncc',
  packages: { '@vercel/ncc': '0.45.0' },
  ways: { 'out/index.js': ['@vercel/ncc/dist/ncc/cli.js', 'build', 'main.js', '--out', 'out'] },
});
