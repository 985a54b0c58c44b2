// The tables in the section "Limits" of SECURITY.md: each row names the code that enforces its limit, and the defaults are those of the
// code. promises.test.ts checks that every row has a test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SERVER_LIMITS } from '../../src/connection/limits.js';
import { projectRoot as root } from '../helpers/paths.js';

const test = suite('stated limits');
const MEBIBYTE = 1024 * 1024;

interface Row {
  readonly what: string;
  readonly text: string;
  readonly where: string;
}

const rows = rowsOf(readFileSync(join(root, 'SECURITY.md'), 'utf8'));

/** The rows of the tables below the heading; each table has the same columns. */
function rowsOf(page: string): Row[] {
  const [, section = ''] = /\n## Limits\n([\s\S]*?)\n## /.exec(page) ?? [];
  const tables = [...section.matchAll(/\n((?:\|.*\n)+)/g)].map(([, table = '']) => table.trim().split('\n'));
  return tables
    .flatMap((lines) => lines.slice(2))
    .map((line) => {
      const [, what = '', much = '', beyond = '', where = ''] = line.split('|');
      return { what: what.trim(), text: what + much + beyond + where, where };
    });
}

/** The files that a cell links, relative to the root. */
function linked(cell: string): string[] {
  return [...cell.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path as string);
}

test('the names in a row exist in its file', () => {
  assert.ok(rows.length > 30, `${rows.length} rows`);
  for (const { what, where } of rows) {
    assert.ok(linked(where).length > 0, `“${what}” names no file`);
    for (const [, path = '', names = ''] of where.matchAll(/\]\(([^)]+)\)([^[]*)/g)) {
      const source = readFileSync(join(root, path), 'utf8');
      for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) {
        assert.ok(new RegExp(`\\b${name}\\b`).test(source), `“${what}”: there is no ${name} in ${path}`);
      }
    }
  }
});

test('every configurable limit is stated with its default', () => {
  for (const [name, value] of Object.entries(SERVER_LIMITS)) {
    const size = value % MEBIBYTE === 0 ? `${value / MEBIBYTE} MiB` : `${value}`;
    const stated = rows.some(({ text }) => text.includes(`\`${name}\``) || text.includes(`limits.${name}\``));
    assert.ok(stated, `limits.${name} is not stated`);
    assert.ok(
      rows.some(({ text }) => new RegExp(`\`(limits\\.)?${name}\``).test(text) && text.includes(size)),
      `limits.${name}: nothing states ${size}`,
    );
  }
});

test.run();
