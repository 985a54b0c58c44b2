// time limit: 120 s
/**
 * The same bytes through busbar and through every other implementation on the machine: they accept and refuse the same
 * messages, and read the same values, except for the differences that are listed with the rule of the specification.
 * Messages that they write of the values are read back. `npm run test:differential` does the same for longer.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip, testUnless } from '../helpers/skip.js';
import { assertAllMet, assertNothingUnexpected } from './assertions.js';
import { changedCorpus } from './corpora/changed.js';
import { randomCorpus } from './corpora/random.js';
import { recordedCorpus } from './corpora/recorded.js';
import { rulesCorpus } from './corpora/rules.js';
import { sharedCorpora } from './corpora/shared.js';
import { merged } from './corpus.js';
import { Differential } from './differential.js';
import { otherReaders, wireCheck } from './readers/index.js';

const test = suite('busbar and other implementations');

/** Not the seed of the other test, so that the two have different messages. */
const SEED = 20_240_502;

let differential: Differential | undefined;
test.before(async () => {
  if (wireCheck.missing === undefined) differential = await Differential.start();
});
test.after(async () => differential?.[Symbol.asyncDispose]());

for (const { name, missing } of otherReaders) if (missing !== undefined) skip(test, `${name} reads alike`, missing);

testUnless(
  wireCheck.missing,
  test,
  'a message for each rule: every listed difference occurs, and no other',
  async () => {
    const { tallies } = await (differential as Differential).compare(rulesCorpus());
    assertNothingUnexpected(tallies);
    assertAllMet(tallies);
  },
);

const random = randomCorpus(SEED, 400);
const changed = changedCorpus(random.messages, SEED, 1000);

const shared = merged('messages of other implementations', sharedCorpora(25));

for (const corpus of [random, recordedCorpus(), changed, shared]) {
  testUnless(wireCheck.missing ?? corpus.missing, test, `${corpus.name}: read alike, and written alike`, async () => {
    const { tallies } = await (differential as Differential).compare(corpus);
    assertNothingUnexpected(tallies);
    assert.ok(tallies.some(({ messages }) => messages > 0));
  });
}

test.run();
