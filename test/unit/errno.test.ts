// What the end of a connection is told as, by the errno that the addon gives for it.

import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  InvalidArgumentError,
  LimitsExceededError,
  NotSupportedError,
} from '../../src/base/errors.js';
import { lossOf, refusalOf } from '../../src/connection/errno.js';

const test = suite('errno');

/** Of Linux; Node.js has no name for it. */
const EXFULL = 54;

test('that sd-bus had no room for the descriptors of a message is told in words', () => {
  assert.match(lossOf(EXFULL, '').message, /no room for the file descriptors of a message \(EXFULL\)/);
});

test('why a message was not sent is told by its errno, and only the transport sd-bus speaks of sd-bus', () => {
  const { errno } = constants;
  for (const [number, errorClass, text] of [
    [errno.ENOTCONN, ConnectionClosedError, /lost before sending/],
    [errno.EMFILE, LimitsExceededError, /the process has no file descriptors left \(EMFILE\)/],
    [errno.ENFILE, LimitsExceededError, /the process has no file descriptors left \(ENFILE\)/],
    [109, LimitsExceededError, /too many file descriptors of this user wait in sockets \(ETOOMANYREFS\)/],
    [errno.ENOBUFS, LimitsExceededError, /no memory for it \(ENOBUFS\)/],
    [errno.ENOMEM, LimitsExceededError, /no memory for it \(ENOMEM\)/],
    [errno.EBADF, InvalidArgumentError, /a file descriptor of it is not open \(EBADF\)/],
    [errno.EOPNOTSUPP, NotSupportedError, /takes no file descriptors \(EOPNOTSUPP\)/],
    [errno.EINVAL, NotSupportedError, /refuses it \(EINVAL\)/],
    [errno.EMSGSIZE, NotSupportedError, /refuses it \(EMSGSIZE\)/],
  ] as const) {
    for (const transport of ['socket', 'sd-bus'] as const) {
      const error = refusalOf(number, transport);
      assert.instance(error, errorClass);
      assert.match(error.message, text);
      if (transport === 'socket') assert.not.match(error.message, /sd-bus/);
    }
  }
  // Only its library looks for these.
  assert.match(refusalOf(errno.EILSEQ, 'sd-bus').message, /^sd-bus cannot send this message/);
  assert.match(refusalOf(errno.EINVAL, 'sd-bus').message, /sd-bus refuses it/);
  assert.match(refusalOf(errno.EINVAL, 'socket').message, /the kernel refuses it/);
});

test.run();
