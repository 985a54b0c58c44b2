/**
 * Which clients may connect to a server: `allow` of the program, or the rule without it. Decided by the credentials that
 * the kernel has for a client, before the client can send anything.
 */
import type { Credentials } from '../bus/names/driver.js';
import { isOwnUser } from '../connection/opening/own-user.js';
import { report, reportFailure } from '../diagnostics/problems.js';

type Allow = (credentials: Credentials | undefined) => boolean | Promise<boolean>;

/** The options of a server that decide. */
interface AdmissionOptions {
  readonly allow?: Allow | undefined;
  readonly anonymous?: boolean | undefined;
}

/** Whether a client may connect. A refusal is reported. */
export function mayConnect(
  { allow, anonymous = false }: AdmissionOptions,
  credentials: Credentials | undefined,
): boolean | Promise<boolean> {
  const tell = (isAllowed: boolean) => {
    if (!isAllowed) reportRejection(credentials);
    return isAllowed;
  };
  const answer = allow === undefined ? anonymous || isOwnUserOrRoot(credentials) : answerOf(allow, credentials);
  return typeof answer === 'boolean' ? tell(answer) : answer.then(tell);
}

/** @param why empty if the credentials are the reason */
export function reportRejection(credentials: Credentials | undefined, why = ''): void {
  const client = credentials === undefined ? 'an unknown peer' : `a process of user ${credentials.uid}`;
  report('peer', `${client} was rejected${why}`);
}

/** The result of `allow`. Only `true`, or a promise of it, accepts a peer; a failure is reported. */
function answerOf(
  allow: (credentials: Credentials | undefined) => unknown,
  peer: Credentials | undefined,
): boolean | Promise<boolean> {
  const refuse = (error: unknown) => {
    reportFailure('deciding whether a peer may connect', error);
    return false;
  };
  try {
    const answer = allow(peer);
    if (!isThenable(answer)) return answer === true;
    return Promise.resolve(answer).then((settled) => settled === true, refuse);
  } catch (error) {
    return refuse(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function isOwnUserOrRoot(credentials: Credentials | undefined): boolean {
  return credentials?.uid !== undefined && (credentials.uid === 0 || isOwnUser(credentials.uid));
}
