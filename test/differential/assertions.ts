/** The expected results of a comparison. */
import * as assert from 'uvu/assert';
import { describeDisagreement, type Tally, unmetDifferences } from './comparison.js';

const SHOWN = 3;

/**
 * Readers agree, except for the listed differences. A failure shows messages with their bytes, and the seed that made them.
 */
export function assertNothingUnexpected(tallies: readonly Tally[]): void {
  const unexpected = tallies.flatMap((tally) => tally.unexpected);
  if (unexpected.length === 0) return;
  const shown = unexpected.slice(0, SHOWN).map(describeDisagreement).join('\n');
  assert.unreachable(`${unexpected.length} differences that are not listed:\n${shown}\n`);
}

/** Every listed difference of these readers occurred: an entry without a reason has to be removed. */
export function assertAllMet(tallies: readonly Tally[]): void {
  assert.equal(unmetDifferences(tallies), []);
}
