// time limit: 300 s
import { testBundler } from './bundler.js';

await testBundler({
  title: 'Parcel',
  packages: { parcel: '2.16.4' },
  manifest: {
    source: 'main.js',
    main: 'out/main.cjs',
    targets: {
      main: {
        context: 'node',
        includeNodeModules: true,
        outputFormat: 'commonjs',
        engines: { node: '>=20' },
      },
    },
  },
  ways: { 'out/main.cjs': ['parcel/lib/bin.js', 'build', '--no-source-maps', '--no-cache'] },
});
