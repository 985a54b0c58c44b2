// Which of the called names makes room for another one, and how many are looked at for it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CalleePool, type PooledCallee } from '../../src/bus/callee-pool.js';

const test = suite('callee pool');

interface Named extends PooledCallee {
  waiting: number;
}

/** Counts the questions whether calls wait for it. */
class Counted implements Named {
  static looks = 0;
  readonly name: string;
  wasCalled = true;
  #waiting = 0;

  constructor(name: string) {
    this.name = name;
  }

  get waiting(): number {
    Counted.looks++;
    return this.#waiting;
  }

  set waiting(waiting: number) {
    this.#waiting = waiting;
  }
}

function poolOf(size: number): { readonly pool: CalleePool<Named>; readonly named: readonly Named[] } {
  const pool = new CalleePool<Named>(size);
  const named = Array.from({ length: size }, (_, i) => new Counted(`N${i}`));
  for (const each of named) pool.add(each);
  return { pool, named };
}

test('the pool is full at its capacity', () => {
  const { pool } = poolOf(3);
  assert.equal([pool.size, pool.isFull, pool.get('N1')?.name, pool.get('N3')], [3, true, 'N1', undefined]);
  pool.remove(pool.get('N1') as Named);
  assert.equal([pool.size, pool.isFull, pool.get('N1')], [2, false, undefined]);
});

test('a name that was called since it was last examined is not dropped', () => {
  const { pool, named } = poolOf(4);
  // All were called when they were added, and the first one was examined first.
  assert.is(pool.leastUsed()?.name, 'N0');
  pool.remove(named[0] as Named);
  (named[1] as Named).wasCalled = true;
  assert.is(pool.leastUsed()?.name, 'N2');
});

test('a name with a waiting call is not dropped, and none is dropped if calls wait for all', () => {
  const { pool, named } = poolOf(3);
  for (const each of named) {
    each.waiting = 1;
    pool.busy++;
  }
  assert.is(pool.leastUsed(), undefined);
  (named[1] as Named).waiting = 0;
  pool.busy--;
  assert.is(pool.leastUsed()?.name, 'N1');
  pool.remove(named[2] as Named);
  assert.is(pool.busy, 1);
});

test('making room looks at two names each time, for any number of names', () => {
  for (const size of [10, 1000]) {
    const { pool } = poolOf(size);
    pool.remove(pool.leastUsed() as Named);
    Counted.looks = 0;
    const rounds = 5 * size;
    for (let i = 0; i < rounds; i++) {
      pool.add(new Counted(`more ${i}`));
      pool.remove(pool.leastUsed() as Named);
    }
    // One look when a name gets its second chance, one when it is chosen, and one when it is removed.
    assert.ok(Counted.looks <= 3 * rounds, `${Counted.looks} looks for ${rounds} rounds`);
  }
});

test.run();
