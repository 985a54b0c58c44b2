/**
 * The one place that marshals headers. A header is written straight into the writer, before the body; the length of
 * the body is patched in when it is known.
 *
 * @see D-Bus specification, section "Message Format"
 */
import { MESSAGE_BYTES_MAXIMUM } from '../codec/limits.js';
import type { Writer } from '../codec/writer.js';
import { InvalidArgumentError } from '../errors.js';
import { checkBusName, checkErrorName, checkInterfaceName, checkMemberName, checkObjectPath } from '../names.js';
import { MessageType, type OutgoingMessage } from './message.js';

const LITTLE_ENDIAN = 0x6c;
const PROTOCOL_VERSION = 1;
const BODY_LENGTH_AT = 4;
const FIELDS_LENGTH_AT = 12;
const FIELDS_AT = 16;

const Field = {
  Path: 1,
  Interface: 2,
  Member: 3,
  ErrorName: 4,
  ReplySerial: 5,
  Destination: 6,
  Signature: 8,
  UnixFds: 9,
} as const;

/**
 * Refuses what the specification forbids and what the bus would answer by closing the connection: sd-bus would let
 * a message to the reserved names through.
 *
 * @throws {@link InvalidArgumentError}
 */
export function checkHeader(message: OutgoingMessage): void {
  const { type, path, interface: interfaceName, member, errorName, destination, replySerial } = message;
  if (type === MessageType.MethodCall || type === MessageType.Signal) {
    if (path === undefined) throw new InvalidArgumentError('a call or signal needs a path');
    if (member === undefined) throw new InvalidArgumentError('a call or signal needs a member');
    if (type === MessageType.Signal && interfaceName === undefined) {
      throw new InvalidArgumentError('a signal needs an interface');
    }
  } else if (type === MessageType.MethodReturn || type === MessageType.Error) {
    if (!replySerial) throw new InvalidArgumentError('a reply needs the serial that it answers');
    if (type === MessageType.Error && errorName === undefined) throw new InvalidArgumentError('an error needs a name');
  } else {
    throw new InvalidArgumentError(`message type ${String(type)} does not exist`);
  }
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

function stringField(writer: Writer, code: number, type: 's' | 'o', value: string | undefined): void {
  if (value === undefined) return;
  writer.align(8);
  writer.byte(code);
  writer.signature(type);
  writer.string(value);
}

function uint32Field(writer: Writer, code: number, value: number | undefined): void {
  if (!value) return;
  writer.align(8);
  writer.byte(code);
  writer.signature('u');
  writer.uint32(value);
}

/**
 * Writes the header of `message` at the writer's position, which is a multiple of 8, up to where the body begins.
 *
 * @param fdCount the number of descriptors that the body refers to
 */
export function writeHeader(writer: Writer, message: OutgoingMessage, serial: number, fdCount: number): void {
  const start = writer.position;
  writer.byte(LITTLE_ENDIAN);
  writer.byte(message.type);
  writer.byte(message.flags ?? 0);
  writer.byte(PROTOCOL_VERSION);
  writer.uint32(0);
  writer.uint32(serial);
  writer.uint32(0);
  stringField(writer, Field.Path, 'o', message.path);
  stringField(writer, Field.Destination, 's', message.destination);
  stringField(writer, Field.Interface, 's', message.interface);
  stringField(writer, Field.Member, 's', message.member);
  stringField(writer, Field.ErrorName, 's', message.errorName);
  uint32Field(writer, Field.ReplySerial, message.replySerial);
  if (message.signature) {
    writer.align(8);
    writer.byte(Field.Signature);
    writer.signature('g');
    writer.signature(message.signature);
  }
  uint32Field(writer, Field.UnixFds, fdCount);
  writer.patchUint32(start + FIELDS_LENGTH_AT, writer.position - start - FIELDS_AT);
  writer.align(8);
}

/**
 * Completes the message that begins at `start` and whose body, from `bodyStart`, reaches to the writer's position.
 *
 * @throws {@link InvalidArgumentError} if the message is larger than the specification allows
 */
export function finishMessage(writer: Writer, start: number, bodyStart: number): void {
  const size = writer.position - start;
  if (size > MESSAGE_BYTES_MAXIMUM) {
    throw new InvalidArgumentError(`a message of ${size} bytes is larger than the 128 MiB that D-Bus allows`);
  }
  writer.patchUint32(start + BODY_LENGTH_AT, writer.position - bodyStart);
}
