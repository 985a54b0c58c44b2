/** Error texts and reports for received values that do not have the described type. */

import { InvalidReplyError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { describeMessage, type HeaderFields } from '../connection/message.js';
import { reportDropped } from '../diagnostics/problems.js';
import type { Remote } from './remote.js';

const CURE =
  'The proxy is typed by a class or a definition, which has to say what the service sends. ' +
  'with({ loose: true }) makes a proxy that takes what comes. Told once for each member of a proxy.';

/** @param what the reply, or a part of it */
export function misfitText(what: string, described: string, received: string): string {
  return `${printable(what)} carries "${received}", not "${described}" as described`;
}

/** The error of a call whose reply does not have the described type. */
export function misfitReply(what: string, described: string, received: string, call: HeaderFields): InvalidReplyError {
  return new InvalidReplyError(`${misfitText(what, described, received)} (${describeMessage(call)})`);
}

/** Reports, once for each member, that what it sent was dropped. */
export function tellDropped({ bus, destination, path, told }: Remote, member: string, text: string): void {
  if (told.has(member)) return;
  told.add(member);
  reportDropped(`${text}: it is dropped (${describeMessage({ destination, path })})`, CURE, bus.connectionId);
}
