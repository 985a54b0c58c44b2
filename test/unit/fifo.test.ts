// A queue that is compared with an array, and the number of elements that it moves.
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fifo } from '../../src/base/fifo.js';
import { elementsHandled } from '../helpers/array-steps.js';

const test = suite('fifo');

test('it gives the elements in the order in which they were added, as an array does', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.nat({ max: 200 }).map((count) => ['push', count] as const) },
    { weight: 5, arbitrary: fc.nat({ max: 300 }).map((count) => ['shift', count] as const) },
    { weight: 1, arbitrary: fc.constant(['take all', 1] as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const [what, count] of steps) {
        if (what === 'take all') assert.equal(queue.takeAll(), model.splice(0));
        for (let i = 0; i < count && what !== 'take all'; i++) {
          if (what === 'shift') assert.is(queue.shift(), model.shift());
          else {
            queue.push(next);
            model.push(next++);
          }
        }
        assert.is(queue.size, model.length);
      }
    }),
    { numRuns: 300 },
  );
});

for (const [what, take, steps] of [
  ['taking 400 000 elements', drain, 400_000],
  ['taking one of 400 000 elements for each that is added', slide, 800_000],
] as const) {
  test(`${what} handles four for each at most`, () => {
    const queue = new Fifo<number>();
    for (let i = 0; i < 400_000; i++) queue.push(i);
    const handled = elementsHandled(() => take(queue));
    assert.ok(handled <= 4 * steps, `${handled} elements`);
  });
}

function drain(queue: Fifo<number>): void {
  for (let i = 0; i < 400_000; i++) if (queue.shift() !== i) throw new Error(`not ${i}`);
}

function slide(queue: Fifo<number>): void {
  for (let i = 0; i < 800_000; i++) {
    queue.push(400_000 + i);
    if (queue.shift() !== i) throw new Error(`not ${i}`);
  }
}

test('a taken element is not kept', async () => {
  const queue = new Fifo<object>();
  const taken = new WeakRef(add(queue));
  queue.push({});
  queue.shift();
  // A WeakRef keeps its object until the end of the tick.
  await new Promise((resolve) => setImmediate(resolve));
  global.gc?.();
  assert.is(taken.deref(), undefined);
  assert.is(queue.size, 1);
});

function add(queue: Fifo<object>): object {
  const element = {};
  queue.push(element);
  return element;
}

test.run();
