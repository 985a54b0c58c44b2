// `busbar generate`: the files that it writes, compares and never replaces.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement } from '../../src/index.js';
import { programArguments } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { busbar, printed } from './command-line.js';

const test = suite('busbar generate');

const XML = `<node>
  <interface name="org.example.Lamp">
    <method name="Dim"><arg name="level" type="u" direction="in"/><arg type="b" direction="out"/></method>
  </interface>
  <node name="child"><interface name="org.example.Lamp2"><property name="State" type="s" access="read"/></interface></node>
  <interface name="org.freedesktop.DBus.Peer"><method name="Ping"/></interface>
</node>`;

/** A folder with introspection data, which is removed after use. */
function folderWithData(): Disposable & { readonly out: string; readonly xml: string } {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-generate-'));
  const xml = join(folder, 'lamp.xml');
  writeFileSync(xml, XML);
  return { out: join(folder, 'out'), xml, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('writes a file for each interface, and does nothing the second time', async () => {
  using folder = folderWithData();
  const words = ['generate', '--xml', folder.xml, '--out', folder.out];
  assert.match(await printed(undefined, ...words), /^new +\S+org\.example\.Lamp\.ts\nnew +\S+Lamp2\.ts\n$/);
  assert.equal(readdirSync(folder.out), ['org.example.Lamp.ts', 'org.example.Lamp2.ts']);
  assert.match(readFileSync(join(folder.out, 'org.example.Lamp.ts'), 'utf8'), /export const Lamp = defineInterface\(/);
  assert.match(await printed(undefined, ...words), /^unchanged +\S+Lamp\.ts\nunchanged +\S+Lamp2\.ts\n$/);
});

test('--check writes nothing, and fails if a file would be another one', async () => {
  using folder = folderWithData();
  const words = ['generate', '--xml', folder.xml, '--out', folder.out];
  const missing = await busbar(undefined, [...words, '--check']);
  assert.is(missing.code, 1);
  assert.match(missing.stdout, /^missing +\S+Lamp\.ts\nmissing +\S+Lamp2\.ts\n$/);
  assert.is(missing.stderr, 'busbar: 2 of 2 files must be generated again\n');
  assert.throws(() => readdirSync(folder.out), /ENOENT/);
  await printed(undefined, ...words);
  await printed(undefined, ...words, '--check');
  assert.is((await busbar(undefined, [...words, '--class', '--check'])).code, 1);
});

test('a file that was not generated is not replaced, and then no file is', async () => {
  using folder = folderWithData();
  const words = ['generate', '--xml', folder.xml, '--out', folder.out];
  await printed(undefined, ...words);
  const own = join(folder.out, 'org.example.Lamp2.ts');
  writeFileSync(own, '// mine\n');
  const refused = await busbar(undefined, [...words, '--service']);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /^busbar: nothing was written: \S+Lamp2\.ts was not generated\n/);
  assert.is(readFileSync(own, 'utf8'), '// mine\n');
  assert.not.match(readFileSync(join(folder.out, 'org.example.Lamp.ts'), 'utf8'), /Skeleton/);
});

test('--check tells a generated file of no described interface, which another command may have made', async () => {
  using folder = folderWithData();
  const words = ['generate', '--xml', folder.xml, '--out', folder.out];
  await printed(undefined, ...words);
  writeFileSync(folder.xml, XML.replace('Lamp2', 'Lamp3'));
  await printed(undefined, ...words);
  writeFileSync(join(folder.out, 'own.ts'), '// mine\n');
  const check = await busbar(undefined, [...words, '--check']);
  assert.match(check.stdout, /\nnot described +\S+org\.example\.Lamp2\.ts\n$/);
  assert.is(check.code, 0);
  await printed(undefined, ...words, '--check', '--interface', 'org.example.Lamp');
});

test('what the system refuses is told in a line, with the path and the reason', async () => {
  using folder = folderWithData();
  const file = join(folder.out, 'org.example.Lamp.ts');
  const words = ['generate', '--xml', folder.xml, '--out'];
  const inFile = await busbar(undefined, [...words, folder.xml]);
  assert.match(inFile.stderr, /^busbar: \S+\/lamp\.xml\/org\.example\.Lamp2?\.ts: not a directory \(ENOTDIR\)\n$/);
  assert.is(inFile.code, 1);
  mkdirSync(file, { recursive: true });
  const isFolder = await busbar(undefined, [...words, folder.out]);
  assert.is(isFolder.stderr, `busbar: ${file}: illegal operation on a directory (EISDIR)\n`);
  assert.is(isFolder.code, 1);
  const program = [process.execPath, ...programArguments('src/cli/main.ts', 'completion', 'bash')];
  const full = await run('sh', ['-c', '"$@" > /dev/full', 'sh', ...program], { env: { FORCE_COLOR: '0' } });
  assert.is(full.stderr, 'busbar: standard output: no space left on device (ENOSPC)\n');
  assert.is(full.code, 1);
});

test('the forms exclude each other, and a wrong interface is told with the right one', async () => {
  using folder = folderWithData();
  const two = await busbar(undefined, ['generate', '--xml', folder.xml, '--client', '--class']);
  assert.is(two.code, 2);
  assert.is(two.stderr, 'busbar: --client and --class exclude each other: leave one of them out\n');
  const wrong = await busbar(undefined, ['generate', '--xml', folder.xml, '--interface', 'org.example.Lampe']);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, /there is no interface "org\.example\.Lampe"\n {2}did you mean org\.example\.Lamp\?/);
  const standard = await printed(
    undefined,
    'generate',
    '--xml',
    folder.xml,
    '--interface',
    'org.freedesktop.DBus.Peer',
  );
  assert.match(standard, /export const DBusPeer = defineInterface\('org\.freedesktop\.DBus\.Peer'/);
});

testUnless(PrivateBus.missing(), test, 'generates the interfaces of an object, without the standard ones', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const Lamp = defineInterface('org.example.Lamp', { methods: { Dim: { in: ['level:u'] } } });
  bus.export('/lamp', implement(Lamp, { Dim() {} }));
  await bus.requestName('org.example.Lamp');
  const text = await printed(daemon, 'generate', 'org.example.Lamp', '/lamp');
  assert.match(text, /Dim: \{ in: \['level:u'\] as \[level: 'level:u'\] \}/);
  assert.is([...text.matchAll(/defineInterface\(/g)].length, 1);
});

test.run();
