/** Messages about names from a bus that a test plays, with serials that count up. */
import { BUS, CLIENT } from './fake-bus.js';
import { Bytes, type WireMessage, wireMessage } from './wire.js';
import type { SentMessage } from './wire-reader.js';

let serial = 1000;

/** A message to the client, from the bus unless `fields` say otherwise. */
export function busMessage(fields: WireMessage): Buffer {
  return wireMessage({ serial: ++serial, destination: CLIENT, sender: BUS, ...fields });
}

/** The body of a message that consists of strings. */
export function strings(...texts: string[]): Pick<WireMessage, 'signature' | 'body'> {
  const bytes = new Bytes();
  for (const one of texts) bytes.text(one);
  return { signature: 's'.repeat(texts.length), body: bytes.buffer };
}

/** An error of the bus, by the last element of its name. */
export function refusalTo({ serial: replySerial }: SentMessage, error: string): Buffer {
  return busMessage({ type: 3, replySerial, errorName: `${BUS}.Error.${error}` });
}

/** NameOwnerChanged; without an owner, the argument is the empty string. */
export function ownerChanged(name: string, before: string, after: string): Buffer {
  const signal = { path: '/org/freedesktop/DBus', interface: BUS, member: 'NameOwnerChanged' };
  return busMessage({ type: 4, ...signal, ...strings(name, before, after) });
}
