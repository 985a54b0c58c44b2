import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Numbered, SerialTable } from '../../src/connection/sending/serial-table.js';

/** Serials that share places, near and far, up to the point where they begin again. */
const anySerial = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 20 }).map((n) => n + 1024),
  fc.integer({ min: 1, max: 20 }).map((n) => n + 1024 * 1024),
  fc.integer({ min: 1, max: 20 }).map((n) => 0xffff_ffff - n),
);

test('whatever is added and removed, the table equals a Map', () => {
  fc.assert(
    fc.property(fc.array(anySerial, { maxLength: 200 }), (serials) => {
      const table = new SerialTable<Numbered>();
      const model = new Map<number, Numbered>();
      for (const serial of serials) {
        const entry = model.get(serial);
        if (entry === undefined) {
          const added = { serial };
          model.set(serial, added);
          table.add(added);
        } else {
          model.delete(serial);
          table.remove(entry);
        }
        assert.is(table.size, model.size);
        for (const each of serials) assert.is(table.get(each), model.get(each));
      }
      assert.equal(
        table.entries(),
        [...model.values()].sort((a, b) => a.serial - b.serial),
      );
    }),
  );
});

test('more entries than places are kept and found', () => {
  const table = new SerialTable<Numbered>();
  const entries = Array.from({ length: 5000 }, (_, index) => ({ serial: index + 1 }));
  for (const entry of entries) table.add(entry);
  for (const entry of entries) assert.is(table.get(entry.serial), entry);
  for (const entry of entries) table.remove(entry);
  assert.is(table.size, 0);
  assert.is(table.get(1), undefined);
  assert.equal(table.entries(), []);
});

test.run();
