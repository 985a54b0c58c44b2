// time limit: 300 s
// A Node.js that cannot `require` ES modules, as in older versions of Electron: it gets the CommonJS module.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { WORKS, writePrograms } from './program.js';
import { announce, oldNode as installOldNode } from './tool.js';

const test = suite('old Node.js');
const oldNode = installOldNode();
announce('a Node.js that cannot require ES modules', oldNode.version);
const registry = await Registry.start();
const project = new Project(registry);

test.after(async () => {
  project.remove();
  await registry.stop();
});

testUnless(oldNode.missing, test, 'it requires busbar, and imports it', async () => {
  await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
  writePrograms(project);
  assert.is(await project.outputOf(oldNode.path, ['main.cjs']), WORKS);
  project.write('package.json', JSON.stringify({ type: 'module' }));
  assert.is(await project.outputOf(oldNode.path, ['main.js']), WORKS);
});

test.run();
