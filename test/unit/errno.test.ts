// What the end of a connection is told as, by the errno that the addon gives for it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lossOf } from '../../src/connection/errno.js';

const test = suite('errno');

/** Of Linux; Node.js has no name for it. */
const EXFULL = 54;

test('that sd-bus had no room for the descriptors of a message is told in words', () => {
  assert.match(lossOf(EXFULL, '').message, /no room for the file descriptors of a message \(EXFULL\)/);
});

test.run();
