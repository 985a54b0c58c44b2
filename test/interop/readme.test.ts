// The programs of the README are run unchanged. `test/pack/npm.test.ts` checks that they compile.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documentedFiles, unnamedPrograms } from '../helpers/documented-programs.js';
import { programArguments } from '../helpers/own-runtime.js';
import { projectRoot } from '../helpers/paths.js';
import { folder as runtimeFolder } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { assertConversation, outputOfClient, readme, readmePrograms } from '../helpers/readme.js';

// Within the project, so that `busbar` is the package itself; a separate folder, because the other transport is tested too.
mkdirSync(join(projectRoot, 'build'), { recursive: true });
const folder = mkdtempSync(join(projectRoot, 'build', 'readme-'));
const daemon = await PrivateBus.start();
const test = suite('README');
for (const [name, code] of readmePrograms()) writeFileSync(join(folder, name), code);

test.after(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The output below a program in the README. */
function outputShownFor(name: string): string | undefined {
  return documentedFiles(readme()).find((file) => file.name === name)?.output;
}

function start(name: string): Program {
  const env = { ...daemon.env, XDG_RUNTIME_DIR: runtimeFolder };
  return Program.start(process.execPath, ['--import', 'tsx', join(folder, `${name}.ts`)], { env });
}

test('every example in TypeScript is a program, and these are run here', () => {
  assert.equal(unnamedPrograms(readme()), []);
  const run = ['notify.ts', 'module.ts', 'service.ts', 'client.ts', 'listening.ts', 'connecting.ts'];
  assert.equal([...readmePrograms().keys()], run);
});

test('the service and the client work', async () => {
  await assertConversation(start);
});

test('the client prints the output in the README', async () => {
  await using service = start('service');
  assert.is(await outputOfClient(service, () => start('client')), outputShownFor('client.ts'));
});

test('the client that introspects the object prints the output in the README', async () => {
  await using desktop = Program.start(process.execPath, programArguments('test/interop/desktop.ts'), {
    env: daemon.env,
  });
  await desktop.line('ready');
  assert.is(await outputOfClient(desktop, () => start('notify')), outputShownFor('notify.ts'));
});

test('the peers work', async () => {
  await using listening = start('listening');
  assert.is(await outputOfClient(listening, () => start('connecting')), 'Success\n');
  await listening.line(`a client of user ${process.getuid?.()}`);
  await listening.line('it has left');
});

test.run();
