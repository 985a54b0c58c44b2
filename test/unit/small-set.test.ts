/** A small set against the set of the language, in random steps. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SmallSet } from '../../src/base/small-set.js';

const test = suite('small sets');

test('a small set has the members that a set has', () => {
  const members = Array.from({ length: 4 }, (_, number) => ({ number }));
  const step = fc.tuple(fc.constantFrom('add', 'delete'), fc.constantFrom(...members));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const small = new SmallSet<object>();
      const model = new Set<object>();
      for (const [what, member] of steps) {
        small[what as 'add' | 'delete'](member);
        model[what as 'add' | 'delete'](member);
        assert.is(small.size, model.size);
        assert.equal(new Set(small), model);
        if (small.only !== undefined) assert.equal([...small], [small.only]);
        assert.is([...small].length, model.size, 'no member comes twice');
      }
    }),
  );
});

test.run();
