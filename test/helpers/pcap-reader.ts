/** Reads packet captures of D-Bus messages, in the format of tcpdump. Anything unexpected is an error. */
import { MessageReader, type SentMessage } from './wire-reader.js';

export interface CapturedRecord {
  /** Microseconds since 1970. */
  readonly time: number;
  readonly message: SentMessage;
}

/** The records of a capture, which has to be complete. */
export function readPcap(bytes: Buffer): CapturedRecord[] {
  const header = [bytes.readUInt32LE(0), bytes.readUInt16LE(4), bytes.readUInt16LE(6), bytes.readUInt32LE(20)];
  if (String(header) !== String([0xa1b2c3d4, 2, 4, 231])) throw new Error(`not a capture of D-Bus: ${header}`);
  const records: CapturedRecord[] = [];
  for (let at = 24; at < bytes.length; ) {
    const [seconds, microseconds, length, wholeLength] = [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset));
    if (length !== wholeLength || seconds === undefined || microseconds === undefined || length === undefined)
      throw new Error(`record at ${at}: ${length} of ${wholeLength} bytes`);
    const reader = new MessageReader();
    reader.push(bytes.subarray(at + 16, at + 16 + length));
    const message = reader.next();
    if (message?.bytes.length !== length) throw new Error(`record at ${at}: ${length} bytes are not one message`);
    records.push({ time: seconds * 1e6 + microseconds, message });
    at += 16 + length;
  }
  return records;
}
