/**
 * The conditions of permissions, and how each is decided for a call. If it cannot be decided, it is not met: a caller
 * whose credentials are unknown is refused, and the reason is reported.
 */
import { CallerLeftError, ConnectionClosedError, NameHasNoOwnerError, NotSupportedError } from '../../base/errors.js';
import type { Credentials } from '../../bus/names/driver.js';
import { errorText, report } from '../../diagnostics/problems.js';
import type { CallContext } from '../calls/call-context.js';
import type { CallingConnection } from '../calls/caller.js';
import type { AuthorizeOptions } from './authorize.js';
import { groupId, groupsOf, userId } from './user-database.js';

/** The call that is checked. */
export interface CheckedCall extends CallContext {
  readonly caller: CallingConnection;
  /** The description of the call, for reports. */
  readonly what: string;
  readonly connectionId: number;
  /** @param isQuiet whether the user must not be asked */
  authorize(action: string, options?: AuthorizeOptions, isQuiet?: boolean): Promise<void>;
}

/** What a permit is asked about. */
export interface Question {
  readonly call: CheckedCall;
  /** The arguments of the method, or the value of the property. Decodes them at the first time. */
  args(): readonly unknown[];
  /** Whether the user must not be asked: the call reads many properties, and leaves out those that are refused. */
  readonly isQuiet: boolean;
  /** Called with the reason if a condition cannot be decided, for the answer. */
  undecided(reason: string): void;
}

/** One condition of a permission. */
export interface Condition {
  /** What the caller needs, for the text of the error. */
  readonly text: string;
  /** Conditions with the lowest cost are decided first: 0 without the bus, 1 by the bus, 2 by polkit, which may ask. */
  readonly cost: 0 | 1 | 2;
  /** Returns or resolves with `true` if it is met; rejects or throws if that is the answer to the caller. */
  isMet(question: Question): unknown;
}

/** The program's own function. */
export function programDecides(decide: (call: CallContext, ...args: readonly unknown[]) => unknown): Condition {
  return { text: 'the permission of the service', cost: 0, isMet: ({ call, args }) => decide(call, ...args()) };
}

/** Polkit permits the action. */
export function polkitAction(action: string, details: Readonly<Record<string, string>>): Condition {
  return {
    text: `the polkit action ${action}`,
    cost: 2,
    isMet: ({ call, isQuiet }) => call.authorize(action, { details }, isQuiet).then(() => true),
  };
}

/** The caller is one of these users. */
export function isUser(users: readonly (number | string)[]): Condition {
  const what = typeof users[0] === 'number' ? 'uid' : 'user';
  return byCredentials(`the ${what} ${users.join(' or ')}`, async ({ uid }) => {
    if (uid === undefined) throw new NotSupportedError('the bus does not know the user id');
    for (const user of users) if (uid === (typeof user === 'number' ? user : await userId(user))) return true;
    return false;
  });
}

/** The caller is a member of one of these groups. */
export function inGroups(groups: readonly (number | string)[]): Condition {
  return byCredentials(`membership in the group ${groups.join(' or ')}`, async ({ uid, gids }) => {
    if (gids === undefined && uid === undefined)
      throw new NotSupportedError('the bus knows neither groups nor user id');
    const all = gids ?? (await groupsOf(uid as number));
    for (const group of groups) {
      const gid = typeof group === 'number' ? group : await groupId(group);
      if (gid !== undefined && all.includes(gid)) return true;
    }
    return false;
  });
}

function byCredentials(text: string, isMet: (credentials: Credentials) => Promise<boolean>): Condition {
  return {
    text,
    cost: 1,
    async isMet({ call, undecided }) {
      try {
        return await isMet(await call.caller.known());
      } catch (error) {
        undecided(`the caller cannot be identified: ${errorText(error)}`);
        // The caller may have left meanwhile, which is not a fault of this machine.
        const isGone = [NameHasNoOwnerError, CallerLeftError, ConnectionClosedError].some(
          (gone) => error instanceof gone,
        );
        report(isGone ? 'message' : 'handler', `${call.what} is refused`, error, call.connectionId);
        return false;
      }
    },
  };
}
