// Operations that cost the same with one subscription, rule or queued signal and with thousands: the elements of arrays
// that they handle are counted.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MatchRule, MessageBus } from '../../src/index.js';
import { elementsHandled } from '../helpers/array-steps.js';
import { Example, PATH, peers } from '../helpers/peers.js';
import { until } from '../helpers/until.js';

const test = suite('growing lists');

const MANY = 10_000;
/** The elements that one subscription handles: the conditions of its rule, for example. */
const EACH = 200;

const kinds: Readonly<Record<string, (i: number) => MatchRule>> = {
  'to one rule': () => ({ path: PATH, interface: Example.name, member: 'Said' }),
  'to rules that differ in an argument': (i) => ({ path: PATH, member: 'Said', arg1: `value ${i}` }),
  'to rules that differ in the first argument': (i) => ({ path: PATH, member: 'Said', arg0: `value ${i}` }),
  'to rules that differ in the path': (i) => ({ path: `${PATH}/${i}`, member: 'Said' }),
  'to rules that differ in the namespace': (i) => ({ pathNamespace: `${PATH}/${i}`, member: 'Said' }),
};

for (const [kind, ruleOf] of Object.entries(kinds)) {
  test(`adding and ending ${MANY} subscriptions ${kind} costs the same for each`, async () => {
    await using both = await peers();
    const bus: MessageBus = both.client;
    const subscriptions: Disposable[] = [];
    const added = elementsHandled(() => {
      for (let i = 0; i < MANY; i++) subscriptions.push(bus.subscribe(ruleOf(i), () => {}));
    });
    assert.ok(added <= EACH * MANY, `${added} elements`);
    // From the middle, where looking for one takes longest.
    const order = subscriptions.map((_, i) => (i + MANY / 2) % MANY);
    const ended = elementsHandled(() => {
      for (let i = 0; i < MANY; i++) subscriptions[order[i] as number]?.[Symbol.dispose]();
    });
    assert.ok(ended <= EACH * MANY, `${ended} elements`);
    assert.is(bus.stats().subscriptions, 0);
  });
}

for (const limit of [MANY, MANY / 10]) {
  test(`a loop takes ${MANY} queued signals at the same cost for each, with a limit of ${limit}`, async () => {
    await using both = await peers();
    const { client, accepted } = both;
    using queue = client.proxy(Example, undefined, PATH).watch.Said({ limit });
    for (let i = 0; i < MANY; i++) {
      accepted.emit({ path: PATH, interface: Example.name, member: 'Said', signature: 's', body: [`${i}`] });
      if (i % 1000 === 0) await accepted.flush();
    }
    await until(() => client.stats().messagesReceived >= MANY);
    assert.is(queue.dropped, MANY - limit);
    const results: Promise<IteratorResult<unknown[], undefined>>[] = [];
    const handled = elementsHandled(() => {
      for (let i = 0; i < limit; i++) results.push(queue.next() as (typeof results)[number]);
    });
    assert.ok(handled <= 4 * MANY, `${handled} elements`);
    const texts = await Promise.all(results.map(async (result) => (await result).value?.[0]));
    assert.equal(
      texts,
      Array.from({ length: limit }, (_, i) => `${MANY - limit + i}`),
    );
  });
}

test.run();
