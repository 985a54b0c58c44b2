/** The error that a program gets for an ERROR message: an instance of the class that it registered for the name, if any. */
import type { DBusError } from '../../base/errors.js';
import { asRegistered } from '../../base/registered-errors.js';
import { report } from '../../diagnostics/problems.js';

export function receivedError(error: DBusError): Error {
  try {
    return asRegistered(error);
  } catch (thrown) {
    report('handler', `no error of the class that is registered for ${error.dbusName} could be made`, thrown);
    return error;
  }
}
