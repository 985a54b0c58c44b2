// The promises of the documentation are tested: every sentence with a number, “never”, “always” or the like is quoted in
// the record of its page, with the tests that hold it. A change of the sentence changes the record.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allSuites, testFiles } from '../../scripts/test/suites.mjs';
import { projectRoot } from '../helpers/paths.js';
import { pages, promisesOf, recordOf } from './pages.js';
import { faultOf, type Held, readRecord } from './records.js';
import type { Sentence } from './sentences.js';

const test = suite('promises of the documentation');

/** The lines below a quotation; records.ts describes them. */
const ENTRY = 'the tests that hold it (“- test/bus/calls.test.ts: title of a test”)';

/** The record of a page, which has no entry for a row that links its test itself. */
const recordsOf = new Map(pages.map((page) => [page, readIfThere(join(projectRoot, recordOf(page)))]));

function readIfThere(path: string): Held[] {
  return existsSync(path) ? readRecord(readFileSync(path, 'utf8')) : [];
}

/** The tests that a sentence links itself, as the rows of SECURITY.md do. */
function ownTests({ links }: Sentence): string[] {
  return links.filter((target) => /^(native\/)?test\//.test(target));
}

for (const page of pages) {
  const record = recordsOf.get(page) as Held[];
  const promises = promisesOf(page).filter((sentence) => ownTests(sentence).length === 0);

  test(`every promise of ${page} has a test`, () => {
    const held = new Set(record.map(({ sentence }) => sentence));
    const open = promises.filter(({ text }) => !held.has(text)).map(({ text }) => text);
    assert.ok(open.length === 0, `Quote in ${recordOf(page)}, with ${ENTRY}:\n\n${open.join('\n\n')}\n`);
  });

  test(`the record of ${page} quotes its sentences, and names tests that exist`, () => {
    const said = promises.map(({ text }) => text);
    const gone = record.filter(({ sentence }) => !said.includes(sentence)).map(({ sentence }) => sentence);
    assert.ok(gone.length === 0, `${page} does not say (any more):\n\n${gone.join('\n\n')}\n`);
    const faults = record.flatMap(({ by }) => by.map(faultOf)).filter((fault) => fault !== undefined);
    assert.ok(faults.length === 0, `${recordOf(page)}:\n\n${faults.join('\n')}\n`);
  });
}

test('a row with a limit links a test of it, which exists', () => {
  const rows = promisesOf('SECURITY.md').filter(({ links }) => links.length > 0);
  for (const { text, links } of rows.filter(({ text }) => text.startsWith('|'))) {
    const tests = ownTests({ text, links });
    if (links.some((target) => /^(native|src)\//.test(target)))
      assert.ok(tests.length > 0, `no test of “${text}” is linked`);
    for (const path of tests) assert.ok(existsSync(join(projectRoot, path)), `${path} does not exist: “${text}”`);
  }
});

test('a test in a record is run by npm run test:all, or is one of the package', () => {
  const run = new Set([...allSuites(), ...['pack', 'tools'].flatMap(testFiles)].map(({ file }) => file));
  for (const [page, record] of recordsOf) {
    for (const line of record.flatMap(({ by }) => by)) {
      const [, file] = /^(\S+\.test\.ts): /.exec(line) ?? [];
      if (file !== undefined) assert.ok(run.has(file), `${recordOf(page)}: ${file} is in no suite`);
    }
  }
});

test.run();
