// time limit: 300 s
import { testBundler } from './bundler.js';

await testBundler({
  title: 'esbuild',
  packages: { esbuild: '0.28.2' },
  files: {
    'build.mjs': `import { build } from 'esbuild';
      const [input, format, output] = process.argv.slice(2);
      await build({ entryPoints: [input], bundle: true, platform: 'node', format, outfile: output });`,
  },
  ways: {
    'out/main.mjs': ['../build.mjs', 'main.js', 'esm', 'out/main.mjs'],
    'out/main.cjs': ['../build.mjs', 'main.cjs', 'cjs', 'out/main.cjs'],
  },
});
