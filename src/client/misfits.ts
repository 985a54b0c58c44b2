/** Error texts and reports for received values that do not have the described type. */

import { InvalidReplyError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { Misfit } from '../codec/misfit.js';
import { describeMessage, type HeaderFields } from '../connection/message.js';
import { reportDropped } from '../diagnostics/problems.js';
import type { Remote } from './remote.js';

const CURE =
  'The class or definition of a proxy must have the signatures that the service sends. ' +
  'A proxy made by with({ loose: true }) accepts all of them. Shown once for each member of a proxy.';

/** @param what the reply, or a part of it */
export function misfitText(what: string, described: string, received: string): string {
  return `${printable(what)} has the signature "${received}", not "${described}" as described`;
}

/** The text for a value whose dictionaries do not have the described keys. */
export function shapeMisfitText(what: string, misfit: Misfit): string {
  return printable(`${what}${misfit.message}`);
}

/** The error of a call whose reply does not have the described keys. */
export function shapeMisfitReply(what: string, misfit: Misfit, call: HeaderFields): InvalidReplyError {
  return new InvalidReplyError(`${shapeMisfitText(what, misfit)} (${describeMessage(call)})`);
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
