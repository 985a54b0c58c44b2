// time limit: 180 s
/**
 * Messages that busbar sends in the same way as programs do have the right headers and values, as busbar itself and all
 * other implementations on this machine read them. On both transports.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BUS, CLIENT } from '../helpers/fake-bus.js';
import { DescriptorRelay } from '../helpers/fake-bus-descriptors.js';
import { testUnless } from '../helpers/skip.js';
import { wireMessage } from '../helpers/wire.js';
import { MessageReader, type SentMessage } from '../helpers/wire-reader.js';
import { assertNothingUnexpected } from './assertions.js';
import { sentCorpus } from './corpora/sent.js';
import type { CorpusMessage } from './corpus.js';
import { Differential } from './differential.js';
import { wireCheck } from './readers/index.js';
import { TransportReader } from './transport-reader.js';
import { normalText } from './typed-text.js';

const test = suite('sent messages');

/** Not the seed of the other tests, so that they have different messages. */
const SEED = 20_240_503;
const missing = wireCheck.missing ?? DescriptorRelay.missing();

for (const transport of ['socket', 'sd-bus'] as const) {
  testUnless(missing, test, `all readers agree on messages sent over ${transport}`, async () => {
    const corpus = await sentCorpus(transport, SEED, 150);
    await using differential = await Differential.start();
    const { tallies } = await differential.compare(corpus);
    assertNothingUnexpected(tallies);
    assert.ok(tallies.every(({ messages }) => messages > 0));
  });

  testUnless(missing, test, `messages sent over ${transport} have the right values`, async () => {
    const { messages, values } = await sentCorpus(transport, SEED + 1, 400);
    await using reader = await TransportReader.start('socket');
    let compared = 0;
    for (const [index, message] of messages.entries()) {
      const { body } = await reader.read(forwarded(message));
      // The values of an error have no types.
      if (body === undefined) continue;
      compared++;
      assert.equal(body.map(normalText), (values[index] ?? []).map(normalText), message.name);
    }
    assert.ok(compared > 200, `${compared} were compared`);
  });
}

/**
 * The message as a bus delivers it to its destination: a reply without a sender, or to another connection, answers no call.
 */
function forwarded({ name, bytes, fds }: CorpusMessage): CorpusMessage {
  const reader = new MessageReader();
  reader.push(bytes);
  const { bytes: _bytes, text: _text, ...message } = reader.next() as SentMessage;
  const head = { ...message, unixFds: fds, destination: CLIENT, sender: BUS };
  return {
    name,
    bytes: wireMessage({ ...head, signature: message.signature || undefined }),
    ...(fds === undefined ? {} : { fds }),
  };
}

test.run();
