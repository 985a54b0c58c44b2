// The hops of a message, which docs/architecture.md lists: each row names a function of the file beside it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';

const test = suite('hops of a message');

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const section = /\n## The path of a message\n([\s\S]*?)\n## /.exec(read('docs/architecture.md'))?.[1] ?? '';
const rows = [...section.matchAll(/^\| `([^`]+)` \| (.+?) \|/gm)].map(([, file = '', cell = '']) => ({ file, cell }));

test('there are five tables', () => {
  assert.is(section.match(/^\| file \| function \|/gm)?.length, 5);
  assert.ok(rows.length > 25, `${rows.length} rows`);
});

test('each row names functions of its file', () => {
  for (const { file, cell } of rows) {
    const source = read(file);
    for (const [, name = ''] of cell.matchAll(/`(\w+)`/g)) {
      assert.match(source, new RegExp(`\\b${name}\\b`), `${file} has no ${name}`);
    }
  }
});

test.run();
