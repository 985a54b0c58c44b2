// time limit: 120 s
/**
 * The same bytes through both transports: users get the same messages, values, errors and ends of connections, except for
 * the differences that are listed with their reasons. And the socket transport agrees with the check of whole messages,
 * with which the other implementations are compared.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MessageType } from '../../src/index.js';
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
import type { CorpusMessage } from './corpus.js';
import { Differential } from './differential.js';
import { wireCheck } from './readers/index.js';
import type { Reading } from './reading.js';
import { TransportReader } from './transport-reader.js';

const test = suite('both transports');

/** Another seed finds other faults: it is the first thing to change when looking for more. */
const SEED = 20_240_501;

let differential: Differential | undefined;
test.before(async () => {
  if (wireCheck.missing === undefined) differential = await Differential.start([]);
});
test.after(async () => differential?.[Symbol.asyncDispose]());

test('the encoder writes the same as the encoder of the tests', () => {
  for (const [signature, values] of randomBodies(SEED, 1000)) {
    deepStrictEqual(encoded(signature, values), marshalledValues(signature, values), signature);
  }
});

testUnless(
  wireCheck.missing,
  test,
  'a message for each rule: every listed difference occurs, and no other',
  async () => {
    const { tallies } = await (differential as Differential).compareTransports(rulesCorpus());
    assertNothingUnexpected(tallies);
    assertAllMet(tallies);
  },
);

/** A call or a signal, which need no pending call. */
const isRequest = ({ bytes }: CorpusMessage) => bytes[1] === MessageType.MethodCall || bytes[1] === MessageType.Signal;
/** Messages that did not end the connection. */
const isSeen = ({ outcome }: Reading) => outcome === 'message' || outcome === 'faulty body';

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

testUnless(
  wireCheck.missing ?? DescriptorRelay.missing(),
  test,
  'messages with descriptors are read alike',
  async () => {
    const { tallies } = await (differential as Differential).compareTransports(descriptorsCorpus());
    assertNothingUnexpected(tallies);
  },
);

for (const transport of ['socket', 'sd-bus'] as const) {
  test(`messages that come all at once have the readings of single ones, over ${transport}`, async () => {
    await using reader = await TransportReader.start(transport);
    const messages = [...random.messages, ...recorded.messages, ...rulesCorpus().messages].filter(isRequest);
    const readings = await reader.readAll(messages);
    const seen = readings.flatMap((reading, index) => (isSeen(reading) ? [[messages[index], reading] as const] : []));
    assert.ok(seen.length > 1000);
    const together = await reader.readTogether(seen.map(([message]) => message as CorpusMessage));
    const oneByOne = seen.map(([, { answer, ...reading }]) => reading);
    deepStrictEqual(together, oneByOne);
  });
}

test.run();
