/**
 * The sockets that the service manager passed to this process (socket activation), by the rules of sd_listen_fds(3): the
 * descriptors from 3 on, as many as LISTEN_FDS says, if LISTEN_PID is this process. They stay open and unused until the
 * program passes them to `listen` or `connect`.
 */
import { ListenError } from '../base/errors.js';
import { quoted } from '../base/names.js';

/** A socket that this process inherited from the service manager. */
export interface InheritedSocket {
  /** The number of the descriptor, which the program owns. */
  readonly fd: number;
  /** `FileDescriptorName=` of the socket unit; `unknown` if the service manager passed no names. */
  readonly name: string;
}

const FIRST_FD = 3;
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

/**
 * Returns the sockets that systemd, or another service manager with the same protocol, passed to this process, in their
 * order; none if it passed none. Pass one of them to {@link listen} as `fd`, or, with `Accept=yes`, to {@link connect}.
 *
 * @example
 * ```ts
 * const control = inheritedSockets().find(({ name }) => name === 'control');
 * if (control !== undefined) await listen({ fd: control.fd });
 * ```
 * @throws {@link ListenError} if the variables of the environment contradict each other
 * @see sd_listen_fds(3)
 */
export function inheritedSockets(): readonly InheritedSocket[] {
  return socketsOf(process.env, process.pid) as readonly InheritedSocket[];
}

/** As {@link inheritedSockets}, but without sockets it throws with the reason. */
export function requireInheritedSockets(): readonly InheritedSocket[] {
  const found = socketsOf(process.env, process.pid, true);
  if (typeof found === 'string') throw new ListenError(found);
  return found;
}

/** Children must not take the sockets for theirs. */
export function forgetInheritedSockets(): void {
  for (const name of VARIABLES) delete process.env[name];
}

/**
 * The sockets that an environment describes.
 *
 * @param explain whether to return the reason if there are none
 * @throws {@link ListenError} if the variables contradict each other
 */
export function socketsOf(env: NodeJS.ProcessEnv, pid: number, explain = false): readonly InheritedSocket[] | string {
  const { LISTEN_PID: owner, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  const none = (reason: string) => (explain ? reason : []);
  if (owner === undefined || count === undefined) {
    return none('the service manager passed no socket: LISTEN_PID and LISTEN_FDS are not set. Is there a socket unit?');
  }
  if (numberOf(owner, 'LISTEN_PID') !== pid) {
    const cure = 'start `node` itself in ExecStart=, not a program that starts it';
    return none(`the sockets are for process ${owner}, and this is process ${pid}: ${cure}`);
  }
  const length = numberOf(count, 'LISTEN_FDS');
  if (length === 0) return none('the service manager passed no socket: LISTEN_FDS is 0');
  const named = names?.split(':');
  if (named !== undefined && named.length !== length) {
    throw new ListenError(`LISTEN_FDNAMES has ${named.length} names for ${length} descriptors`);
  }
  return Array.from({ length }, (_, i) => ({ fd: FIRST_FD + i, name: named?.[i] ?? 'unknown' }));
}

function numberOf(text: string, variable: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new ListenError(`invalid ${variable} ${quoted(text)}: it must be a number`);
}
