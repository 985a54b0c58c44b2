// How the sentences of a page are found, and which of them promise something.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { faultOf, readRecord } from './records.js';
import { isPromise, sentencesOf } from './sentences.js';

const test = suite('sentences of the documentation');

const texts = (markdown: string) => sentencesOf(markdown).map(({ text }) => text);
const promised = (text: string) => isPromise({ text, links: [] });

test('sentences end with a full stop, at the end of a list item and of a paragraph', () => {
  assert.equal(texts('It waits\nfor 2 s. Then it `ends`.\n\n- **One.** busbar goes on: e.g. here\n- two'), [
    'It waits for 2 s.',
    'Then it `ends`.',
    '**One.**',
    'busbar goes on: e.g. here',
    'two',
  ]);
});

test('headings, programs, comments and the lines below heads of tables are not sentences', () => {
  const page =
    '# Never\n\n<!-- always -->\n\n```ts\nalways();\n```\n\n| what | how |\n| --- | --- |\n| a | at most 2. Not 3 |\n';
  assert.equal(texts(page), ['| what | how |', '| a | at most 2. Not 3 |']);
});

test('sentences have the text of their links, and know the targets', () => {
  const [sentence] = sentencesOf('It is [tested](test/a.test.ts#all) by [two](native/b.cc).');
  assert.equal(sentence, { text: 'It is tested by two.', links: ['test/a.test.ts', 'native/b.cc'] });
});

test('sentences promise something by a word or a number, outside of code', () => {
  for (const text of [
    'It never ends.',
    'Up to 64 MiB.',
    'At most a second.',
    'Everything arrives.',
    'Without any bus.',
  ]) {
    assert.ok(promised(text), text);
  }
  for (const text of ['Call `close(1)`.', 'It may end.', 'The `never` type.']) assert.not(promised(text), text);
});

test('sentences are held by existing tests only', () => {
  const [held] = readRecord('# What holds a page\n\nIt never ends.\n\n- advice\n- test/a.test.ts: it never ends\n');
  assert.equal(held, { sentence: 'It never ends.', by: ['advice', 'test/a.test.ts: it never ends'] });
  const here = 'test/documentation/sentences.test.ts';
  assert.is(faultOf('advice'), undefined);
  assert.is(faultOf(`${here}: sentences are held by existing tests only`), undefined);
  assert.is(faultOf('native/test/turns_test.cc: a round goes on until its time is over'), undefined);
  assert.is(faultOf('test/interop/guide.test.ts: the programs of peers.md print what it shows'), undefined);
  for (const wrong of [
    'because',
    `${here}: At most a second.`,
    `${here}: are held`,
    'test/gone.test.ts: it never ends',
  ]) {
    assert.type(faultOf(wrong), 'string', wrong);
  }
});

test.run();
