/**
 * The credentials of a caller: what the bus tells, or between peers the kernel, and what `/proc` tells of the process.
 *
 * The process has an id in the system, which is reused after its end. So `/proc` is believed only if the process was
 * certainly alive when it was read: its descriptor says so, or the caller is still connected after that.
 */
import { DBusError, NotSupportedError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkBoolean } from '../../base/parameters.js';
import type { Connection } from '../../connection/connection.js';
import { waitLimitsTable } from '../../connection/wait-limits.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import { BusDriver, type Credentials } from '../names/driver.js';
import { socketCredentials } from '../socket-credentials.js';
import { type ProcessFacts, pidOf, readProcess } from './process-facts.js';

/** What {@link Caller.credentials} is to resolve with, and how long to wait for it. */
export interface CallerCredentialsOptions {
  /**
   * Whether the result has the descriptor of the process, if the bus knows it. It belongs to the program then, which has
   * to close it.
   */
  readonly pidfd?: boolean | undefined;
  /** Milliseconds until the bus has to answer; `Infinity` for no limit. 25 000 by default. */
  readonly timeout?: number | undefined;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The credentials of a caller. */
export interface CallerCredentials extends Credentials {
  /** The id of the primary group; `undefined` if it is not known. */
  readonly gid: number | undefined;
  /**
   * The descriptor of the process, which stands for this process alone: its id may be that of another one later. It is
   * `undefined` without the option `pidfd`, between peers, and if the bus does not tell `ProcessFD`: dbus-daemon before
   * 1.15.8, dbus-broker before 35, and Linux before 6.5.
   *
   * The caller of `credentials` owns it, and has to close it.
   */
  readonly pidfd: FileDescriptor | undefined;
  /**
   * The systemd unit of the process, such as `cups.service`. Processes of a user belong to the session
   * (`session-2.scope`) or the manager (`user@1000.service`) of the user. `undefined` if the process belongs to no unit,
   * or it cannot be told for certain, for instance because the process runs on another machine or has ended.
   */
  readonly unit: string | undefined;
  /**
   * The name of the process, as `ps -o comm` prints it: no proof of what it runs, because a process can change it.
   * `undefined` if it cannot be told for certain.
   */
  readonly comm: string | undefined;
  /** The unit of the user's manager, such as `app-firefox-42.scope`; `undefined` for other processes. */
  readonly userUnit: string | undefined;
}

const credentialsOptions = new KnownOptions<CallerCredentialsOptions>('credentials()', {
  pidfd: checkBoolean,
  ...waitLimitsTable,
});

/**
 * @param name the unique name of the caller
 * @param ownName the unique name of this connection
 * @param bus the bus, as this connection calls it
 * @throws as {@link Caller.credentials} does
 */
export async function callerCredentials(
  connection: Connection,
  name: string | undefined,
  ownName: string | undefined,
  options: CallerCredentialsOptions,
  bus = new BusDriver(connection),
): Promise<CallerCredentials> {
  credentialsOptions.check(options);
  const { pidfd: isWanted = false, ...limits } = options;
  limits.signal?.throwIfAborted();
  if (connection.isPeer) return ofPeer(connection);
  if (name === undefined) throw withoutSender();
  const { pidfd, ...known } = await bus.processCredentials(name, limits);
  const { pid, uid } = known;
  let facts: ProcessFacts | undefined;
  if (pidfd !== undefined) {
    facts = factsBy(pidfd, uid);
    if (!isWanted) pidfd.close();
  } else if (pid !== undefined) {
    facts = readProcess(pid, uid);
    const isCertain =
      facts !== undefined &&
      (await tellsIdsOfThisSystem(connection, ownName, bus)) &&
      (await bus.hasOwner(name, limits));
    if (!isCertain) facts = undefined;
  }
  return complete(known, facts, isWanted ? pidfd : undefined);
}

/** What the bus tells of a caller, or between peers the kernel. */
export async function knownCredentials(connection: Connection, name: string | undefined): Promise<Credentials> {
  if (connection.isPeer) return ofSocket(connection);
  if (name === undefined) throw withoutSender();
  return new BusDriver(connection).credentials(name);
}

function withoutSender(): NotSupportedError {
  return new NotSupportedError('caller credentials are unavailable: the call has no sender');
}

/** Between peers the header may claim any sender, but the socket has credentials. */
function ofSocket(connection: Connection): Credentials {
  const peer = connection.peerCredentials;
  if (peer === undefined) {
    throw new NotSupportedError(
      'caller credentials are unavailable: the caller has disconnected, or is not on a Unix socket',
    );
  }
  return socketCredentials(peer);
}

function ofPeer(connection: Connection): CallerCredentials {
  const known = ofSocket(connection);
  const facts = known.pid === undefined ? undefined : readProcess(known.pid, known.uid);
  const { comm, unit, userUnit } = complete(known, connection.hasLeft ? undefined : facts, undefined);
  return { ...known, gid: known.gids?.[0], pidfd: undefined, unit, comm, userUnit };
}

function complete(
  known: Credentials,
  facts: ProcessFacts | undefined,
  pidfd: FileDescriptor | undefined,
): CallerCredentials {
  const { comm, gid, unit, userUnit } = facts ?? {};
  // The process may have changed its group since it connected.
  const isKnown = gid !== undefined && known.gids?.includes(gid) !== false;
  return { ...known, gid: isKnown ? gid : undefined, pidfd, unit, comm, userUnit };
}

/** As `/proc` tells, if the process had not ended when it was read. The bus may be in another namespace of ids. */
function factsBy({ fd }: FileDescriptor, uid: number | undefined): ProcessFacts | undefined {
  const pid = pidOf(fd);
  const facts = pid === undefined ? undefined : readProcess(pid, uid);
  return pidOf(fd) === pid ? facts : undefined;
}

const sameSystem = new WeakMap<Connection, Promise<boolean>>();

/**
 * Whether the ids of processes that the bus tells are those of this system: a bus on another machine, or in another
 * container, tells others. Its id of this process shows it, and is asked for once.
 */
function tellsIdsOfThisSystem(connection: Connection, ownName: string | undefined, bus: BusDriver): Promise<boolean> {
  if (ownName === undefined) return Promise.resolve(false);
  const known = sameSystem.get(connection);
  if (known !== undefined) return known;
  const answer = bus.credentials(ownName).then(
    ({ pid }) => pid === process.pid,
    (error: unknown) => {
      sameSystem.delete(connection);
      if (error instanceof DBusError) return false;
      throw error;
    },
  );
  sameSystem.set(connection, answer);
  return answer;
}
