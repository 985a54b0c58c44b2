/** The programs of the README: a module, a service and a client, as they stand there, and what they say to each other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { documentedFiles } from './documented-programs.js';
import { projectRoot } from './paths.js';
import type { Program } from './program.js';

/** The code blocks that begin with a comment that names a file, by that name. */
export function readmePrograms(): ReadonlyMap<string, string> {
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  return new Map(documentedFiles(readme).map(({ name, text }) => [name, text]));
}

/** Runs the service and the client, each with the given function, and asserts that they understand each other. */
export async function assertConversation(start: (half: 'service' | 'client') => Program): Promise<void> {
  await using service = start('service');
  const { code, stdout, stderr } = await clientOf(service, () => start('client'));
  assert.is(code, 0, `${stderr}${service.stderr}`);
  // Bun prints objects line by line, and quotes as JSON does.
  assert.match(stdout, /signal \{\s+vm: ['"]1 devices['"],?\s+\}/);
  assert.match(stdout, 'Success');
  assert.match(stdout, /\{\s+vm: ['"]up['"],?\s+\}/);
  assert.ok(service.running);
}

/** The README's service says nothing when it is ready: the client is started again until the service is there. */
async function clientOf(service: Program, start: () => Program) {
  for (let attempt = 0; ; attempt++) {
    const client = await start().finished;
    if (attempt === 10 || !service.running || !client.stderr.includes('ServiceUnknown')) return client;
  }
}
