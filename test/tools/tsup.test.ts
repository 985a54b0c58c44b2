// time limit: 300 s
import { testBundler } from './bundler.js';

await testBundler({
  title: 'tsup',
  packages: { tsup: '9.0.0', typescript: '6.0.3' },
  files: {
    'tsup.config.js':
      "export default { entry: ['main.js'], format: ['esm', 'cjs'], noExternal: ['busbar'], outDir: 'out' };",
  },
  ways: {
    'out/main.js': ['tsup/dist/cli-default.js'],
    'out/main.cjs': ['tsup/dist/cli-default.js'],
  },
});
