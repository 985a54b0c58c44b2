// The README's programs are run as they stand there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { assertConversation, readmePrograms } from '../helpers/readme.js';

// Within the project, so that `busbar` is the package itself; of its own, because the other transport is tested too.
mkdirSync(join(projectRoot, 'build'), { recursive: true });
const folder = mkdtempSync(join(projectRoot, 'build', 'readme-'));
const daemon = await PrivateBus.start();
const test = suite('README');

test.after(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the service and the client of the README work', async () => {
  const programs = readmePrograms();
  assert.equal([...programs.keys()], ['module.ts', 'service.ts', 'client.ts']);
  for (const [name, code] of programs) writeFileSync(join(folder, name), code);
  await assertConversation((half) =>
    Program.start(process.execPath, ['--import', 'tsx', join(folder, `${half}.ts`)], { env: daemon.env }),
  );
});

test.run();
