/** The pages whose sentences are held to, and for each the file that says what holds them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../helpers/paths.js';
import { isPromise, type Sentence, sentencesOf } from './sentences.js';

/**
 * Paths relative to the root. What is not there speaks to those who work on busbar, and of what was measured or seen at a time:
 * how it is built, which gaps are known, what was run with which result. The reference is the comments of the code.
 */
export const pages: readonly string[] = [
  'README.md',
  'SECURITY.md',
  'docs/diagnostics.md',
  'docs/package.md',
  'docs/versions.md',
  ...readdirSync(join(projectRoot, 'docs/guide'))
    .sort()
    .map((name) => `docs/guide/${name}`),
];

/** The sentences of a page that promise something. */
export function promisesOf(page: string): Sentence[] {
  return sentencesOf(readFileSync(join(projectRoot, page), 'utf8')).filter(isPromise);
}

/** Where it is written what holds the sentences of a page. */
export function recordOf(page: string): string {
  return `test/documentation/held/${page}`;
}
