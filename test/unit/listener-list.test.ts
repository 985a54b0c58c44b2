// A list whose listeners end in any order, while it is iterated over.
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ListenerList } from '../../src/bus/rules/listener-list.js';
import { elementsHandled } from '../helpers/array-steps.js';

const test = suite('listener list');

interface Listener {
  readonly id: number;
  ended: boolean;
}

function listOf(count: number): { readonly list: ListenerList<Listener>; readonly listeners: readonly Listener[] } {
  const list = new ListenerList<Listener>();
  const listeners = Array.from({ length: count }, (_, id) => ({ id, ended: false }));
  for (const listener of listeners) list.add(listener);
  return { list, listeners };
}

function end(list: ListenerList<Listener>, listener: Listener): void {
  listener.ended = true;
  list.forgetEnded();
}

const live = ({ all }: ListenerList<Listener>) => all.filter(({ ended }) => !ended).map(({ id }) => id);

test('it has the listeners that have not ended, in the order of subscription', () => {
  fc.assert(
    fc.property(fc.nat({ max: 40 }), fc.infiniteStream(fc.nat()), fc.nat({ max: 40 }), (count, choices, ends) => {
      const { list, listeners } = listOf(count);
      const left = [...listeners];
      for (let i = 0; i < ends && left.length > 0; i++) {
        end(list, left.splice((choices.next().value as number) % left.length, 1)[0] as Listener);
        assert.equal(
          live(list),
          left.map(({ id }) => id),
        );
        assert.is(list.size, left.length);
        assert.ok(list.all.length <= Math.max(8, 2 * list.size));
      }
    }),
  );
});

test('an array that was read does not change when listeners end, and only grows when listeners are added', () => {
  const { list, listeners } = listOf(100);
  const { all } = list;
  list.add({ id: 100, ended: false });
  for (const listener of listeners) end(list, listener);
  assert.equal(all.slice(0, 100), listeners);
  assert.equal(live(list), [100]);
});

for (const [order, sorted] of [
  ['the first', (listeners: readonly Listener[]) => listeners],
  ['the last', (listeners: readonly Listener[]) => [...listeners].reverse()],
] as const) {
  test(`ending 10 000 listeners, ${order} one first, looks at two for each`, () => {
    const { list, listeners } = listOf(10_000);
    const inOrder = sorted(listeners);
    const handled = elementsHandled(() => {
      for (let i = 0; i < inOrder.length; i++) end(list, inOrder[i] as Listener);
    });
    assert.is(list.size, 0);
    assert.ok(handled <= 2 * 10_000 + 100, `${handled} elements`);
  });
}

test.run();
