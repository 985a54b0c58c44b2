/** The error of a view whose service has no object manager at the path: its text asks for another path. */
import {
  DBusError,
  errorFromReply,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
} from '../base/errors.js';
import { describeMessage, type HeaderFields } from '../connection/message.js';

const kinds = [UnknownObjectError, UnknownInterfaceError, UnknownMethodError];

/** Returns an error that asks for the path if the service does not know what was called, and otherwise `reason` itself. */
export function askForPath(reason: unknown, call: HeaderFields): unknown {
  if (!(reason instanceof DBusError) || !kinds.some((kind) => reason instanceof kind)) return reason;
  const { reply, body } = reason;
  if (reply === undefined) return reason;
  const text = typeof body[0] === 'string' ? body[0] : '';
  return errorFromReply(reply, text, body, `${describeMessage(call)}; is the object manager at another path?`);
}
