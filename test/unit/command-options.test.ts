// time limit: 300 s
// Every command of package.json has a usage for `--help`, and refuses an unknown option in one line with exit code 2.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { run } from '../helpers/program.js';

const test = suite('command options');

const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Commands by name, each as the arguments of Node.js: those of package.json, and the tools that other commands run. */
const commands = new Map(
  Object.entries(scripts)
    .filter(([, line]) => line.startsWith('node scripts/'))
    .map(([name, line]) => [`npm run ${name}`, line.split(' ').slice(1)]),
);
for (const tool of ['clang-format', 'native-tests', 'type-tests', 'run']) commands.set(tool, [`scripts/${tool}.mjs`]);

/**
 * The program itself, without the setup before it, which takes long and installs what is missing. Examples leave their
 * options to it.
 */
function withoutSetup([script = '', program = '', ...args]: readonly string[]): readonly string[] {
  return script !== 'scripts/run.mjs' || !/^(bench|test)\//.test(program)
    ? [script, program, ...args].filter((word) => word !== '')
    : ['--import', 'tsx', program, ...args];
}

test('all commands are here', () => {
  assert.ok(commands.size >= 25, `${commands.size} commands`);
  const others = Object.entries(scripts).filter(([name]) => !commands.has(`npm run ${name}`));
  // They consist of other commands, and of tools that have their own options.
  assert.equal(
    others.map(([name]) => name),
    ['prepack', 'prepublishOnly', 'check', 'format'],
  );
});

for (const [name, args] of commands) {
  test(`${name} --help prints the usage`, async () => {
    const { code, stdout, stderr } = await run(process.execPath, [...args, '--help']);
    assert.equal([code, stderr], [0, '']);
    assert.match(stdout, /^Usage: /);
    assert.match(stdout, /\n {2}--help +prints this text/);
  });

  test(`${name} refuses an unknown option`, async () => {
    const { code, stdout, stderr } = await run(process.execPath, [...withoutSetup(args), '--nonsense']);
    assert.equal([code, stdout], [2, '']);
    assert.match(stderr, /^Unknown option '--nonsense'; known: (--\w[-\w]*, )*--help\n$/);
  });
}

test('values and words that an option cannot have are refused in one line, too', async () => {
  const refusals: Readonly<Record<string, string>> = {
    'scripts/test.mjs --part 4': '--part is not like 1/3: 4',
    'scripts/test.mjs --part': "Option '--part <value>' argument missing",
    'scripts/build.mjs everything': 'Which part? node scripts/build.mjs js|native',
    'scripts/packed.mjs': 'Which tests? node scripts/packed.mjs pack|tools [words] [--report]',
    'scripts/packed.mjs tools gulp': 'No file in test/tools has gulp in its name.',
    'scripts/fuzz.mjs --minutes soon': '--minutes takes a number above 0, not soon.',
    'scripts/fuzz.mjs --only sasll': 'There is no target sasll; there are ',
    'scripts/sanitize.mjs --only memory': 'There is no part memory; there are tidy, valgrind, addon.',
    'scripts/runtimes.mjs --only nod': '--only: there is no nod; there are node, node22, ',
    'scripts/runtimes.mjs --foreign --only bun': '--only: there is no bun; there are arm64, arm, musl.',
    'scripts/runtimes.mjs --suite bux': '--suite: there are no tests in test/bux.',
    'scripts/runtimes.mjs --poller select': '--poller takes uv or thread, not select.',
    'scripts/prebuild.mjs linux-x86/busbar.node': 'There is no binary linux-x86/busbar.node; there are ',
    'scripts/check-package.mjs now': "Unexpected argument 'now'",
  };
  for (const [line, text] of Object.entries(refusals)) {
    const { code, stdout, stderr } = await run(process.execPath, line.split(' '));
    assert.equal([code, stdout], [2, ''], `${line}: ${stdout}${stderr}`);
    assert.ok(stderr.startsWith(text), `${line}: ${stderr}`);
    assert.is(stderr.split('\n').length, 2, line);
  }
});

test.run();
