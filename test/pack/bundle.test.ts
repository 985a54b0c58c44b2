// The ways in which esbuild makes a bundle that uses busbar, and what has to lie beside each where it runs.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, version } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrivateBus } from '../helpers/private-bus.js';
import { assertConversation } from '../helpers/readme.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

const test = suite('bundle');
const registry = await Registry.start();
const bus = await PrivateBus.start();
const project = new Project(registry, { type: 'module' });
await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
project.writeQuickstart();
// Where it runs nothing of the project's node_modules is found.
const target = new Project(registry, { type: 'module' });
const out = join(target.folder, 'out');

console.log(`# what: bundles by esbuild\n# version: ${version}`);

test.before.each(() => {
  for (const name of ['out', 'node_modules']) rmSync(join(target.folder, name), { recursive: true, force: true });
});

test.after(async () => {
  project.remove();
  target.remove();
  await bus.stop();
  await registry.stop();
});

async function bundle(entryPoints: readonly string[], options: BuildOptions): Promise<void> {
  const common: BuildOptions = { bundle: true, platform: 'node', outdir: out, logLevel: 'silent' };
  await build({ ...common, ...options, entryPoints: [...entryPoints], absWorkingDir: project.folder });
}

function copyFromPackage(folder: string, to: string): void {
  cpSync(join(project.folder, 'node_modules', folder), join(target.folder, to), { recursive: true });
}

const assertBundlesWork = () =>
  assertConversation((half) => target.start(process.execPath, [`out/${half}.mjs`], { env: bus.env }));

const modules: BuildOptions = { format: 'esm', outExtension: { '.js': '.mjs' } };

test('an external busbar is installed where the bundle runs', async () => {
  await bundle(['service.js', 'client.js'], { ...modules, external: ['busbar'] });
  await target.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
  await assertBundlesWork();
});

test('a bundle with busbar in it needs its prebuilds beside it, and no node_modules', async () => {
  await bundle(['service.js', 'client.js'], modules);
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  await assertBundlesWork();
});

test('a bundle with busbar in it finds the same binary with node-gyp-build, where that is installed', async () => {
  await bundle(['service.js', 'client.js'], { ...modules, minify: true });
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  copyFromPackage('node-gyp-build', 'node_modules/node-gyp-build');
  await assertBundlesWork();
});

// An await at the top is no CommonJS.
const commonJs = `
  const { connect, listen } = require('busbar');
  (async () => {
    const server = await listen({ address: 'unix:tmpdir=' + require('node:os').tmpdir(), onConnection: () => {} });
    const client = await connect({ address: server.address, peer: true });
    console.log('connected', client.address === server.address);
    await client.close();
    await server.close();
  })().catch((error) => console.log(error.name, error.message));`;

test('a bundle of CommonJS is imported, and connects with its prebuilds beside it', async () => {
  project.write('main.cjs', commonJs);
  await bundle(['main.cjs'], { format: 'cjs', outExtension: { '.js': '.cjs' } });
  const lonely = await target.outputOf(process.execPath, ['out/main.cjs']);
  assert.match(lonely, /^ConnectError the native addon of busbar could not be loaded/);
  assert.match(lonely, `busbar's folder "prebuilds" has to lie beside it`);
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  assert.match(await target.outputOf(process.execPath, ['out/main.cjs']), /^connected/);
});

test.run();
