// However the installed package is imported it is one module, and wherever: what it cannot do there, connecting says.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

const test = suite('importing');
const registry = await Registry.start();
const project = new Project(registry);
await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);

console.log(`# what: import, require, and what other machines are told\n# version: ${process.versions.node}`);

test.after(async () => {
  project.remove();
  await registry.stop();
});

test('require and import give the same classes', async () => {
  project.write(
    'main.cjs',
    `const required = require('busbar');
    const { PeerServer } = require('busbar');
    import('busbar').then(async (imported) => {
      for (const name of Object.keys(imported)) {
        if (imported[name] !== required[name]) console.log(name, 'is another');
      }
      const server = await imported.listen({ address: 'unix:tmpdir=' + require('node:os').tmpdir() });
      console.log(Object.keys(imported).length > 30, server instanceof PeerServer, PeerServer === imported.PeerServer);
      await server.close();
    });`,
  );
  assert.is(await project.outputOf(process.execPath, ['main.cjs']), 'true true true\n');
});

test('TypeScript that becomes CommonJS compiles with it', async () => {
  project.write(
    'main.cts',
    `import { type MessageBus, sessionBus } from 'busbar';
    import busbar = require('busbar');
    export const bus: Promise<MessageBus> = busbar.sessionBus === sessionBus ? sessionBus() : busbar.sessionBus();`,
  );
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', strict: true, outDir: 'out' },
    ...{ types: ['node'], typeRoots: [join(projectRoot, 'node_modules/@types')] },
  };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['main.cts'] }));
  await project.outputOf(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.']);
});

/** What connecting and listening say on another machine; importing has to work there. */
function linesOn(platform: string, arch: string): Promise<string> {
  project.write(
    'elsewhere.mjs',
    `const [platform, arch] = process.argv.slice(2);
    Object.defineProperties(process, { platform: { value: platform }, arch: { value: arch } });
    const { connect, ConnectError, listen, variant } = await import('busbar');
    console.log('imported', variant.u(5).signature);
    const address = 'unix:path=/nonexistent';
    for (const attempt of [() => connect({ address }), () => connect({ address, peer: true }), () => listen({ address })]) {
      const error = await attempt().then(() => undefined, (error) => error);
      console.log(error instanceof ConnectError, error?.message);
    }`,
  );
  return project.outputOf(process.execPath, ['elsewhere.mjs', platform, arch]);
}

function assertTells(output: string, parts: readonly (string | RegExp)[]): void {
  assert.match(output, /^imported u$/m);
  assert.is(output.match(/^true the native addon of busbar could not be loaded/gm)?.length, 3, output);
  for (const part of parts) assert.match(output, part);
}

const shipped = 'prebuilt binaries: linux-arm/busbar.glibc.node, linux-arm64/busbar.glibc.node';
const command = 'npm install --no-save --save-prod --omit=dev cmake-js node-addon-api && npm run build:native';

test('on an architecture without a binary connecting tells which, what there is, and how to build one', async () => {
  const folder = join('node_modules', 'busbar');
  assertTells(await linesOn('linux', 'ppc64'), [
    /this machine: linux-ppc64, (glibc [\d.]+|musl)/,
    shipped,
    folder,
    command,
  ]);
});

test('on another platform connecting tells which, and promises nothing', async () => {
  for (const platform of ['darwin', 'win32']) {
    const output = await linesOn(platform, 'arm64');
    assertTells(output, [`this machine: ${platform}-arm64`, shipped, 'it works on Linux only']);
    assert.not.match(output, 'build:native');
  }
});

test('a package without binaries tells so', async () => {
  const prebuilds = join(project.folder, 'node_modules/busbar/prebuilds');
  rmSync(prebuilds, { recursive: true });
  assertTells(await linesOn(process.platform, process.arch), ['prebuilt binaries: none', command]);
  // One for another C library fits as little.
  const folder = join(prebuilds, `${process.platform}-${process.arch}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'busbar.musl.node'), '');
  assertTells(await linesOn(process.platform, process.arch), ['busbar.musl.node', command]);
});

test.run();
