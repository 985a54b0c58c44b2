// time limit: 300 s
// Bun runs busbar, tests with it, and makes bundles and executables of it.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { WORKS, writePrograms } from './program.js';
import { announce, runtime } from './tool.js';

const test = suite('Bun');
const bun = runtime('bun');
announce('Bun: run, test, build and compile', bun.version);
const registry = await Registry.start();
const project = new Project(registry, { type: 'module' });
const target = new Project(registry, { type: 'module' });
await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
writePrograms(project);
const prebuilds = join(project.folder, 'node_modules/busbar/prebuilds');
const hidden = join(project.folder, '../prebuilds');

test.after(async () => {
  project.remove();
  target.remove();
  await registry.stop();
});

testUnless(bun.missing, test, 'it runs an ES module and CommonJS', async () => {
  for (const file of ['main.js', 'main.cjs']) assert.is(await project.outputOf(bun.path, [file]), WORKS);
});

testUnless(bun.missing, test, 'bun test', async () => {
  project.write(
    'sum.test.js',
    `import { expect, test } from 'bun:test'; import { sum } from './sum.js';
    test('sum', async () => expect(await sum()).toBe(5));`,
  );
  await project.outputOf(bun.path, ['test']);
});

testUnless(bun.missing, test, 'a bundle runs elsewhere, with its prebuilds beside it', async () => {
  for (const platform of ['bun', 'node']) {
    const args = ['build', 'main.js', `--target=${platform}`, '--outfile', join(target.folder, platform, 'main.js')];
    await project.outputOf(bun.path, args);
    await assertCured(platform, () =>
      target.outputOf(platform === 'bun' ? bun.path : process.execPath, [`${platform}/main.js`]),
    );
  }
});

testUnless(
  bun.missing,
  test,
  'an executable needs its prebuilds beside it, and loads nothing from the working directory',
  async () => {
    const executable = join(target.folder, 'compiled/program');
    await project.outputOf(bun.path, ['build', '--compile', 'main.js', '--outfile', executable]);
    // A file that may be planted where the program is started.
    const mark = join(target.folder, 'mark');
    const planted = join(target.folder, 'node_modules/node-gyp-build');
    mkdirSync(planted, { recursive: true });
    writeFileSync(join(planted, 'index.js'), `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '');`);
    writeFileSync(join(planted, 'package.json'), '{ "name": "node-gyp-build", "main": "index.js" }');
    const binaries = join(target.folder, 'prebuilds', `${process.platform}-${process.arch}`);
    mkdirSync(binaries, { recursive: true });
    for (const libc of ['glibc', 'musl']) writeFileSync(join(binaries, `busbar.${libc}.node`), 'planted');
    await assertCured('compiled', () => target.outputOf(executable, []));
    assert.not.ok(existsSync(mark));
  },
);

/** Without the package, a program says what it needs; with that it works. */
async function assertCured(folder: string, run: () => Promise<string>): Promise<void> {
  renameSync(prebuilds, hidden);
  try {
    const lonely = await run();
    assert.match(lonely, 'there is no binary for this machine');
    assert.match(lonely, `put busbar's folder "prebuilds" beside it`);
    cpSync(hidden, join(target.folder, folder, 'prebuilds'), { recursive: true });
    assert.is(await run(), WORKS);
    rmSync(join(target.folder, folder, 'prebuilds'), { recursive: true });
  } finally {
    renameSync(hidden, prebuilds);
  }
}

test.run();
