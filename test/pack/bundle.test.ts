// The ways in which esbuild bundles a program with busbar, and the files that must be beside the bundle.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
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
// Bundles run in a folder from which the project's node_modules cannot be found.
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

test('a bundle that contains busbar needs prebuilds beside it, and no node_modules', async () => {
  await bundle(['service.js', 'client.js'], modules);
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  await assertBundlesWork();
});

test('a bundle loads nothing from folders above it', async () => {
  await bundle(['service.js', 'client.js'], { ...modules, minify: true });
  // A planted file: if it were loaded, it would fail, or leave its mark.
  const binaries = join(target.folder, 'prebuilds', `${process.platform}-${process.arch}`);
  const mark = join(target.folder, 'mark');
  const planted = join(target.folder, 'node_modules/node-gyp-build');
  for (const folder of [binaries, planted]) mkdirSync(folder, { recursive: true });
  for (const libc of ['glibc', 'musl']) writeFileSync(join(binaries, `busbar.${libc}.node`), 'planted');
  writeFileSync(join(planted, 'index.js'), `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '');`);
  writeFileSync(join(planted, 'package.json'), '{ "name": "node-gyp-build", "main": "index.js" }');
  const lonely = await target.outputOf(process.execPath, ['out/client.mjs'], { env: bus.env }).catch(String);
  assert.match(lonely, 'there is no binary for this machine');
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  // Binaries of other packages, which bundlers copy to the same place, are not mistaken for it.
  const own = join(out, 'prebuilds', `${process.platform}-${process.arch}`);
  writeFileSync(join(own, 'another.node'), 'of another package');
  await assertBundlesWork();
  assert.not.ok(existsSync(mark));
  rmSync(join(target.folder, 'prebuilds'), { recursive: true });
});

test('a bundle that is not the script itself accepts binaries beside the script', async () => {
  await bundle(['service.js', 'client.js'], { ...modules, outdir: join(out, 'parts') });
  for (const half of ['service', 'client'])
    writeFileSync(join(out, `${half}.mjs`), `await import('./parts/${half}.mjs');`);
  const lonely = await target.outputOf(process.execPath, ['out/client.mjs'], { env: bus.env }).catch(String);
  assert.match(lonely, 'there is no binary for this machine');
  // An argument of evaluated code is not the script.
  const evaluated = [
    '--input-type=module',
    '--eval',
    "await import('./out/parts/client.mjs')",
    join(target.folder, 'elsewhere/x'),
  ];
  copyFromPackage('busbar/prebuilds', 'elsewhere/prebuilds');
  writeFileSync(join(target.folder, 'elsewhere/x'), '');
  const other = await target.outputOf(process.execPath, evaluated, { env: bus.env }).catch(String);
  assert.match(other, 'there is no binary for this machine');
  copyFromPackage('busbar/prebuilds', 'out/node_modules/busbar/prebuilds');
  await assertBundlesWork();
  rmSync(join(out, 'node_modules'), { recursive: true });
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  await assertBundlesWork();
});

test('variables for the installation do not select the binary', async () => {
  await bundle(['service.js', 'client.js'], modules);
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  const env = { ...bus.env, npm_config_arch: 'arm64', npm_config_platform: 'win32', LIBC: 'musl' };
  await assertConversation((half) => target.start(process.execPath, [`out/${half}.mjs`], { env }));
  await target.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
  await bundle(['service.js', 'client.js'], { ...modules, external: ['busbar'] });
  await assertConversation((half) => target.start(process.execPath, [`out/${half}.mjs`], { env }));
});

// CommonJS has no await at the top level.
const commonJs = `
  const { connect, listen } = require('busbar');
  (async () => {
    const server = await listen({ address: 'unix:tmpdir=' + require('node:os').tmpdir(), onConnection: () => {} });
    const client = await connect({ address: server.address, peer: true });
    console.log('connected', client.address === server.address);
    await client.close();
    await server.close();
  })().catch((error) => console.log(error.name, error.message));`;

const runBundle = () => target.outputOf(process.execPath, ['out/main.cjs']);

test('a bundle of CommonJS is imported, and connects with its prebuilds beside it', async () => {
  project.write('main.cjs', commonJs);
  await bundle(['main.cjs'], { format: 'cjs', outExtension: { '.js': '.cjs' } });
  const lonely = await runBundle();
  assert.match(lonely, /^ConnectError the native addon of busbar could not be loaded/);
  assert.match(lonely, `put busbar's folder "prebuilds" beside it`);
  copyFromPackage('busbar/prebuilds', 'out/prebuilds');
  assert.match(await runBundle(), /^connected/);
});

// Names of private members are short, so classes share them. For targets without `#name in object`, esbuild 0.28 rewrites
// every private member with a name that is tested so anywhere, and moves methods out of classes in which their other
// private members stay. So the package has no such test.
test('a bundle that is compiled for an older syntax works', async () => {
  project.write('main.cjs', commonJs);
  for (const syntax of ['node16', 'es2021', 'es2018']) {
    await bundle(['main.cjs'], { format: 'cjs', outExtension: { '.js': '.cjs' }, target: syntax });
    copyFromPackage('busbar/prebuilds', 'out/prebuilds');
    assert.match(await runBundle(), /^connected/, syntax);
  }
});

test.run();
