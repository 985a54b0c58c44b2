/** Marshals a whole message: its header, its body, and the number of descriptors that the body refers to. */

import { InvalidArgumentError, NotSupportedError } from '../../base/errors.js';
import { checkArray } from '../../base/parameters.js';
import { closeMadeByGetters } from '../../codec/close-descriptors.js';
import { outgoingFd } from '../../codec/encode-basic.js';
import { encoderFor } from '../../codec/encoder.js';
import { Misfit, misfitOf, within } from '../../codec/misfit.js';
import { refusalFor } from '../../codec/value-refusal.js';
import type { Writer } from '../../codec/writer.js';
import { checkOpenFd } from '../../native/descriptors.js';
import { PEER_LIMITS } from '../limits.js';
import { describeMessage, type MessageHead } from '../message.js';
import { checkHead, finishMessage, insertUnixFds, PreparedHead, writeHeader } from './header.js';

/** A head that names its arguments as the program does, for error texts. */
export interface NamedHead extends MessageHead {
  readonly rootOf?: (index: number) => string | undefined;
}

/**
 * Marshals a message on the writer's next 8-byte boundary. The writer must not contain descriptors of earlier messages.
 * If this throws, the caller has to rewind the writer.
 *
 * @param fdsMaximum how many file descriptors the message may carry; 0 if the other side did not agree to pass any
 * @returns the length of the body
 * @throws {@link InvalidArgumentError} for an invalid header or value
 * @throws {@link NotSupportedError} for descriptors that the connection does not pass
 */
export function marshalMessage(
  writer: Writer,
  head: MessageHead,
  body: readonly unknown[],
  serial: number,
  replySerial: number,
  fdsMaximum: number,
): number {
  if (!(head instanceof PreparedHead)) checkHead(head, replySerial);
  try {
    const start = writer.beginMessage();
    if (head instanceof PreparedHead) head.write(writer, serial, replySerial);
    else writeHeader(writer, head, serial, replySerial);
    const bodyStart = writer.position;
    encoderFor(head.signature ?? '')(writer, body);
    if (head.fileDescriptors !== undefined) attach(writer, head.fileDescriptors);
    const bodyLength = writer.position - bodyStart;
    const fdCount = writer.fds.length;
    if (fdCount > 0) checkFds(writer, fdsMaximum);
    finishMessage(writer, start, fdCount > 0 ? insertUnixFds(writer, start, bodyStart, fdCount) : bodyStart);
    return bodyLength;
  } catch (error) {
    if (writer.fds.length > 0) closeMadeByGetters(writer.fds, [body, head.fileDescriptors]);
    throw error instanceof InvalidArgumentError ? withPurpose(head, error) : error;
  }
}

/** Adds descriptors that no value refers to. */
function attach(writer: Writer, descriptors: readonly unknown[]): void {
  checkArray(descriptors, 'fileDescriptors');
  for (let index = 0; index < descriptors.length; index++) {
    try {
      writer.fds.push(outgoingFd(descriptors[index]));
    } catch (error) {
      const located = within(`fileDescriptors[${index}]`, misfitOf(descriptors[index], error));
      throw located instanceof Misfit ? new InvalidArgumentError(located.message) : located;
    }
  }
}

function checkFds({ fds }: Writer, fdsMaximum: number): void {
  if (fdsMaximum === 0) throw new NotSupportedError('this connection does not pass file descriptors');
  if (fds.length > fdsMaximum) throw new InvalidArgumentError(`${tooManyText(fdsMaximum)}, not ${fds.length}`);
  // If the addon found an error, the message would be lost after `send` had returned.
  for (const { fd } of fds) checkOpenFd(fd);
}

/**
 * The text for too many descriptors. It names the limit to set: a program may send more to a bus that accepts more, and
 * other buses close the connection.
 */
export function tooManyText(maximum: number): string {
  const cause = maximum < PEER_LIMITS.messageDescriptors ? ' (limits.messageDescriptors)' : '';
  return `a message carries at most ${maximum} file descriptors${cause}`;
}

/** Adds the purpose of a value to its error: the path of the value alone does not tell it. */
function withPurpose(head: NamedHead, error: InvalidArgumentError): InvalidArgumentError {
  const what = describeMessage(head);
  return what === '' ? error : refusalFor(error, what, head.rootOf);
}
