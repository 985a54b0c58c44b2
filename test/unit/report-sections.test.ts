/** The sections of pages that tools write with `--report`: scripts/report.mjs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pages, readSection, replaceSection, table, tableRows, withOtherRows } from '../../scripts/report.mjs';
import { projectRoot } from '../helpers/paths.js';

const PAGE = 'build/report-sections.md';
const head = ['what', 'passed'];

function write(text: string): void {
  mkdirSync(join(projectRoot, 'build'), { recursive: true });
  writeFileSync(join(projectRoot, PAGE), text);
}

test('a section is replaced, and the page around it stays the same', () => {
  write('# A page\n\n<!-- one -->\nold\n<!-- /one -->\n\nbetween\n\n<!-- two -->\nother\n<!-- /two -->\n');
  replaceSection(PAGE, 'one', 'new $& text');
  const expected =
    '# A page\n\n<!-- one -->\nnew $& text\n<!-- /one -->\n\nbetween\n\n<!-- two -->\nother\n<!-- /two -->\n';
  assert.is(readFileSync(join(projectRoot, PAGE), 'utf8'), expected);
  assert.is(readSection(PAGE, 'two'), 'other');
});

test('a section that the page does not have is an error', () => {
  write('# A page\n');
  assert.throws(() => replaceSection(PAGE, 'one', ''), /build\/report-sections\.md has no section one/);
});

test('a table is read as it was written', () => {
  const rows = [
    ['a | b', '1'],
    ['', '20'],
  ];
  write(`<!-- one -->\nBefore.\n\n${table(head, rows)}\n<!-- /one -->\n`);
  assert.equal(tableRows(PAGE, 'one'), rows);
});

test('rows replace those about the same subject, and keep the others, in order', () => {
  write(
    `<!-- one -->\n${table(head, [
      ['x', '1'],
      ['x', '2'],
      ['y', '3'],
      ['gone', '4'],
    ])}\n<!-- /one -->\n`,
  );
  const rows = withOtherRows(PAGE, 'one', [['x', '9']], ['y', 'x']);
  assert.equal(rows, [
    ['y', '3'],
    ['x', '9'],
  ]);
});

test('every section of the pages has its end', () => {
  for (const page of Object.values(pages)) {
    const marks = [...readFileSync(join(projectRoot, page), 'utf8').matchAll(/^<!-- (\/?)(\S+) -->$/gm)];
    assert.ok(marks.length > 0, page);
    const wrong = marks.filter(([, end, name], index) => marks[end === '' ? index + 1 : index - 1]?.[2] !== name);
    assert.equal(wrong, [], page);
  }
});

test.run();
