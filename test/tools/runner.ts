/** The task of every test runner: run a test that connects two ends. */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { RAN, writePrograms } from './program.js';
import { type Packages, tool } from './tool.js';

export interface Runner {
  readonly title: string;
  readonly packages: Packages;
  readonly manifest?: object;
  /** Files of the project, beside `sum.js` and `sum.cjs`: the tests. */
  readonly files: Readonly<Record<string, string>>;
  /**
   * The commands, by the subject of the test: arguments of Node.js. The script is a path in `node_modules`; options of
   * Node.js may be before it.
   */
  readonly ways: Readonly<Record<string, readonly string[]>>;
}

export async function testRunner({ title, packages, manifest = {}, files, ways }: Runner): Promise<void> {
  const test = suite(title);
  const runner = tool(title, packages);
  const registry = await Registry.start();
  const project = new Project(registry, { type: 'module', ...manifest });
  await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
  writePrograms(project);
  for (const [name, text] of Object.entries(files)) project.write(name, text);

  test.after(async () => {
    project.remove();
    await registry.stop();
  });

  for (const [what, args] of Object.entries(ways)) {
    testUnless(runner.missing, test, what, async () => {
      runner.linkInto(project);
      const scripts = args.map((arg) => (arg.startsWith('node_modules/') ? join(project.folder, arg) : arg));
      await project.outputOf(process.execPath, scripts, { env: { CI: '1' } });
      const ran = join(project.folder, RAN);
      assert.is(readFileSync(ran, 'utf8'), '5');
      rmSync(ran);
    });
  }
  test.run();
}
