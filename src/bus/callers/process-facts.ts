/**
 * What `/proc` tells of the process with an id. The system reuses the ids of processes that have ended, so the reader has
 * to make sure that the process was alive all the time.
 */
import { readFileSync } from 'node:fs';
import { type Units, unitsOf } from './systemd-unit.js';

export interface ProcessFacts extends Units {
  /** The effective group. */
  readonly gid: number | undefined;
  /** The name of the process. */
  readonly comm: string | undefined;
}

/**
 * Reads the facts of a process. Returns nothing if there is no such process, it belongs to another user, or another
 * process got the id meanwhile.
 *
 * @param uid the user whose process it is, if that is known
 */
export function readProcess(pid: number, uid: number | undefined): ProcessFacts | undefined {
  try {
    const started = startTime(pid);
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const comm = readFileSync(`/proc/${pid}/comm`, 'utf8').replace(/\n$/, '');
    const units = unitsOf(readFileSync(`/proc/${pid}/cgroup`, 'latin1'));
    if (startTime(pid) !== started) return undefined;
    if (uid !== undefined && !idsOf(status, 'Uid').includes(uid)) return undefined;
    const [, gid] = idsOf(status, 'Gid');
    return { ...units, gid, comm };
  } catch {
    return undefined;
  }
}

/** The id in this process's namespace of the process of a pidfd, if it has not ended. */
export function pidOf(pidfd: number): number | undefined {
  try {
    const [, digits] = /^Pid:\s+(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'latin1')) ?? [];
    const pid = Number(digits);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** When the process started, in ticks of the clock since boot: field 22. The name of the program may have spaces. */
function startTime(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')')).split(' ')[20];
}

/** The ids in a line of `/proc/PID/status`: real, effective, saved, and that of files. */
function idsOf(status: string, key: string): number[] {
  const [, ids = ''] = new RegExp(`^${key}:\\s+(.+)$`, 'm').exec(status) ?? [];
  return ids.split(/\s+/).map(Number);
}
