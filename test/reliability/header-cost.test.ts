// A header may have as many unknown fields as fit into it: their cost for the event loop.
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listen } from '../../src/index.js';
import { patience } from '../helpers/patience.js';
import { folder, PATH } from '../helpers/peers.js';
import { RawPeer } from '../helpers/raw-peer.js';
import type { Bytes } from '../helpers/wire.js';

const test = suite('header cost');
const FIELD_BYTES = 256 * 1024;
/** Milliseconds for which the loop may be blocked. */
const HELD_LIMIT = 20 * patience;
/** The machine may do other things meanwhile: the cost of a message is its best result. */
const MESSAGES = 12;
const PING = { path: PATH, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };

const LETTERS = 'ybnqiuxtdsog';

/** A different signature for each number, of a type without values: an empty array. */
function emptyArray(number: number): string {
  let letters = '';
  for (let rest = number + LETTERS.length ** 5; rest > 0; rest = Math.floor(rest / LETTERS.length)) {
    letters += LETTERS[rest % LETTERS.length];
  }
  return `a(${letters})`;
}

const fields: Readonly<Record<string, (bytes: Bytes, number: number) => void>> = {
  'a byte': (bytes) => bytes.u8(200).signature('y').u8(1),
  'a text': (bytes) => bytes.u8(201).signature('s').text('text'),
  'an empty array of one type': (bytes) => bytes.u8(202).signature('a(yv)').u32(0).align(8),
  'an empty array of a different type': (bytes, number) =>
    bytes.u8(203).signature(emptyArray(number)).align(4).u32(0).align(8),
};

for (const [what, write] of Object.entries(fields)) {
  test(`256 KiB of unknown header fields (${what} each) block the loop for less than 20 ms`, async () => {
    await using server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: () => {} });
    const end = await RawPeer.authenticated(server.address);
    const messages = Array.from({ length: MESSAGES }, (_, index) => {
      const moreFields = (bytes: Bytes) => {
        for (let number = 0; bytes.length < FIELD_BYTES; number++) write(bytes.align(8), index * 100_000 + number);
      };
      // sd-bus drops some of these silently; in any case the next message is answered.
      const costly = end.message({ type: 1, ...PING, moreFields });
      const serial = end.nextSerial();
      return { serial, bytes: Buffer.concat([costly, end.message({ type: 1, ...PING, serial })]) };
    });
    const held: number[] = [];
    for (const { serial, bytes } of messages) {
      let isAnswered = false;
      const answered = end.until(({ replySerial }) => replySerial === serial).then(() => (isAnswered = true));
      end.inject(bytes);
      let longest = 0;
      for (let last = performance.now(); !isAnswered; ) {
        await turn();
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }
      await answered;
      held.push(longest);
    }
    assert.ok(Math.min(...held) < HELD_LIMIT, `${Math.min(...held)} ms`);
  });
}

test.run();
