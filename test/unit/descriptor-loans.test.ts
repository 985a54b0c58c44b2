// The number of descriptors on loan, by sender, against a model that remembers every loan.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION_LIMITS } from '../../src/connection/limits.js';
import { DescriptorLoans } from '../../src/connection/receiving/descriptor-loans.js';

const test = suite('descriptor loans');

const senders = [':1.1', ':1.2', ':1.3', ':1.4', ':1.5', ':1.6', undefined] as const;
const step = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    sender: fc.constantFrom(...senders),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ kind: fc.constant('end' as const), which: fc.nat(100) }),
);

test('a sender has its limit, whatever others do, until all together have four times as many', () => {
  const seen = { own: 0, all: 0, granted: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
      (limit, steps) => {
        const loans = new DescriptorLoans(limit);
        const model: { readonly sender: string | undefined; readonly count: number }[] = [];
        const sum = (of: typeof model) => of.reduce((total, { count }) => total + count, 0);
        for (const next of steps) {
          if (next.kind === 'end') {
            const [ended] = model.splice(next.which, 1);
            if (ended !== undefined) loans.end(ended.sender, ended.count);
            continue;
          }
          const { sender, count } = next;
          const own = sum(model.filter((loan) => loan.sender === sender)) + count;
          const all = sum(model) + count;
          const refusal = loans.refusal(sender, count);
          assert.is(refusal !== undefined, own > limit || all > 4 * limit);
          if (refusal === undefined) {
            loans.begin(sender, count);
            model.push({ sender, count });
            seen.granted++;
          } else {
            assert.match(refusal, `limits.descriptors is ${limit}`);
            if (own > limit) seen.own++;
            else seen.all++;
          }
        }
      },
    ),
    { numRuns: 2000, endOnFailure: true },
  );
  assert.ok(seen.own > 100 && seen.all > 100 && seen.granted > 1000, JSON.stringify(seen));
});

test('by default the limit of a sender is 1024, and that of all senders 4096', () => {
  const loans = new DescriptorLoans(CONNECTION_LIMITS.descriptors);
  for (const sender of [':1.1', ':1.2', ':1.3', ':1.4']) {
    assert.is(loans.refusal(sender, 1024), undefined);
    assert.match(loans.refusal(sender, 1025) ?? '', 'limits.descriptors is 1024');
    loans.begin(sender, 1024);
  }
  assert.match(loans.refusal(':1.5', 1) ?? '', 'limits.descriptors is 1024');
  loans.end(':1.1', 1);
  assert.is(loans.refusal(':1.5', 1), undefined);
});

test.run();
