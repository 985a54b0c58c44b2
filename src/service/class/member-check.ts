/**
 * Checks a member where it is decorated, so that the error points at the class, which may be used much later. The
 * checks are those of the whole interface.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { methodDescription, propertyDescription, signalDescription } from '../../interface/build.js';
import { refused } from './decoration.js';
import type { Member } from './members.js';

/** @throws {@link InvalidArgumentError} if a name, signature, annotation or option is invalid */
export function checkMember(member: Member): void {
  try {
    if (member.kind === 'method') methodDescription(member.name, member.definition);
    else if (member.kind === 'signal') signalDescription(member.name, member.definition);
    // Without an access it is the one that getter and setter allow, which is known when the class is complete.
    else propertyDescription(member.name, { ...member.definition, access: member.access ?? 'read' });
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw refused(member.kind, member.key, error.message);
    throw error;
  }
}
