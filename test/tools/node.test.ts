// time limit: 300 s
// Node.js itself: programs in one executable, and programs that start from a snapshot. Both are bundles of CommonJS.
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { WORKS, writePrograms } from './program.js';
import { tool } from './tool.js';

const test = suite('Node.js');
const postject = tool('Node.js: single executable, snapshot', { postject: '1.0.0-alpha.6' }, process.versions.node);
const registry = await Registry.start();
const project = new Project(registry);
const target = new Project(registry);
await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
writePrograms(project);
const prebuilds = join(project.folder, 'node_modules/busbar/prebuilds');
const out = join(target.folder, 'out');

test.before.each(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
});

test.after(async () => {
  project.remove();
  target.remove();
  await registry.stop();
});

const bundle = (input: string, outfile: string) =>
  build({ entryPoints: [join(project.folder, input)], outfile, bundle: true, platform: 'node', format: 'cjs' });

/** Without its binaries a program says where they have to be; there it works. */
async function assertCured(run: () => Promise<string>): Promise<void> {
  assert.match(await run(), `put busbar's folder "prebuilds" beside it`);
  cpSync(prebuilds, join(out, 'prebuilds'), { recursive: true });
  assert.is(await run(), WORKS);
}

testUnless(postject.missing, test, 'a single executable runs with its prebuilds beside it', async () => {
  postject.linkInto(project);
  await bundle('main.cjs', join(project.folder, 'bundle.cjs'));
  const configuration = { main: 'bundle.cjs', output: 'sea.blob', disableExperimentalSEAWarning: true };
  project.write('sea.json', JSON.stringify(configuration));
  await project.outputOf(process.execPath, ['--experimental-sea-config', 'sea.json']);
  const program = join(out, 'program');
  copyFileSync(process.execPath, program);
  chmodSync(program, 0o755);
  const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
  const script = join(project.folder, 'node_modules/postject/dist/cli.js');
  await project.outputOf(process.execPath, [script, program, 'NODE_SEA_BLOB', 'sea.blob', '--sentinel-fuse', fuse]);
  await assertCured(() => target.outputOf(program, []));
});

test('a program that begins from a snapshot runs with its prebuilds beside the bundle', async () => {
  const start = `require('node:v8').startupSnapshot.setDeserializeMainFunction(() => {
    sum().then((result) => console.log('sum', result), (error) => console.log(error.message));
  });`;
  project.write('snapshot.cjs', `const { sum } = require('./plain.cjs');\n${start}`);
  await bundle('snapshot.cjs', join(out, 'bundle.cjs'));
  await target.outputOf(process.execPath, ['--snapshot-blob', 'snapshot.blob', '--build-snapshot', 'out/bundle.cjs']);
  await assertCured(() => target.outputOf(process.execPath, ['--snapshot-blob', 'snapshot.blob']));
});

test.run();
