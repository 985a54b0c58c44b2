// A machine that cannot compile anything: no compiler, no CMake, no Python, and no headers, not even those of C.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { assertConversation } from '../helpers/readme.js';
import { testUnless } from '../helpers/skip.js';
import { Project } from './project.js';
import { Registry } from './registry.js';

const test = suite('bare machine');
const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
console.log(`# what: npm on a machine without compilers and headers\n# version: ${system}`);

/** Tools that build native code, by the names of programs, with prefixes and versions that they may have. */
const TOOL =
  /^(.*-)?(gcc|g\+\+|cc|c\+\+|cpp|clang|clang\+\+|c89|c99|ld|ld\.\w+|as|ar|cmake|ctest|make|gmake|ninja|pkg-config|pkgconf|python[\d.]*)(-[\d.]+)?$/;
const programFolders = [...new Set([...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/local/bin'])].filter(
  existsSync,
);
const headerFolders = ['/usr/include', '/usr/local/include', join(dirname(dirname(process.execPath)), 'include')];

const tools = programFolders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => TOOL.test(name))
    .map((name) => join(folder, name))
    // The target of a link is hidden as well; links cannot be mounted over.
    .filter((path) => !lstatSync(path).isSymbolicLink()),
);

/** Hides all that from the following command, in a separate mount namespace. */
const bare = [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
  [
    ...tools.map((path) => `mount --bind /dev/null '${path}'`),
    ...headerFolders.filter(existsSync).map((path) => `mount -t tmpfs none '${path}'`),
    'exec "$@"',
  ].join('\n'),
  'sh',
];

function lack(): string | undefined {
  const missing = missingPrograms('unshare', 'mount', 'npm');
  if (missing !== undefined) return missing;
  const { status } = spawnSync('unshare', [...bare.slice(1), 'true']);
  return status === 0 ? undefined : 'only root may mount, and not in every container';
}

testUnless(lack(), test, 'busbar is installed and works there', async () => {
  const registry = await Registry.start();
  const bus = await PrivateBus.start();
  const project = new Project(registry, { type: 'module' });
  const there = (command: string, ...args: string[]) =>
    [bare[0] as string, [...bare.slice(1), command, ...args]] as const;
  try {
    for (const tool of ['gcc', 'g++', 'cc', 'c++', 'cmake', 'make', 'python3']) {
      const { code } = await project.start(...there('sh', '-c', `${tool} --version`)).finished;
      assert.ok(code === 126 || code === 127, `${tool} is still there: ${code}`);
    }
    assert.is(await project.outputOf(...there('find', '/usr/include', '-name', '*.h')), '');
    await project.outputOf(...there('npm', 'install', '--ignore-scripts', 'busbar'));
    project.writeQuickstart();
    await assertConversation((half) => project.start(...there(process.execPath, `${half}.js`), { env: bus.env }));
  } finally {
    project.remove();
    await bus.stop();
    await registry.stop();
  }
});

test.run();
