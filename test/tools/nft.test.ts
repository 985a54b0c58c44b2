// time limit: 300 s
// Tools that trace the files of a program (Next.js standalone, serverless platforms) include the binaries without
// configuration.
import { testBundler } from './bundler.js';

await testBundler({
  title: '@vercel/nft',
  packages: { '@vercel/nft': '1.11.5' },
  files: {
    'trace.mjs': `import { cpSync } from 'node:fs'; import { nodeFileTrace } from '@vercel/nft';
      const { fileList } = await nodeFileTrace([process.argv[2]]);
      for (const file of fileList) cpSync(file, 'out/' + file, { dereference: true });`,
  },
  copies: true,
  ways: {
    'out/main.js': ['../trace.mjs', 'main.js'],
    'out/main.cjs': ['../trace.mjs', 'main.cjs'],
  },
});
