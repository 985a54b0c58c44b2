/**
 * The package @busbar/interfaces as npm would publish it: what it contains, how its paths are imported, and which compilers
 * take its types. time limit: 180 s
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { families } from '../../packages/interfaces/families/index.js';
import { projectRoot } from '../helpers/paths.js';

const test = suite('the package of the ready interfaces');
const paths = Object.keys(families);
const dist = join(projectRoot, 'packages/interfaces/dist');
if (!existsSync(join(dist, 'complete'))) throw new Error('first: node scripts/build.mjs interfaces');

// Within the project, where both packages are found as installed ones.
mkdirSync(join(projectRoot, 'build'), { recursive: true });
const folder = mkdtempSync(join(projectRoot, 'build', 'interfaces-'));
const packed = mkdtempSync(join(tmpdir(), 'busbar-interfaces-'));
test.after(() => {
  for (const path of [folder, packed]) rmSync(path, { recursive: true, force: true });
});

function output(command: string, ...args: readonly string[]): string {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: projectRoot, env, encoding: 'utf8' });
  assert.is(status, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

test('it contains one module for each family in both forms, with types, and nothing else', () => {
  const args = ['pack', '-w', '@busbar/interfaces', '--ignore-scripts', '--json', '--pack-destination', packed];
  const [tarball] = Object.values(JSON.parse(output('npm', ...args))) as {
    readonly filename: string;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  }[];
  const modules = paths.flatMap((name) => ['js', 'cjs', 'd.ts', 'd.cts'].map((ending) => `dist/${name}.${ending}`));
  const others = ['LICENSE', 'README.md', 'introspection/RECORDED.md', 'package.json'];
  assert.equal(tarball?.files.map(({ path }) => path).sort(), [...modules, ...others].sort());
  assert.ok((tarball?.unpackedSize ?? 0) < 1_500_000, `${tarball?.unpackedSize} bytes`);
  const file = join(packed, tarball?.filename ?? '');
  output(process.execPath, 'node_modules/publint/src/cli.js', file, '--strict');
  const attw = 'node_modules/@arethetypeswrong/cli/dist/index.js';
  output(process.execPath, attw, file, '--no-emoji', '--entrypoints', ...paths, '--profile', 'node16');
});

test('the library does not contain it', () => {
  const { files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  assert.ok(files.every((name: string) => !name.includes('packages')));
});

test('each import path loads the library and nothing else', () => {
  for (const name of paths) {
    const modules = readFileSync(join(dist, `${name}.js`), 'utf8').matchAll(
      /^import .*? from "(.*)";$|^} from "(.*)";$/gm,
    );
    const imported = [...new Set([...modules].map(([, first, second]) => first ?? second))].sort();
    assert.not.match(readFileSync(join(dist, `${name}.d.cts`), 'utf8'), /["']\.{1,2}\//, name);
    assert.equal(imported, name === 'portals' ? ['busbar', 'node:crypto'] : ['busbar'], name);
    const required = readFileSync(join(dist, `${name}.cjs`), 'utf8').matchAll(/\brequire\("(.*?)"\)/g);
    assert.equal([...new Set([...required].map(([, module]) => module))].sort(), imported, name);
  }
});

test('all paths can be imported and required, and give the same interfaces', () => {
  writeFileSync(
    join(folder, 'all.mjs'),
    `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const count = (exported) => Object.values(exported).filter((value) => value.description !== undefined).length;
    for (const name of ${JSON.stringify(paths)}) {
      const counts = [count(await import('@busbar/interfaces/' + name)), count(require('@busbar/interfaces/' + name))];
      console.log(name, ...counts, count(require(${JSON.stringify(dist)} + '/' + name + '.cjs')));
    }`,
  );
  const lines = output(process.execPath, join(folder, 'all.mjs')).trim().split('\n');
  assert.is(lines.length, paths.length);
  for (const line of lines) assert.match(line, /^\S+ ([1-9]\d*) \1 \1$/);
});

test('a bundle has only the interfaces that it uses', async () => {
  const contents = `import { UPower } from '@busbar/interfaces/upower'; console.log(UPower.name);`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    ...{ bundle: true, write: false, format: 'esm', platform: 'node', external: ['busbar'], logLevel: 'silent' },
  });
  const [{ text } = { text: '' }] = outputFiles;
  assert.match(text, /EnumerateDevices/);
  assert.not.match(text, /GetHistory|DisplayDevice"|KbdBacklight/);
});

const program = `${paths.map((name, index) => `import * as i${index} from '@busbar/interfaces/${name}';`).join('\n')}
import type { MessageBus } from 'busbar';
import { Player } from '@busbar/interfaces/mpris';
import { Notifications, NAME, PATH } from '@busbar/interfaces/notifications';
import { FileChooser, portalRequest, Screenshot } from '@busbar/interfaces/portals';
import { SettingsConnection } from '@busbar/interfaces/networkmanager';
export const all = [${paths.map((_, index) => `i${index}`).join(', ')}];
export async function use(bus: MessageBus): Promise<void> {
  const notifications = bus.proxy(Notifications, NAME, PATH);
  const id: number = await notifications.call.Notify('', 0, '', 'a', 'b', [], { urgency: 1 }, -1);
  // @ts-expect-error
  await notifications.call.Notify('', 0, '', 'a', 'b', [], { urgency: 'low' }, id);
  const { uris } = await portalRequest(bus, FileChooser, 'OpenFile', ['', 'Open', { multiple: true }]);
  const first: string | undefined = uris[0];
  const { uri } = await portalRequest(bus, Screenshot, 'Screenshot', ['', { interactive: true }], { timeout: 5 });
  const both: string[] = [uri, first ?? ''];
  // @ts-expect-error
  await portalRequest(bus, FileChooser, 'Save', ['', 'Open', {}]);
  // @ts-expect-error
  await portalRequest(bus, FileChooser, 'OpenFile', ['', {}]);
  const player = bus.proxy(Player, 'org.mpris.MediaPlayer2.vlc', '/org/mpris/MediaPlayer2');
  const status: 'Playing' | 'Paused' | 'Stopped' = await player.get.PlaybackStatus();
  const artists: string[] | undefined = (await player.get.Metadata())['xesam:artist'];
  const settings = await bus.proxy(SettingsConnection, '', '').call.GetSettings();
  const method: string | undefined = settings.ipv4?.method;
  const prefix: number | undefined = settings.ipv4?.['address-data']?.[0]?.prefix;
  void [both, status, artists, method, prefix];
}
`;

const readme = readFileSync(join(projectRoot, 'packages/interfaces/README.md'), 'utf8');
const readmeProgram = /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';

test('its README lists every path', () => {
  assert.match(readmeProgram, /@busbar\/interfaces/);
  const listed = [...readme.matchAll(/^\| `@busbar\/interfaces\/([\w-]+)` \|/gm)].map(([, name]) => name);
  assert.equal(listed, paths.toSorted());
});

// The newest one also checks what the declarations contain beside the program's own needs, which takes others seconds.
for (const [title, compiler, skipLibCheck] of [
  ['oldest', 'test/types/oldest/node_modules/typescript', true],
  ['newest of version 5', 'test/types/five/node_modules/typescript', true],
  ['newest', 'node_modules/typescript', false],
] as const) {
  test(`the ${title} TypeScript compiles a program that imports all paths, in both forms, and that of the README`, () => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'program.ts'), program);
    writeFileSync(join(folder, 'program.cts'), program);
    writeFileSync(join(folder, 'readme.ts'), readmeProgram);
    const compilerOptions = {
      ...{ target: 'es2022', module: 'nodenext', strict: true, exactOptionalPropertyTypes: true },
      ...{ noEmit: true, skipLibCheck, types: [], typeRoots: [join(projectRoot, 'node_modules/@types')] },
    };
    const project = join(folder, 'tsconfig.json');
    writeFileSync(project, JSON.stringify({ compilerOptions, files: ['program.ts', 'program.cts', 'readme.ts'] }));
    output(process.execPath, join(compiler, 'bin/tsc'), '-p', project);
  });
}

test.run();
