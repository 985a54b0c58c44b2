/**
 * Valid messages, changed in one or two places: a byte, or a number of four bytes, becomes one that is likely to matter.
 * Nothing moves, so that the message is still one message. The same seed makes the same changes.
 */
import fc from 'fast-check';
import { type Corpus, type CorpusMessage, isOneMessage } from '../corpus.js';

const bytes = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(...Buffer.from('\0\x01\x02\x7f\x80\xffybnqiuxtdsogahv(){}r/._:1A', 'latin1')),
);
const numbers = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x400_0000, 0x400_0001, 0x800_0000),
);
/** The changed part of the message, and the change. */
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ at: fc.nat(), byte: bytes }) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(), number: numbers }) },
);
const changes = fc.tuple(fc.nat(), fc.array(change, { minLength: 1, maxLength: 2 }));

type Change = { readonly at: number; readonly byte: number } | { readonly at: number; readonly number: number };

function changed(message: Buffer, places: readonly Change[]): Buffer {
  const copy = Buffer.from(message);
  for (const place of places) {
    if ('byte' in place) {
      copy[place.at % copy.length] = place.byte;
    } else if (copy[0] === 0x42) {
      copy.writeUInt32BE(place.number, aligned(copy, place.at));
    } else {
      copy.writeUInt32LE(place.number, aligned(copy, place.at));
    }
  }
  return copy;
}

const aligned = (message: Buffer, at: number) => 4 * (at % Math.floor(message.length / 4));

/** `count` changes of messages drawn from these; fewer if a change did not result in one message. */
export function changedCorpus(from: readonly CorpusMessage[], seed: number, count: number): Corpus {
  const messages = fc
    .sample(changes, { seed, numRuns: count })
    .map(([which, places]): CorpusMessage => {
      const original = from[which % from.length] as CorpusMessage;
      return { name: `${original.name}, changed: ${JSON.stringify(places)}`, bytes: changed(original.bytes, places) };
    })
    .filter((message) => isOneMessage(message.bytes));
  return { name: 'changed messages', messages, mostlyBroken: true };
}
