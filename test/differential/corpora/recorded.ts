/**
 * Messages that programs of other implementations sent to each other over a bus: see
 * `test/differential/recorded/record.ts`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../helpers/paths.js';
import type { Corpus } from '../corpus.js';

export function recordedCorpus(): Corpus {
  const file = join(projectRoot, 'test/differential/recorded/messages.json');
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as string[];
  const messages = recorded.map((hex, index) => ({ name: `recorded ${index}`, bytes: Buffer.from(hex, 'hex') }));
  return { name: 'recorded messages', messages };
}
