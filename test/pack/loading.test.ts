// Why an addon cannot be loaded: each cause has its own error, and the advice in the error works.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileOf, targets } from '../../scripts/prebuilds/targets.mjs';
import { SEAM_VERSION } from '../../src/native/binding.js';
import { SHIPPED } from '../../src/native/load-failure.js';
import { projectRoot } from '../helpers/paths.js';
import { outputOf } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

const test = suite('loading');
const registry = await Registry.start();
const project = new Project(registry, { type: 'module' });
await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
const installed = join(project.folder, 'node_modules/busbar');
const machine = `${process.platform}-${process.arch}`;

console.log(`# what: why an addon does not load, and what cures it\n# version: ${process.versions.node}`);

test.after(async () => {
  project.remove();
  await registry.stop();
});

project.write(
  'main.js',
  `import { connect, listen } from 'busbar';
  const connection = listen({ address: 'unix:tmpdir=' + (process.env.TMPDIR ?? '/tmp'), onConnection: () => {} });
  const server = await connection.catch((error) => console.log(error.constructor.name, error.message));
  const client = await (server && connect({ address: server.address, peer: true }));
  console.log(client?.state);
  await client?.close();
  await server?.close();
  process.exit();`,
);

const outputWith = (options: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  project.outputOf(process.execPath, [...options, 'main.js'], { env: { TMPDIR: sockets, ...env } });
const sockets = join(project.folder, 'sockets');
mkdirSync(sockets);

const WORKS = 'open\n';

function assertOutputHas(output: string, ...parts: readonly (string | RegExp)[]): void {
  assert.match(output, /^ConnectError the native addon of busbar could not be loaded: /);
  for (const part of parts) assert.match(output, part);
}

const [major] = process.versions.node.split('.').map(Number) as [number];
/** The option that switches the permission model on. */
const permission = [major < 22 ? '--experimental-permission' : '--permission', '--allow-fs-write=*', '--no-warnings'];

test('with --permission the error asks for --allow-addons, which works', async () => {
  const reading = [...permission, '--allow-fs-read=*'];
  assertOutputHas(await outputWith(reading), 'start it with --allow-addons as well');
  assert.is(await outputWith([...reading, '--allow-addons']), WORKS);
});

test('if the binaries may not be read, the error asks for --allow-fs-read, which works', async () => {
  const addons = [...permission, '--allow-addons'];
  const allowed = [
    'main.js',
    'package.json',
    'sockets/*',
    'node_modules/busbar/package.json',
    'node_modules/busbar/dist/*',
  ];
  const some = allowed.map((path) => `--allow-fs-read=${join(project.folder, path)}`);
  const output = await outputWith([...addons, ...some]);
  assertOutputHas(output, 'this process may not read it');
  const cure = /start Node\.js with (--allow-fs-read=\S+)/.exec(output)?.[1] as string;
  assert.is(await outputWith([...addons, ...some, cure, '--allow-fs-read=/proc/self/maps']), WORKS);
});

test('with --no-addons the error asks for a start without it', async () => {
  assertOutputHas(await outputWith(['--no-addons']), 'started with --no-addons: start it without that option');
  assertOutputHas(
    await outputWith([], { NODE_OPTIONS: '--no-addons' }),
    'started with --no-addons: start it without that option',
  );
  assert.is(await outputWith([]), WORKS);
});

test('BUSBAR_PREBUILD names a folder with binaries, or the error says that it does not', async () => {
  const elsewhere = join(project.folder, 'elsewhere');
  mkdirSync(elsewhere);
  assertOutputHas(
    await outputWith([], { BUSBAR_PREBUILD: elsewhere }),
    `BUSBAR_PREBUILD names the folder ${elsewhere}`,
  );
  cpSync(join(installed, 'prebuilds', machine), join(elsewhere, 'prebuilds', machine), { recursive: true });
  assert.is(await outputWith([], { BUSBAR_PREBUILD: elsewhere }), WORKS);
  rmSync(elsewhere, { recursive: true });
});

test('a binary of another version, or of another package, is not used', async () => {
  assert.is(SEAM_VERSION, Number(/kSeamVersion = (\d+)/.exec(await headerText())?.[1]));
  const elsewhere = join(project.folder, 'stale');
  const binaries = join(elsewhere, 'prebuilds', machine);
  mkdirSync(binaries, { recursive: true });
  const other = join(projectRoot, 'node_modules/@rollup');
  const addons = readdirSync(other, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.node'));
  cpSync(join(other, addons[0] as string), join(binaries, 'busbar.glibc.node'));
  const output = await outputWith([], { BUSBAR_PREBUILD: elsewhere });
  assertOutputHas(
    output,
    `is of another version of busbar (its interface version is none; ${SEAM_VERSION} is required)`,
  );
  assertOutputHas(output, 'copy the folder "prebuilds" again, from the version of busbar that the program contains');
  rmSync(elsewhere, { recursive: true });
});

const headerText = () => outputOf('cat', [join(projectRoot, 'native/seam_version.h')]);

test('a file that only stands for a binary has its own error', async () => {
  const elsewhere = join(project.folder, 'pointer');
  const binaries = join(elsewhere, 'prebuilds', machine);
  mkdirSync(binaries, { recursive: true });
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'.padEnd(200);
  for (const libc of ['glibc', 'musl']) writeFileSync(join(binaries, `busbar.${libc}.node`), pointer);
  assertOutputHas(await outputWith([], { BUSBAR_PREBUILD: elsewhere }), 'the file is damaged, or a pointer of Git LFS');
  rmSync(elsewhere, { recursive: true });
});

/** A mount in a separate namespace. */
const mounting = (command: string) => ['--user', '--map-root-user', '--mount', 'sh', '-c', command];
const noMounts = await outputOf('unshare', mounting('mount -t tmpfs -o noexec none /mnt')).then(
  () => undefined,
  () => 'nothing can be mounted here',
);

testUnless(noMounts, test, 'a mount with noexec is named, and another folder works', async () => {
  const mount = join(project.folder, 'mount');
  mkdirSync(mount);
  const onMount = (env: string) =>
    project.outputOf(
      'unshare',
      mounting(`mount -t tmpfs -o noexec none ${mount} && cp -r main.js package.json node_modules ${mount} &&
        cd ${mount} && ${env} exec ${process.execPath} main.js`),
    );
  assertOutputHas(await onMount(''), 'because of the mount option noexec', 'BUSBAR_PREBUILD');
  assert.is(await onMount(`BUSBAR_PREBUILD=${installed}`), WORKS);
});

test('the shipped binaries are those that the error lists', () => {
  assert.equal([...SHIPPED].sort(), targets.map(fileOf).sort());
  for (const file of SHIPPED) assert.ok(existsSync(join(installed, 'prebuilds', file)), file);
});

test.run();
