// time limit: 300 s
import { testBundler } from './bundler.js';

await testBundler({
  title: 'vite',
  packages: { vite: '8.4.0' },
  files: { 'vite.config.mjs': 'export default { ssr: { noExternal: true } };' },
  ways: { 'out/main.js': ['vite/bin/vite.js', 'build', '--ssr', 'main.js', '--outDir', 'out'] },
});
