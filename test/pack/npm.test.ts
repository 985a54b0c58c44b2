// npm installs the package without a script, and the promises of the README hold in an empty project. time limit: 120 s
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { assertConversation, readmePrograms } from '../helpers/readme.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

const test = suite('npm');
const registry = await Registry.start();
const bus = await PrivateBus.start();
const project = new Project(registry, { type: 'module' });

console.log(
  `# what: npm on Node.js ${process.versions.node}\n# version: ${(await outputOf('npm', ['--version'])).trim()}`,
);

test.after(async () => {
  project.remove();
  await bus.stop();
  await registry.stop();
});

test('npm installs busbar and one more package, with nothing to run', async () => {
  await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
  const installed = readdirSync(join(project.folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  assert.equal(installed, ['busbar', 'node-gyp-build']);
  assert.not.ok(existsSync(join(project.folder, 'node_modules/busbar/build')));
});

test('the README works in it', async () => {
  project.writeQuickstart();
  await assertConversation((half) => project.start(process.execPath, [`${half}.js`], { env: bus.env }));
});

test('the README compiles in it, with its declarations', async () => {
  for (const [name, code] of readmePrograms()) project.write(name, code);
  const compilerOptions = {
    ...{ target: 'es2022', module: 'nodenext', strict: true },
    ...{ declaration: true, emitDeclarationOnly: true, outDir: 'types', skipLibCheck: false },
    ...{ types: [], typeRoots: [join(projectRoot, 'node_modules/@types')] },
  };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [...readmePrograms().keys()] }));
  await project.outputOf(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.']);
  assert.ok(existsSync(join(project.folder, 'types/module.d.ts')));
});

test('npm installs the tarball by its path as well', async () => {
  const other = new Project(registry);
  try {
    await other.outputOf('npm', ['install', '--ignore-scripts', registry.tarball.path]);
    other.write('main.mjs', `import { variant } from 'busbar'; console.log(variant.u(5).signature);`);
    assert.is(await other.outputOf(process.execPath, ['main.mjs']), 'u\n');
  } finally {
    other.remove();
  }
});

test.run();
