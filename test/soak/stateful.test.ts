// time limit: 180 s
// A short run of the stateful soak on each daemon: services that change, leave and return, and mirrors that stay equal.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { statefulSoak } from './stateful/stateful.js';

const test = suite('stateful soak');

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(PrivateBus.missing({ daemon }), test, `services and their mirrors stay equal over ${daemon}`, async () => {
    const seed = Date.now() % 2 ** 31;
    const { failures, comparisons, counts } = await statefulSoak({ daemon, seconds: 8, seed });
    assert.equal(failures, [], `seed ${seed}`);
    assert.ok(comparisons > 0 && counts.signals > 0 && counts.answered > 0, JSON.stringify(counts));
  });
}

test.run();
