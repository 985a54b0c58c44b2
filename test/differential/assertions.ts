/** What a comparison has to come to. */
import * as assert from 'uvu/assert';
import { describeDisagreement, type Tally, unmetDifferences } from './comparison.js';

const SHOWN = 3;

/** Readers agree, but for what is listed. A failure shows messages with their bytes, and the seed that made them. */
export function assertNothingUnexpected(tallies: readonly Tally[]): void {
  const unexpected = tallies.flatMap((tally) => tally.unexpected);
  if (unexpected.length === 0) return;
  const shown = unexpected.slice(0, SHOWN).map(describeDisagreement).join('\n');
  assert.unreachable(`${unexpected.length} differences that are not listed:\n${shown}\n`);
}

/** Everything that is listed of these readers was met: an entry without a reason has to go. */
export function assertAllMet(tallies: readonly Tally[]): void {
  assert.equal(unmetDifferences(tallies), []);
}
