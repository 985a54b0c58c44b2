// If no binary fits, the command in the error builds one in the installed package, and it is used. time limit: 300 s
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingPrograms } from '../helpers/paths.js';
import { outputOf } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

const test = suite('build');
const missing = missingPrograms('g++', 'cmake');
if (missing === undefined)
  console.log(
    `# what: building the addon in the installed package, with GCC\n# version: ${/[\d.]+/.exec(await outputOf('g++', ['-dumpfullversion']))}`,
  );

testUnless(missing, test, 'the addon is built from the installed package', async () => {
  const registry = await Registry.start();
  const project = new Project(registry);
  try {
    await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
    rmSync(join(project.folder, 'node_modules/busbar/prebuilds'), { recursive: true });
    const env = { PREBUILDS_ONLY: undefined };
    project.write(
      'main.mjs',
      `import { listen } from 'busbar';
      // As in a package without a binary.
      if (process.argv[2]) Object.defineProperty(process, 'arch', { value: process.argv[2] });
      const server = await listen({ address: 'unix:tmpdir=/tmp' }).catch((error) => error);
      console.log(server.message ?? 'listening');
      await server.close?.();`,
    );
    const before = await project.outputOf(process.execPath, ['main.mjs', 'ppc64'], { env });
    const [, folder, command] = /run in (.+):\n {4}(.+)\n/.exec(before) ?? [];
    assert.ok(folder !== undefined && command !== undefined, before);
    // Outside of the project's folder, the npm registry has the tools.
    await project.outputOf('sh', ['-c', command], { cwd: folder, timeLimit: 240_000 });
    assert.is(await project.outputOf(process.execPath, ['main.mjs'], { env }), 'listening\n');
  } finally {
    project.remove();
    await registry.stop();
  }
});

test.run();
