/**
 * The task of every bundler: a bundle that runs elsewhere, without an installed package, once the files that its error asks
 * for are there.
 */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { WORKS, writePrograms } from './program.js';
import { type Packages, tool } from './tool.js';

export interface Bundler {
  readonly title: string;
  readonly packages: Packages;
  /** Files of the project, beside the program: `main.js`, an ES module, and `main.cjs`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly manifest?: object;
  /** The bundles, with the arguments of Node.js for each; the first is a script, by its path in `node_modules`. */
  readonly ways: Readonly<Record<string, readonly string[]>>;
  /** Whether it puts the binaries beside the bundle itself. */
  readonly copies?: boolean;
}

export async function testBundler({
  title,
  packages,
  files = {},
  manifest = {},
  ways,
  copies,
}: Bundler): Promise<void> {
  const test = suite(title);
  const bundler = tool(title, packages);
  const registry = await Registry.start();
  const project = new Project(registry, { type: 'module', ...manifest });
  // Bundles run in a folder from which the project's node_modules cannot be found.
  const target = new Project(registry, { type: 'module' });
  await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
  writePrograms(project);
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  const prebuilds = join(project.folder, 'node_modules/busbar/prebuilds');
  const hidden = join(project.folder, '../prebuilds');

  test.after(async () => {
    project.remove();
    target.remove();
    await registry.stop();
  });

  for (const [output, [script, ...args]] of Object.entries(ways)) {
    testUnless(bundler.missing, test, `${output} runs elsewhere, with its prebuilds beside it`, async () => {
      bundler.linkInto(project);
      const env = { NODE_ENV: 'production' };
      await project.outputOf(process.execPath, [join('node_modules', script as string), ...args], { env });
      const folder = dirname(output);
      rmSync(join(target.folder, folder), { recursive: true, force: true });
      cpSync(join(project.folder, folder), join(target.folder, folder), { recursive: true });
      // The folder where the bundle was made must not be searched.
      renameSync(prebuilds, hidden);
      try {
        if (copies !== true) {
          assert.match(await target.outputOf(process.execPath, [output]), `put busbar's folder "prebuilds" beside it`);
          cpSync(hidden, join(target.folder, folder, 'prebuilds'), { recursive: true });
        }
        assert.is(await target.outputOf(process.execPath, [output]), WORKS);
      } finally {
        renameSync(hidden, prebuilds);
      }
    });
  }
  test.run();
}
