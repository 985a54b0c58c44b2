// The README's programs are run as they stand there.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documentedFiles, writeFiles } from '../helpers/documented-programs.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';

// Within the project, so that `busbar` is the package itself; of its own, because the other transport is tested too.
mkdirSync(join(projectRoot, 'build'), { recursive: true });
const folder = mkdtempSync(join(projectRoot, 'build', 'readme-'));
const daemon = await PrivateBus.start();
const test = suite('README');

test.after(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

function run(name: string): Program {
  return Program.start(process.execPath, ['--import', 'tsx', join(folder, name)], { env: daemon.env });
}

test('the service and the client of the README work', async () => {
  const files = documentedFiles(readFileSync(join(projectRoot, 'README.md'), 'utf8'));
  assert.equal(
    files.map(({ name }) => name),
    ['module.ts', 'service.ts', 'client.ts'],
  );
  writeFiles(folder, files);
  await using service = run('service.ts');
  const client = await connectWhenReady();
  const { code, stdout, stderr } = await client.finished;
  assert.is(code, 0, stderr);
  assert.match(stdout, "signal { vm: '1 devices' }");
  assert.match(stdout, 'Success');
  assert.match(stdout, "{ vm: 'up' }");
  assert.ok(service.running);
});

/** The README's service says nothing when it is ready: the client is started again until the service is there. */
async function connectWhenReady(): Promise<Program> {
  for (let attempt = 0; ; attempt++) {
    const client = run('client.ts');
    const { stderr } = await client.finished;
    if (attempt === 10 || !stderr.includes('ServiceUnknown')) return client;
  }
}

test.run();
