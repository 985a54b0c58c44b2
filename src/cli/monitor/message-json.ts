/**
 * A monitored message as one line of JSON: `payload` is as busctl prints it, with all digits and bytes. Of several entries
 * of a dictionary with the same key, it has the last.
 */
import type { MonitoredMessage, MonitoredPeer } from '../../index.js';
import { jsonDoc, Laid, layOut } from '../values/layout.js';
import { jsonValues } from '../values/print.js';
import { decoding } from '../values/show.js';

/** The types by their names in match rules. */
export const TYPES = ['invalid', 'method_call', 'method_return', 'error', 'signal'];

export function messageJson(message: MonitoredMessage): string {
  const { type, flags, serial, replySerial, sender, destination, path, interface: interfaceName, member } = message;
  const { errorName, signature, from, to, call, elapsed, fault } = message;
  const data = {
    ...{ time: isoTime(message.time), type: TYPES[type], flags, serial, replySerial },
    ...{ sender, destination, path, interface: interfaceName, member, errorName },
    payload:
      fault === undefined
        ? { type: signature, data: new Laid(jsonValues(signature, message.decode(decoding))) }
        : undefined,
    fault: fault?.message,
    from: peerJson(from),
    to: peerJson(to),
    call: call && { serial: call.serial, path: call.path, interface: call.interface, member: call.member },
    elapsed,
  };
  return layOut(jsonDoc(data), Number.POSITIVE_INFINITY);
}

function peerJson(peer: MonitoredPeer | undefined) {
  return peer && { name: peer.name, names: peer.names, process: peer.process };
}

/** The time with microseconds. */
function isoTime(time: number): string {
  const microseconds = Math.round(time * 1000);
  const date = new Date(Math.floor(microseconds / 1000));
  return date.toISOString().replace('Z', `${String(microseconds % 1000).padStart(3, '0')}Z`);
}
