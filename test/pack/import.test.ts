// The installed package is one module however it is imported, on every machine: if busbar cannot work there, connecting
// says why.
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
      console.log(Object.keys(required).sort().join() === Object.keys(imported).sort().join());
      for (const name of Object.keys(imported)) {
        if (imported[name] !== required[name]) console.log(name, 'is another');
      }
      const server = await imported.listen({ address: 'unix:tmpdir=' + require('node:os').tmpdir() });
      console.log(Object.keys(imported).length > 30, server instanceof PeerServer, PeerServer === imported.PeerServer);
      await server.close();
    });`,
  );
  for (const options of [[], ['--no-experimental-require-module']]) {
    assert.is(await project.outputOf(process.execPath, [...options, 'main.cjs']), 'true\ntrue true true\n');
  }
});

test('stacks have the names of functions, and Node.js prints short lines of code', async () => {
  project.write(
    'thrown.cjs',
    `const { defineInterface } = require('busbar');
    const members = { get methods() { throw new Error('here'); } };
    try { defineInterface('org.example.Thrown', members); } catch ({ stack }) { console.log(stack); }`,
  );
  const stack = await project.outputOf(process.execPath, ['thrown.cjs']);
  const frames = [...stack.matchAll(/^ +at (\S+) \(\S+busbar\/dist\/index\.cjs:\d+:\d+\)$/gm)].map(([, name]) => name);
  assert.ok(frames.length >= 2, stack);
  assert.is(frames.at(-1), 'defineInterface');
  for (const name of frames) assert.match(name as string, /^[A-Za-z.]{4,}$/);
  const code = readFileSync(join(project.folder, 'node_modules/busbar/dist/index.cjs'), 'utf8');
  const lines = code.split('\n').map(({ length }) => length);
  assert.ok(code.length / lines.length < 130 && lines.filter((length) => length > 300).length < lines.length / 100);
  assert.ok(Math.max(...lines) < 3000);
});

test('TypeScript that is compiled to CommonJS compiles with it', async () => {
  project.write(
    'main.cts',
    `import { type MessageBus, sessionBus } from 'busbar';
    import busbar = require('busbar');
    export const bus: Promise<MessageBus> = busbar.sessionBus === sessionBus ? sessionBus() : busbar.sessionBus();`,
  );
  const compilerOptions = {
    ...{ target: 'es2022', module: 'nodenext', strict: true, outDir: 'out' },
    ...{ types: [], typeRoots: [join(projectRoot, 'node_modules/@types')] },
  };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['main.cts'] }));
  await project.outputOf(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.']);
});

/** The errors of connecting and listening on another machine; importing has to work there. */
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

function assertOutputHas(output: string, parts: readonly (string | RegExp)[]): void {
  assert.match(output, /^imported u$/m);
  assert.is(output.match(/^true the native addon of busbar could not be loaded/gm)?.length, 3, output);
  for (const part of parts) assert.match(output, part);
}

const shipped = 'prebuilt binaries: linux-arm/busbar.glibc.node, linux-arm64/busbar.glibc.node';
const command =
  'dist/native.tar.br\')))" | tar -xf - && npm install --no-save --save-prod --omit=dev cmake-js node-addon-api && npx cmake-js build -B Release';

test('on an architecture without a binary, the error of connecting has the architecture, the binaries, and how to build one', async () => {
  const folder = join('node_modules', 'busbar');
  assertOutputHas(await linesOn('linux', 'ppc64'), [
    /this machine: linux-ppc64, (glibc [\d.]+|musl)/,
    shipped,
    folder,
    command,
  ]);
});

test('on another platform, the error of connecting names the platform, and promises nothing', async () => {
  for (const platform of ['darwin', 'win32']) {
    const output = await linesOn(platform, 'arm64');
    assertOutputHas(output, [`this machine: ${platform}-arm64`, shipped, 'busbar works on Linux only']);
    assert.not.match(output, 'cmake-js build');
  }
});

const prebuilds = join(project.folder, 'node_modules/busbar/prebuilds');
const ownBinaries = join(prebuilds, `${process.platform}-${process.arch}`);

function assertFails(output: string, parts: readonly string[]): void {
  assert.match(output, /^the native addon of busbar could not be loaded/);
  for (const part of parts) assert.match(output, part);
}

/** The outcome of listening, with variables that node-gyp-build reads. */
function listening(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  project.write(
    'listening.mjs',
    `import { listen } from 'busbar';
    const server = await listen({ address: 'unix:tmpdir=${tmpdir()}' }).catch(({ message }) => console.log(message));
    console.log(server === undefined ? 'failed' : 'listening');
    await server?.close();`,
  );
  return project.outputOf(process.execPath, ['listening.mjs'], { env });
}

test('the binary for the C library of the machine is found, even if node-gyp-build is mistaken about it', async () => {
  for (const LIBC of ['glibc', 'musl']) assert.is(await listening({ LIBC }), 'listening\n', LIBC);
});

test('a binary for another C library is tried only if the right one is missing', async () => {
  const [glibc, musl] = ['glibc', 'musl'].map((libc) => join(ownBinaries, `busbar.${libc}.node`)) as [string, string];
  const kept = readFileSync(musl);
  renameSync(glibc, musl);
  assert.is(await listening({}), 'listening\n');
  writeFileSync(glibc, '');
  assertFails(await listening({}), ['file too short', 'install busbar again']);
  renameSync(musl, glibc);
  writeFileSync(musl, kept);
});

test('a binary that was built here takes precedence over a shipped one', async () => {
  const build = join(project.folder, 'node_modules/busbar/build');
  mkdirSync(join(build, 'Release'), { recursive: true });
  writeFileSync(join(build, 'Release/busbar.node'), '');
  assert.match(await listening({ PREBUILDS_ONLY: undefined }), /could not be loaded: .*Release\/busbar\.node[^;]*\n/);
  rmSync(build, { recursive: true });
});

test('a package without its binaries says so, and what to do', async () => {
  for (const libc of ['glibc', 'musl']) rmSync(join(ownBinaries, `busbar.${libc}.node`));
  const left = 'left out when busbar was copied';
  assertFails(await listening({}), ['there is no binary for this machine', `the binary for this machine was ${left}`]);
  rmSync(prebuilds, { recursive: true });
  assertFails(await listening({}), ['prebuilt binaries: none', `the folder "prebuilds" was ${left}`, prebuilds]);
  // The cure.
  cpSync(join(projectRoot, 'prebuilds'), prebuilds, { recursive: true });
  assert.is(await listening({}), 'listening\n');
});

test.run();
