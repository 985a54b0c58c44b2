/** The programs of the README: a module, and services and clients of it, unchanged, and their output. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { documentedFiles } from './documented-programs.js';
import { projectRoot } from './paths.js';
import type { Program } from './program.js';

export function readme(): string {
  return readFileSync(join(projectRoot, 'README.md'), 'utf8');
}

/** The code blocks that begin with a comment with a file name, by that name. */
export function readmePrograms(): ReadonlyMap<string, string> {
  return new Map(documentedFiles(readme()).map(({ name, text }) => [name, text]));
}

/** Runs the service and the client, each with the given function, and asserts that the call between them succeeds. */
export async function assertConversation(start: (half: 'service' | 'client') => Program): Promise<void> {
  await using service = start('service');
  const stdout = await outputOfClient(service, () => start('client'));
  // Bun prints objects line by line, and quotes as JSON does.
  assert.match(stdout, /signal \{\s+vm: ['"]attached disks['"],?\s+\}/);
  assert.match(stdout, 'Success');
  assert.match(stdout, /\{\s+vm: ['"]up['"],?\s+\}/);
  assert.ok(service.running);
}

/**
 * The output of a client that succeeds. The README's services print nothing when they are ready: the client is started
 * again until the service is there.
 */
export async function outputOfClient(service: Program, start: () => Program): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const { code, stdout, stderr } = await start().finished;
    if (attempt < 10 && service.running && /ServiceUnknown|ENOENT/.test(stderr)) continue;
    assert.is(code, 0, `${stderr}${service.stderr}`);
    return stdout;
  }
}
