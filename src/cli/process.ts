/** The process of a connection: what the bus tells, and what `/proc` tells if the bus is of this machine. */
import { readFileSync } from 'node:fs';
import { printable } from '../base/printable.js';
import { type ProcessFacts, readProcess } from '../bus/callers/process-facts.js';
import type { MessageBus } from '../index.js';
import { library } from './library.js';
import type { Session } from './session.js';

export interface Process {
  readonly pid: number | null;
  /** The name of the program, as `ps` shows it: at most 15 bytes. */
  readonly process: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  /** The systemd unit; of a user's process the unit of the user's manager, if it has one. */
  readonly unit: string | null;
}

/** The process of a unique name. Everything is `null` that the bus does not tell, or if the name has gone. */
export async function processOf(session: Session, bus: MessageBus, owner: string): Promise<Process> {
  try {
    const { pid, uid } = await bus.credentials(owner, session.limits);
    const { comm, unit, userUnit } = (pid !== undefined && session.isLocal && readProcess(pid, uid)) || NO_FACTS;
    return {
      pid: pid ?? null,
      uid: uid ?? null,
      process: comm === undefined ? null : printable(comm),
      user: uid === undefined ? null : session.isLocal ? (userName(uid) ?? String(uid)) : String(uid),
      unit: userUnit ?? unit ?? null,
    };
  } catch (error) {
    // Some buses do not know the credentials of some connections.
    if (error instanceof library.DBusError && error.reply !== undefined) {
      return { pid: null, uid: null, process: null, user: null, unit: null };
    }
    throw error;
  }
}

const NO_FACTS: Partial<ProcessFacts> = {};

let users: ReadonlyMap<number, string> | undefined;

/** The name of a user of this machine. */
function userName(uid: number): string | undefined {
  users ??= usersOf('/etc/passwd');
  return users.get(uid);
}

/** The names of users by their ids; none if the file cannot be read. */
function usersOf(file: string): ReadonlyMap<number, string> {
  try {
    const entries = readFileSync(file, 'utf8').split('\n');
    return new Map(
      entries.map((entry) => {
        const [name = '', , id] = entry.split(':');
        return [Number(id), printable(name)];
      }),
    );
  } catch {
    return new Map();
  }
}
