/**
 * `org.freedesktop.DBus.Peer`: answered at every path, with or without an export, because it concerns the process.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.Peer"
 */
import { readFileSync } from 'node:fs';
import { NotSupportedError } from '../../base/error-classes.js';
import { standardInterfaces } from '../../interface/standard.js';
import type { CallTarget } from '../calls/call-target.js';

export const peer: CallTarget = {
  description: standardInterfaces.peer,
  invoke: ({ name }) => (name === 'Ping' ? undefined : machineId()),
};

/** The files that may have the machine's id, in the order of the reference implementation. */
const MACHINE_ID_FILES = ['/var/lib/dbus/machine-id', '/etc/machine-id'];

function machineId(): string {
  for (const file of MACHINE_ID_FILES) {
    try {
      const id = readFileSync(file, 'ascii').trim();
      if (/^[0-9a-f]{32}$/.test(id)) return id;
    } catch {
      // The next file may exist.
    }
  }
  throw new NotSupportedError('this machine has no id');
}
