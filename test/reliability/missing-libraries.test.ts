// A machine without an sd-bus library or without the addon: importing works, and errors of connecting name the cure.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { codeRoot, projectRoot } from '../helpers/paths.js';
import { type Finished, run } from '../helpers/program.js';

const test = suite('missing libraries');
const folder = mkdtempSync(join(tmpdir(), 'busbar-missing-'));
test.after(() => rmSync(folder, { recursive: true }));

/** Runs a script that imports busbar from a folder as `busbar`, and prints the error of connecting. */
function connectIn(packageFolder: string, env: Record<string, string> = {}): Promise<Finished> {
  const script = `
    const busbar = await import(${JSON.stringify(libraryEntry.replace(codeRoot, `${packageFolder}/`))});
    console.log('imported', typeof busbar.connect, busbar.variant.u(5).signature);
    for (let i = 0; i < 2; i++) {
      const options = { address: 'unix:path=/nonexistent', transport: i === 0 ? 'sd-bus' : 'socket' };
      const error = await busbar.connect(options).catch((error) => error);
      console.log(error.name, error.message);
    }`;
  return run(process.execPath, moduleArguments(script), {
    cwd: packageFolder,
    env: { BUSBAR_PREBUILD: undefined, ...env },
  });
}

// The loader takes the first file of a name, and these are not libraries.
const libraries = join(folder, 'libraries');
mkdirSync(libraries);
for (const name of ['libsystemd.so.0', 'libelogind.so.0', 'libbasu.so.0']) writeFileSync(join(libraries, name), '');

test('without an sd-bus library importing works, and the error of the transport sd-bus names the packages to install', async () => {
  const { code, stdout, stderr } = await connectIn(codeRoot.slice(0, -1), { LD_LIBRARY_PATH: libraries });
  assert.is(code, 0, stderr);
  assert.match(stdout, 'imported function u');
  assert.is(
    stdout.match(/^ConnectError the transport 'sd-bus' needs an sd-bus library, and none was found/gm)?.length,
    1,
  );
  assert.match(stdout, /^ConnectError no connection to a message bus could be made:$/m);
  assert.match(stdout, 'ENOENT while trying to connect');
  for (const part of ['libsystemd0', 'systemd-libs', 'elogind', 'Debian', 'Fedora', 'Arch', 'Alpine']) {
    assert.match(stdout, part);
  }
});

test('without an sd-bus library peers can connect, unless they request the transport sd-bus', async () => {
  const script = `
    import { connect, listen } from ${JSON.stringify(libraryEntry)};
    const Said = { path: '/', interface: 'org.example.Peer', member: 'Said', signature: 's', body: ['hello'] };
    const address = 'unix:tmpdir=${folder}';
    const server = await listen({ address, transport: 'socket', onConnection: (bus) => bus.emit(Said) });
    const client = await connect({ address: server.address, peer: true, transport: 'socket' });
    await new Promise((resolve) => client.subscribe({ member: 'Said' }, ({ body }) => resolve(console.log(...body))));
    for (const attempt of [
      listen({ address, transport: 'sd-bus' }),
      connect({ address: server.address, peer: true, transport: 'sd-bus' }),
      connect({ address: 'unixexec:path=/bin/true', peer: true, transport: 'socket' }),
      connect({ address: 'unixexec:path=/bin/true', transport: 'socket' }),
    ]) await attempt.catch((error) => console.log(error.name, error.message));
    await server.close();`;
  const { code, stdout, stderr } = await run(process.execPath, moduleArguments(script), {
    env: { LD_LIBRARY_PATH: libraries },
  });
  assert.is(code, 0, stderr);
  assert.match(stdout, /^hello$/m);
  assert.is(
    stdout.match(/^ConnectError the transport 'sd-bus' needs an sd-bus library, and none was found/gm)?.length,
    2,
  );
  const needed =
    /^ {2}unixexec:path=\/bin\/true \(address\): such an address needs an sd-bus library, and none was found \(.*\)/gm;
  assert.is(stdout.match(needed)?.length, 2);
});

test('without a binary for this machine importing works, and the error of connecting says what is missing and what to do', async () => {
  const copy = join(folder, 'copy');
  cpSync(join(codeRoot, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(codeRoot, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  const without = await connectIn(copy);
  assert.is(without.code, 0, without.stderr);
  assert.match(without.stdout, 'imported function u');
  assert.match(without.stdout, 'prebuilt binaries: none');
  for (const other of ['plan9-mips', 'linux-s390']) {
    mkdirSync(join(copy, 'prebuilds', other), { recursive: true });
    writeFileSync(join(copy, 'prebuilds', other, 'busbar.glibc.node'), '');
  }
  const { code, stdout, stderr } = await connectIn(copy);
  assert.is(code, 0, stderr);
  assert.is(stdout.match(/^ConnectError /gm)?.length, 2);
  for (const part of [
    `${process.platform}-${process.arch}`,
    /glibc \d|musl/,
    'plan9-mips/busbar.glibc.node',
    'linux-s390/busbar.glibc.node',
    'left out when busbar was copied',
  ]) {
    assert.match(stdout, part);
  }
});

test('the error for a binary that cannot be loaded has the reason', async () => {
  const copy = join(folder, 'broken');
  cpSync(join(codeRoot, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(codeRoot, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, 'build/Release'), { recursive: true });
  writeFileSync(join(copy, 'build/Release/busbar.node'), 'no library');
  const { code, stdout, stderr } = await connectIn(copy);
  assert.is(code, 0, stderr);
  assert.match(stdout, /ConnectError .*could not be loaded/);
  assert.match(stdout, /file too short|invalid ELF header/);
});

test.run();
