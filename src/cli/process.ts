/** The process of a connection: what the bus tells, and what `/proc` tells if the bus is of this machine. */
import { readFileSync } from 'node:fs';
import { printable } from '../base/printable.js';
import { unitsOf } from '../bus/callers/systemd-unit.js';
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
    const local = pid !== undefined && session.isLocal;
    return {
      pid: pid ?? null,
      uid: uid ?? null,
      process: local ? read(`/proc/${pid}/comm`, (text) => printable(text.trimEnd())) : null,
      user: uid === undefined ? null : session.isLocal ? (userName(uid) ?? String(uid)) : String(uid),
      unit: local ? read(`/proc/${pid}/cgroup`, unitOf) : null,
    };
  } catch (error) {
    // Some buses do not know the credentials of some connections.
    if (error instanceof library.DBusError && error.reply !== undefined) {
      return { pid: null, uid: null, process: null, user: null, unit: null };
    }
    throw error;
  }
}

function unitOf(cgroup: string): string | null {
  const { unit, userUnit } = unitsOf(cgroup);
  return userUnit ?? unit ?? null;
}

function read<Result>(file: string, take: (text: string) => Result): Result | null {
  try {
    return take(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

let users: ReadonlyMap<number, string> | undefined;

/** The name of a user of this machine. */
function userName(uid: number): string | undefined {
  users ??= new Map(
    (read('/etc/passwd', (text) => text.split('\n')) ?? []).map((line) => {
      const [name = '', , id] = line.split(':');
      return [Number(id), printable(name)];
    }),
  );
  return users.get(uid);
}
