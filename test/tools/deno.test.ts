// time limit: 300 s
// Deno asks for each permission: the error names the missing one, and the program works with it.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { WORKS, writePrograms } from './program.js';
import { announce, runtime } from './tool.js';

const test = suite('Deno');
const deno = runtime('deno');
announce('Deno: run, test and compile, with and without permissions', deno.version);
const registry = await Registry.start();
const project = new Project(registry, { type: 'module' });
const target = new Project(registry, { type: 'module' });
await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
writePrograms(project);

test.after(async () => {
  project.remove();
  target.remove();
  await registry.stop();
});

const run = (...permissions: readonly string[]) =>
  project.outputOf(deno.path, ['run', '--no-prompt', ...permissions, 'main.js']);

testUnless(deno.missing, test, 'it runs an ES module and CommonJS', async () => {
  for (const file of ['main.js', 'main.cjs']) {
    assert.is(await project.outputOf(deno.path, ['run', '--allow-all', file]), WORKS);
  }
});

/** The permissions that the program of the test needs, besides the addon. */
const SOCKETS = ['--allow-read', '--allow-write=/tmp'];

testUnless(deno.missing, test, 'without --allow-ffi the error asks for it, and for no more', async () => {
  const output = await run(...SOCKETS);
  assert.match(output, /^the native addon of busbar could not be loaded/);
  assert.match(output, 'start Deno with --allow-ffi');
  assert.is(await run(...SOCKETS, '--allow-ffi'), WORKS);
});

testUnless(deno.missing, test, 'without --allow-read the error asks for it', async () => {
  assert.match(await run('--allow-ffi'), /start Deno with --allow-read/);
});

// If the packages are from npm, Deno checks the types of programs that import `node:` modules with this package, as
// TypeScript does.
testUnless(deno.missing, test, 'deno test, with @types/node', async () => {
  for (const name of ['@types/node', 'undici-types']) {
    cpSync(join(projectRoot, 'node_modules', name), join(project.folder, 'node_modules', name), { recursive: true });
  }
  project.write(
    'sum.test.js',
    `import { sum } from './sum.js';
    Deno.test('sum', async () => { if (await sum() !== 5) throw new Error('not 5'); });`,
  );
  await project.outputOf(deno.path, ['test', '--allow-all', 'sum.test.js']);
});

/** Deno downloads the runtime part of an executable, unless it has been downloaded before. */
const lacksBase = await project
  .outputOf(deno.path, ['compile', '--output', join(project.folder, 'empty'), 'sum.js'])
  .then(
    () => undefined,
    () => 'deno compile cannot fetch denort here',
  );

testUnless(deno.missing ?? lacksBase, test, 'an executable has the binaries in it, or beside it', async () => {
  const executable = join(target.folder, 'compiled/program');
  await project.outputOf(deno.path, ['compile', '--allow-all', '--output', executable, 'main.js']);
  const output = await target.outputOf(executable, []);
  if (output === WORKS) return;
  assert.match(output, `put busbar's folder "prebuilds" beside it`);
  const prebuilds = join(project.folder, 'node_modules/busbar/prebuilds');
  cpSync(prebuilds, join(target.folder, 'compiled/prebuilds'), { recursive: true });
  assert.is(await target.outputOf(executable, []), WORKS);
});

test.run();
