/** The task of every package manager: install busbar by its name, without a script, so that the README works. */
import { suite } from 'uvu';
import { PrivateBus } from '../helpers/private-bus.js';
import { assertConversation } from '../helpers/readme.js';
import { testUnless } from '../helpers/skip.js';
import { type Manager, obtain } from './managers.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

export function testInstallation(manager: Manager): void {
  const test = suite(manager.title);
  const obtained = obtain(manager);
  const executable = 'path' in obtained ? obtained.path : '';
  const [command, prefix] = manager.isScript ? [process.execPath, [executable]] : [executable, []];
  const [runner, runnerArguments] =
    manager.run === undefined ? [process.execPath, []] : [command, [...prefix, ...manager.run]];
  console.log(`# what: ${manager.title}\n# version: ${manager.package.version}`);

  testUnless(
    'missing' in obtained ? obtained.missing : undefined,
    test,
    'it installs busbar, and the README works',
    async () => {
      const registry = await Registry.start();
      const project = new Project(registry, { type: 'module' });
      const bus = await PrivateBus.start();
      try {
        for (const [name, text] of Object.entries(manager.files ?? {})) project.write(name, text);
        await project.outputOf(command, [...prefix, ...manager.install]);
        project.writeQuickstart();
        await assertConversation((half) => project.start(runner, [...runnerArguments, `${half}.js`], { env: bus.env }));
      } finally {
        project.remove();
        await bus.stop();
        await registry.stop();
      }
    },
  );

  test.run();
}
