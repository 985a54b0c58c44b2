// The limits of CONTRIBUTING.md for the length of a file, checked against the files.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import { type Limit, lengthContradictions } from './file-lengths.js';

const test = suite('lengths of files');

const limits: readonly Limit[] = [
  { folders: ['src', 'native', 'scripts', 'bench'], lines: 350 },
  { folders: ['test', 'native/test'], lines: 500 },
  { folders: ['examples'], lines: 90 },
];

/** Files that are longer, each with the reason. No file may be added: split it by its concepts instead. */
const exceptions: Readonly<Record<string, string>> = {
  'native/napi/connection_object.cc': 'the methods of one object, whose turn is one state machine',
  'native/wire/validator.cc': 'one walk over a body, whose functions call each other for every value',
  'src/connection/connection.ts': 'assembles the parts of a connection, some of which are to be moved to its layers',
  'src/connection/receiving/inbox.ts': 'reads rows in one loop, and is to be divided into reading and decoding',
  'src/connection/sending/outbox.ts': 'the queue and the encoding into it, which are to be separated',
  'src/connection/sending/pending-calls.ts': 'the calls and the table of their deadlines, which are to be separated',
  'src/native/binding.ts': 'the types of the whole seam, each field with its comment',
  'src/service/properties/property-store.ts': 'reading and writing of properties, which are to be separated',
};

const EXTENSIONS = /\.(ts|mts|cts|js|mjs|cjs|cc|h|c|py|sh)$/;

/** The number of lines of each file of a folder, by its path from the root of the project. */
function linesOf(folder: string): [path: string, lines: number][] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry): [string, number][] => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : linesOf(path);
    if (!entry.isFile() || !EXTENSIONS.test(entry.name)) return [];
    return [[path, readFileSync(join(projectRoot, path), 'utf8').split('\n').length - 1]];
  });
}

const roots = ['src', 'native', 'scripts', 'bench', 'test', 'examples'];

test('every file is shorter than the limit of its folder, except a few that are listed', () => {
  const files = new Map(roots.flatMap(linesOf));
  for (const root of roots)
    assert.ok([...files.keys()].filter((path) => path.startsWith(`${root}/`)).length > 20, root);
  assert.equal(lengthContradictions(files, limits, exceptions), []);
});

test('CONTRIBUTING.md states the same limits', () => {
  const page = readFileSync(join(projectRoot, 'CONTRIBUTING.md'), 'utf8').replace(/\s+/g, ' ');
  const [sources, tests, examples] = limits;
  assert.ok(page.includes(`fewer than ${sources?.lines} lines; a test file has fewer than ${tests?.lines}`));
  assert.ok(page.includes(`an example fewer than ${examples?.lines}`));
});

test('a file that reaches the limit is found, and so is an exception that is no longer needed', () => {
  const check = (lines: number, reasons: Record<string, string> = {}, path = 'src/a.ts') =>
    lengthContradictions(new Map([[path, lines]]), limits, reasons);
  assert.equal(check(349), []);
  assert.equal(check(350), ['src/a.ts has 350 lines, and must have fewer than 350']);
  assert.equal(check(350, { 'src/a.ts': 'one table' }), []);
  assert.equal(check(349, { 'src/a.ts': 'one table' }), ['src/a.ts is short enough: remove the exception']);
  assert.equal(check(1, { 'src/b.ts': 'one table' }), ['src/b.ts does not exist: remove the exception']);
  assert.equal(check(499, {}, 'native/test/a_test.cc'), []);
  assert.equal(check(500, {}, 'native/test/a_test.cc').length, 1);
  assert.equal(check(350, {}, 'native/tests.cc').length, 1);
});

test.run();
