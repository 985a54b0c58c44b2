/** The pages whose sentences are checked, and for each the file that names the tests of its sentences. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../helpers/paths.js';
import { isPromise, type Sentence, sentencesOf } from './sentences.js';

/**
 * Paths relative to the root. Other pages are for contributors, or report measurements and results of one time: how busbar
 * is built, which gaps are known, which tests ran with which result. The reference is made from the comments of the code.
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

/** The file that names the tests of a page's sentences. */
export function recordOf(page: string): string {
  return `test/documentation/held/${page}`;
}
