// The prepared head of a message lives as long as its sender: it must not keep more than its own bytes.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MessageType } from '../../src/connection/message.js';
import { PreparedHead } from '../../src/connection/sending/header.js';

const test = suite('prepared heads');

test('a thousand heads keep less than a megabyte', () => {
  const before = process.memoryUsage().arrayBuffers;
  const heads = Array.from(
    { length: 1000 },
    (_, caller) => new PreparedHead({ type: MessageType.MethodReturn, destination: `:1.${caller}`, signature: 's' }),
  );
  globalThis.gc?.();
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.is(heads.length, 1000);
  assert.ok(grown < 2 ** 20, `${grown} bytes`);
});

test.run();
