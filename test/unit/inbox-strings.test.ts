/** Header strings are kept by their ids; long ones, which are rarely repeated, for their batch only. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BatchMemory } from '../../src/connection/receiving/batch-memory.js';
import { Inbox } from '../../src/connection/receiving/inbox.js';
import { Column } from '../../src/native/binding.js';

const test = suite('inbox: strings');

/** Writes a batch of one row with these strings, as the addon does. */
function deliver(inbox: Inbox, texts: ReadonlyMap<number, string>, pathId: number): void {
  const memory = new BatchMemory();
  const { arena, strings, rows } = memory;
  let used = 0;
  let entry = 0;
  for (const [id, text] of texts) {
    const length = Buffer.from(arena).write(text, used);
    strings.set([id, used, length], entry);
    entry += 3;
    used += length;
  }
  rows.fill(0, 0, 16);
  rows[Column.Type] = 4;
  rows[Column.Path] = pathId;
  inbox.use(memory);
  inbox.intern(texts.size, undefined);
  inbox.select(0, undefined);
}

test('a long string is forgotten with its batch, and a short one is kept', () => {
  const inbox = new Inbox(1, true, 10);
  const long = `/${'x'.repeat(255)}`;
  const short = `/${'x'.repeat(254)}`;
  deliver(
    inbox,
    new Map([
      [5000, long],
      [1, short],
    ]),
    5000,
  );
  assert.is(inbox.path, long);
  inbox.release();
  inbox.endBatch();
  deliver(inbox, new Map(), 5000);
  assert.is(inbox.path, undefined);
  deliver(inbox, new Map(), 1);
  assert.is(inbox.path, short);
});

test('the id of a long string is used for another string later', () => {
  const inbox = new Inbox(1, true, 10);
  deliver(inbox, new Map([[5000, `/${'y'.repeat(100_000)}`]]), 5000);
  inbox.endBatch();
  deliver(inbox, new Map([[5000, '/short']]), 5000);
  inbox.endBatch();
  assert.is(inbox.path, '/short');
});

test.run();
