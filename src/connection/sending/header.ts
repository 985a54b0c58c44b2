/**
 * Marshals headers, and is the only module that does. A header is written directly into the writer, before the body;
 * the length of the body is patched in when it is known.
 *
 * @see D-Bus specification, section "Message Format"
 */

import { InvalidArgumentError } from '../../base/errors.js';
import {
  checkBusName,
  checkErrorName,
  checkInterfaceName,
  checkMemberName,
  checkObjectPath,
} from '../../base/names.js';
import { ARRAY_BYTES_MAXIMUM, MESSAGE_BYTES_MAXIMUM } from '../../codec/limits.js';
import { Writer } from '../../codec/writer.js';
import { type MessageHead, MessageType } from '../message.js';

const LITTLE_ENDIAN = 0x6c;
const PROTOCOL_VERSION = 1;
const BODY_LENGTH_AT = 4;
const SERIAL_AT = 8;
const FIELDS_LENGTH_AT = 12;
const FIELDS_AT = 16;
/** Code, the signature `u`, and the number. */
const UNIX_FDS_BYTES = 8;
/** REPLY_SERIAL comes first if a message has one, so its value is always at the same place. */
const REPLY_SERIAL_AT = 20;

const Field = {
  Path: 1,
  Interface: 2,
  Member: 3,
  ErrorName: 4,
  ReplySerial: 5,
  Destination: 6,
  Sender: 7,
  Signature: 8,
  UnixFds: 9,
} as const;

/**
 * Refuses a head that the specification forbids or that makes the bus close the connection. sd-bus would accept a
 * message with the reserved names.
 *
 * @throws {@link InvalidArgumentError}
 */
export function checkHead(head: MessageHead, replySerial: number): void {
  const { type, path, interface: interfaceName, member, errorName, destination } = head;
  if (type === MessageType.MethodCall || type === MessageType.Signal) {
    if (path === undefined) throw new InvalidArgumentError('a call or signal needs a path');
    if (member === undefined) throw new InvalidArgumentError('a call or signal needs a member');
    if (type === MessageType.Signal && interfaceName === undefined) {
      throw new InvalidArgumentError('a signal needs an interface');
    }
  } else if (type === MessageType.MethodReturn || type === MessageType.Error) {
    if (replySerial === 0)
      throw new InvalidArgumentError('a reply needs a replySerial, which is the serial of the call');
    if (typeof replySerial !== 'number' || replySerial !== replySerial >>> 0) {
      throw new InvalidArgumentError(`reply serial: expected 1 to 4294967295, got ${String(replySerial)}`);
    }
    if (type === MessageType.Error && errorName === undefined) throw new InvalidArgumentError('an error needs a name');
  } else {
    throw new InvalidArgumentError(`type: expected one of MessageType (1 to 4), got ${String(type)}`);
  }
  const { flags = 0, signature } = head;
  if (signature !== undefined && typeof signature !== 'string') {
    throw new InvalidArgumentError(
      `a signature must be a string, not ${signature === null ? 'null' : typeof signature}`,
    );
  }
  if (typeof flags !== 'number' || flags !== (flags & 0xff))
    throw new InvalidArgumentError(`flags: expected 0 to 255, got ${String(flags)}`);
  if (path !== undefined) {
    checkObjectPath(path, 'path');
    if (path === '/org/freedesktop/DBus/Local') throw new InvalidArgumentError(`path ${path} is reserved`);
  }
  if (interfaceName !== undefined) {
    checkInterfaceName(interfaceName, 'interface');
    if (interfaceName === 'org.freedesktop.DBus.Local') {
      throw new InvalidArgumentError(`interface ${interfaceName} is reserved`);
    }
  }
  if (member !== undefined) checkMemberName(member, 'member');
  if (errorName !== undefined) checkErrorName(errorName, 'error name');
  if (destination !== undefined) checkBusName(destination, 'destination');
}

/** @param value was checked, so it is ASCII */
function stringField(writer: Writer, code: number, type: 's' | 'o', value: string | undefined): void {
  if (value === undefined) return;
  writer.align(8);
  writer.byte(code);
  writer.signature(type);
  writer.ascii(value);
}

function uint32Field(writer: Writer, code: number, value: number): void {
  if (value === 0) return;
  writer.align(8);
  writer.byte(code);
  writer.signature('u');
  writer.uint32(value);
}

/**
 * Writes a header at the writer's position, which is a multiple of 8, up to the beginning of the body. The number of
 * descriptors is known only after the body was written: see {@link insertUnixFds}.
 *
 * @param replySerial the serial that a reply answers, else 0
 */
export function writeHeader(writer: Writer, head: MessageHead, serial: number, replySerial: number): void {
  const start = writer.position;
  writer.byte(LITTLE_ENDIAN);
  writer.byte(head.type);
  writer.byte(head.flags ?? 0);
  writer.byte(PROTOCOL_VERSION);
  writer.uint32(0);
  writer.uint32(serial);
  writer.uint32(0);
  uint32Field(writer, Field.ReplySerial, replySerial);
  stringField(writer, Field.Path, 'o', head.path);
  stringField(writer, Field.Destination, 's', head.destination);
  stringField(writer, Field.Interface, 's', head.interface);
  stringField(writer, Field.Member, 's', head.member);
  stringField(writer, Field.ErrorName, 's', head.errorName);
  if (head.signature) {
    writer.align(8);
    writer.byte(Field.Signature);
    writer.signature('g');
    writer.signature(head.signature);
  }
  writer.patchUint32(start + FIELDS_LENGTH_AT, writer.position - start - FIELDS_AT);
  writer.align(8);
}

/**
 * Sets the serial of the message that begins at `start`, for a message that was marshalled before its serial was known.
 */
export function patchSerial(writer: Writer, start: number, serial: number): void {
  writer.patchUint32(start + SERIAL_AT, serial);
}

/** The writer for the heads that are marshalled in advance. */
const preparing = new Writer();

/**
 * A head that is marshalled once. Code that sends many messages of one kind (a proxy's method, an object's signal)
 * keeps one of these; its messages differ only in serials and body.
 */
export class PreparedHead implements MessageHead {
  readonly type: MessageType;
  readonly flags: number;
  readonly path: string | undefined;
  readonly interface: string | undefined;
  readonly member: string | undefined;
  readonly errorName: string | undefined;
  readonly destination: string | undefined;
  readonly signature: string;
  readonly #bytes: Uint8Array;

  /** @throws {@link InvalidArgumentError} as {@link checkHead} does */
  constructor(head: MessageHead) {
    this.type = head.type;
    this.flags = head.flags ?? 0;
    this.path = head.path;
    this.interface = head.interface;
    this.member = head.member;
    this.errorName = head.errorName;
    this.destination = head.destination;
    this.signature = head.signature ?? '';
    const answers = head.type === MessageType.MethodReturn || head.type === MessageType.Error;
    checkHead(head, Number(answers));
    preparing.reset();
    preparing.beginMessage();
    // The serials do not matter: they are patched later.
    writeHeader(preparing, head, 1, Number(answers));
    // The copy has the exact size: the slice of a Buffer would keep all of the writer's memory.
    this.#bytes = new Uint8Array(preparing.bytes.subarray(0, preparing.position));
  }

  /** Writes the header at the writer's position, as {@link writeHeader} does. */
  write(writer: Writer, serial: number, replySerial: number): void {
    const start = writer.position;
    writer.copy(this.#bytes);
    writer.patchUint32(start + SERIAL_AT, serial);
    if (replySerial !== 0) writer.patchUint32(start + REPLY_SERIAL_AT, replySerial);
  }
}

/** The header fields of a message that was received. */
interface ReceivedHead extends MessageHead {
  readonly serial: number;
  readonly replySerial: number | undefined;
  readonly sender: string | undefined;
}

/** Writes a message that was received, with its sender, from its fields and the bytes of its body. */
export function messageBytes(head: ReceivedHead, body: Uint8Array, descriptors: number): Uint8Array {
  const writer = preparing;
  writer.reset();
  const start = writer.beginMessage();
  writeHeader(writer, head, head.serial, head.replySerial ?? 0);
  // The fields end where the padding begins, and the next one begins where it ends.
  stringField(writer, Field.Sender, 's', head.sender);
  uint32Field(writer, Field.UnixFds, descriptors);
  if (head.sender !== undefined || descriptors > 0) {
    writer.patchUint32(start + FIELDS_LENGTH_AT, writer.position - start - FIELDS_AT);
    writer.align(8);
  }
  const bodyStart = writer.position;
  writer.copy(body);
  writer.patchUint32(start + BODY_LENGTH_AT, writer.position - bodyStart);
  const bytes = new Uint8Array(writer.bytes.subarray(start, writer.position));
  writer.reset();
  return bytes;
}

/**
 * Adds UNIX_FDS to the header of the message that begins at `start` and ends at the writer's position. So the values
 * need not be read twice: a second read could return other values.
 *
 * @returns where the body begins now
 */
export function insertUnixFds(writer: Writer, start: number, bodyStart: number, count: number): number {
  const fieldsEnd = bodyStart - start - FIELDS_AT;
  // A field begins on a multiple of 8, where the body began, and this field has 8 bytes, so the body stays aligned.
  writer.insert(bodyStart, UNIX_FDS_BYTES);
  const end = writer.position;
  writer.position = bodyStart;
  uint32Field(writer, Field.UnixFds, count);
  writer.position = end;
  writer.patchUint32(start + FIELDS_LENGTH_AT, fieldsEnd + UNIX_FDS_BYTES);
  return bodyStart + UNIX_FDS_BYTES;
}

/**
 * Completes the message that begins at `start`. Its body reaches from `bodyStart` to the writer's position.
 *
 * @throws {@link InvalidArgumentError} if the message, or its header, is larger than the specification allows
 */
export function finishMessage(writer: Writer, start: number, bodyStart: number): void {
  const size = writer.position - start;
  if (size > ARRAY_BYTES_MAXIMUM) checkSize(size, bodyStart - start - FIELDS_AT);
  writer.patchUint32(start + BODY_LENGTH_AT, writer.position - bodyStart);
}

/** @param fields the bytes of the header's fields, which are an array */
function checkSize(size: number, fields: number): void {
  if (size > MESSAGE_BYTES_MAXIMUM) {
    throw new InvalidArgumentError(`a message of ${size} bytes is larger than the 128 MiB that D-Bus allows`);
  }
  if (fields <= ARRAY_BYTES_MAXIMUM) return;
  throw new InvalidArgumentError(`header fields of ${fields} bytes are larger than the 64 MiB that D-Bus allows`);
}
