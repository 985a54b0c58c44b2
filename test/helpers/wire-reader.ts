/**
 * Reads the messages of the library, as far as a peer played by a test has to understand them: headers, and the first
 * values of a body. It trusts its input, which comes from the library under test; an invalid message fails the test.
 */
import { Field } from './wire.js';

/** A message that the library sent. */
export interface SentMessage {
  readonly type: number;
  readonly flags: number;
  readonly serial: number;
  readonly path: string | undefined;
  readonly interface: string | undefined;
  readonly member: string | undefined;
  readonly errorName: string | undefined;
  readonly replySerial: number | undefined;
  readonly destination: string | undefined;
  /** Clients send none. */
  readonly sender: string | undefined;
  readonly unixFds: number | undefined;
  readonly signature: string;
  readonly body: Buffer;
  /** The first value of the body, if it is a string. */
  readonly text: string | undefined;
  /** The whole message. */
  readonly bytes: Buffer;
}

/** Cuts a stream into messages. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next message, if it is complete. */
  next(): SentMessage | undefined {
    if (this.#length < 16) return undefined;
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    const bytes = this.#chunks[0] as Buffer;
    const length = messageLength(bytes);
    if (this.#length < length) return undefined;
    this.#chunks = [bytes.subarray(length)];
    this.#length -= length;
    return readMessage(bytes.subarray(0, length));
  }
}

/** The length that the first 16 bytes of a message claim, in either byte order. */
export function messageLength(bytes: Buffer): number {
  const big = bytes[0] === 0x42;
  const bodyLength = big ? bytes.readUInt32BE(4) : bytes.readUInt32LE(4);
  const fieldsLength = big ? bytes.readUInt32BE(12) : bytes.readUInt32LE(12);
  return Math.ceil((16 + fieldsLength) / 8) * 8 + bodyLength;
}

function readMessage(bytes: Buffer): SentMessage {
  if (bytes[0] !== 0x6c) throw new Error('the library sent something else than a little-endian message');
  const fieldsEnd = 16 + bytes.readUInt32LE(12);
  const fields = readFields(bytes, fieldsEnd);
  const body = bytes.subarray(Math.ceil(fieldsEnd / 8) * 8);
  const signature = (fields.get(Field.Signature) as string | undefined) ?? '';
  const text = (code: number) => fields.get(code) as string | undefined;
  return {
    type: bytes[1] as number,
    flags: bytes[2] as number,
    serial: bytes.readUInt32LE(8),
    path: text(Field.Path),
    interface: text(Field.Interface),
    member: text(Field.Member),
    errorName: text(Field.ErrorName),
    replySerial: fields.get(Field.ReplySerial) as number | undefined,
    destination: text(Field.Destination),
    sender: text(Field.Sender),
    unixFds: fields.get(Field.UnixFds) as number | undefined,
    signature,
    body,
    text: signature.startsWith('s') ? body.toString('utf8', 4, 4 + body.readUInt32LE(0)) : undefined,
    bytes,
  };
}

function readFields(bytes: Buffer, end: number): Map<number, string | number> {
  const fields = new Map<number, string | number>();
  let at = 16;
  while (at < end) {
    at = Math.ceil(at / 8) * 8;
    const code = bytes[at] as number;
    const type = String.fromCharCode(bytes[at + 2] as number);
    at += 4;
    if (type === 'u') {
      fields.set(code, bytes.readUInt32LE(at));
      at += 4;
    } else {
      const length = type === 'g' ? (bytes[at] as number) : bytes.readUInt32LE(at);
      at += type === 'g' ? 1 : 4;
      fields.set(code, bytes.toString('utf8', at, at + length));
      at += length + 1;
    }
  }
  return fields;
}
