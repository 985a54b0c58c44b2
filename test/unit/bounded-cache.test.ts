/**
 * The cache keeps the entries that were used last, whatever is requested, and creates no more entries than earlier misses
 * justify.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BoundedCache } from '../../src/base/bounded-cache.js';

const test = suite('bounded cache');

const CAPACITY = 4;
const keys = fc.integer({ min: 0, max: 12 }).map(String);

test('at least the given number of entries is kept, those that were used last', () => {
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 200 }), (uses) => {
      const cache = new BoundedCache<object>(CAPACITY);
      const values = new Map<string, object>();
      /** The keys in use, the one used last at the end. */
      let recent: string[] = [];
      for (const key of uses) {
        const found = cache.get(key);
        if (recent.slice(-CAPACITY).includes(key)) assert.is(found, values.get(key));
        if (found === undefined) values.set(key, cache.add(key, {}));
        else assert.is(found, values.get(key));
        recent = [...recent.filter((each) => each !== key), key];
        assert.ok(cache.size <= 2 * CAPACITY);
      }
    }),
  );
});

test('entries are not made for keys that come once, or in rotation with more keys than fit', () => {
  const cache = new BoundedCache<number>();
  let made = 0;
  const meet = (key: string) => {
    if (cache.get(key) !== undefined) return;
    if (!cache.isFamiliar(key)) return;
    made++;
    cache.add(key, made);
  };
  for (let index = 0; index < 100_000; index++) meet(`once ${index}`);
  assert.ok(made < 100, `${made} were made`);
  made = 0;
  for (let index = 0; index < 100_000; index++) meet(`again ${index % 300}`);
  assert.ok(made >= 290 && made < 350, `${made} were made`);
  made = 0;
  for (let index = 0; index < 120_000; index++) meet(`many ${index % 12_000}`);
  assert.ok(made <= 120_000 / 8, `${made} were made`);
  assert.ok(cache.size <= 2048);
});

test('by default the 1024 entries that were used last are kept, and never more than 2048', () => {
  const cache = new BoundedCache<number>();
  const size = () => cache.size;
  for (let index = 0; index < 10_000; index++) {
    cache.add(`key ${index}`, index);
    assert.ok(size() <= 2048 && size() >= Math.min(index + 1, 1024), `${size()} after ${index + 1}`);
  }
  for (let index = 10_000 - 1024; index < 10_000; index++) assert.is(cache.get(`key ${index}`), index);
  assert.is(cache.get('key 0'), undefined);
});

test.run();
