// time limit: 300 s
import { testBundler } from './bundler.js';

const configuration = `export default {
  mode: 'production', target: 'node', entry: './main.js',
  output: { path: import.meta.dirname + '/out', filename: 'main.cjs' },
};`;
const modules = `export default {
  mode: 'production', target: 'node', entry: './main.js', experiments: { outputModule: true },
  output: { path: import.meta.dirname + '/out', filename: 'main.mjs', module: true, library: { type: 'module' } },
};`;

await testBundler({
  title: 'webpack',
  packages: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
  files: { 'webpack.config.mjs': configuration, 'webpack.modules.mjs': modules },
  ways: {
    'out/main.cjs': ['webpack-cli/bin/cli.js', '--config', 'webpack.config.mjs'],
    'out/main.mjs': ['webpack-cli/bin/cli.js', '--config', 'webpack.modules.mjs'],
  },
});
