// time limit: 120 s
/**
 * The same bytes through both transports: users see the same messages, values, errors and ends of connections, but for
 * the differences that are listed with their reasons. And the socket transport finds what the check of whole messages
 * finds, which is what the other implementations are compared with.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DescriptorRelay } from '../helpers/fake-bus-descriptors.js';
import { marshalledValues } from '../helpers/marshalled-values.js';
import { testUnless } from '../helpers/skip.js';
import { assertAllMet, assertNothingUnexpected } from './assertions.js';
import { changedCorpus } from './corpora/changed.js';
import { descriptorsCorpus } from './corpora/descriptors.js';
import { encoded, randomBodies, randomCorpus } from './corpora/random.js';
import { recordedCorpus } from './corpora/recorded.js';
import { rulesCorpus } from './corpora/rules.js';
import { sharedCorpora } from './corpora/shared.js';
import { Differential } from './differential.js';
import { wireCheck } from './readers/index.js';

const test = suite('both transports');

/** Another one finds other things: it is the first thing to change when looking for more. */
const SEED = 20_240_501;

let differential: Differential | undefined;
test.before(async () => {
  if (wireCheck.missing === undefined) differential = await Differential.start([]);
});
test.after(async () => differential?.[Symbol.asyncDispose]());

test('the encoder writes what the encoder of the tests writes', () => {
  for (const [signature, values] of randomBodies(SEED, 1000)) {
    deepStrictEqual(encoded(signature, values), marshalledValues(signature, values), signature);
  }
});

testUnless(
  wireCheck.missing,
  test,
  'a message for each rule: every listed difference is met, and no other',
  async () => {
    const { tallies } = await (differential as Differential).compareTransports(rulesCorpus());
    assertNothingUnexpected(tallies);
    assertAllMet(tallies);
  },
);

const random = randomCorpus(SEED, 1500);
const recorded = recordedCorpus();
const changed = changedCorpus([...random.messages, ...recorded.messages, ...rulesCorpus().messages], SEED, 2500);
for (const corpus of [recorded, random, changed, ...sharedCorpora(4)]) {
  testUnless(wireCheck.missing ?? corpus.missing, test, `${corpus.name}: seen alike`, async () => {
    assert.ok(corpus.messages.length > 0);
    const { tallies } = await (differential as Differential).compareTransports(corpus);
    assertNothingUnexpected(tallies);
  });
}

testUnless(wireCheck.missing ?? DescriptorRelay.missing(), test, 'messages with descriptors: seen alike', async () => {
  const { tallies } = await (differential as Differential).compareTransports(descriptorsCorpus());
  assertNothingUnexpected(tallies);
});

test.run();
