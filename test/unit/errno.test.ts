// The reason for the end of a connection, by the errno of the addon.

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

/** The number is that of Linux; Node.js has no name for it. */
const EXFULL = 54;

test('the error if sd-bus had no room for the descriptors of a message says so', () => {
  assert.match(lossOf(EXFULL, '').message, /no room for the file descriptors of a message \(EXFULL\)/);
});

test('the reason why a message was not sent follows from its errno, and only the transport sd-bus names sd-bus', () => {
  const { errno } = constants;
  for (const [number, errorClass, text] of [
    [errno.ENOTCONN, ConnectionClosedError, /lost before sending/],
    [errno.EMFILE, LimitsExceededError, /the process has no file descriptors left \(EMFILE\)/],
    [errno.ENFILE, LimitsExceededError, /the process has no file descriptors left \(ENFILE\)/],
    [109, LimitsExceededError, /too many file descriptors of this user wait in sockets \(ETOOMANYREFS\)/],
    [errno.ENOBUFS, LimitsExceededError, /not enough memory \(ENOBUFS\)/],
    [errno.ENOMEM, LimitsExceededError, /not enough memory \(ENOMEM\)/],
    [errno.EBADF, InvalidArgumentError, /one of its file descriptors is not open \(EBADF\)/],
    [errno.EOPNOTSUPP, NotSupportedError, /does not accept file descriptors \(EOPNOTSUPP\)/],
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
  // Only the sd-bus library looks for these.
  assert.match(refusalOf(errno.EILSEQ, 'sd-bus').message, /^sd-bus cannot send this message/);
  assert.match(refusalOf(errno.EINVAL, 'sd-bus').message, /sd-bus refuses it/);
  assert.match(refusalOf(errno.EINVAL, 'socket').message, /the kernel refuses it/);
});

test.run();
