/** Marshalling a whole message: its header, its body, and the count of the descriptors that the body refers to. */
import { encoderFor } from '../codec/encoder.js';
import type { Writer } from '../codec/writer.js';
import { InvalidArgumentError, NotSupportedError } from '../errors.js';
import { requireOpenFd } from '../native/descriptors.js';
import { checkHead, finishMessage, insertUnixFds, PreparedHead, writeHeader } from './header.js';
import { describeMessage, type MessageHead } from './message.js';

/** The kernel takes no more at a time (SCM_MAX_FD), and a message has to go with all of its descriptors. */
const FDS_MAXIMUM = 253;

/**
 * Marshals a message on the writer's next 8-byte boundary. The writer holds no descriptors of earlier messages. Where this
 * throws, the writer has to be rewound.
 *
 * @param canSendFds whether the other side agreed to pass file descriptors
 * @returns the length of the body
 * @throws {@link InvalidArgumentError} for a header or a value that is not valid
 * @throws {@link NotSupportedError} for descriptors that the connection does not pass
 */
export function marshalMessage(
  writer: Writer,
  head: MessageHead,
  body: readonly unknown[],
  serial: number,
  replySerial: number,
  canSendFds: boolean,
): number {
  if (!(head instanceof PreparedHead)) checkHead(head, replySerial);
  try {
    const start = writer.beginMessage();
    if (head instanceof PreparedHead) head.write(writer, serial, replySerial);
    else writeHeader(writer, head, serial, replySerial);
    const bodyStart = writer.position;
    encoderFor(head.signature ?? '')(writer, body);
    const bodyLength = writer.position - bodyStart;
    const fdCount = writer.fds.length;
    if (fdCount > 0) checkFds(writer, canSendFds);
    finishMessage(writer, start, fdCount > 0 ? insertUnixFds(writer, start, bodyStart, fdCount) : bodyStart);
    return bodyLength;
  } catch (error) {
    throw error instanceof InvalidArgumentError ? naming(head, error) : error;
  }
}

function checkFds({ fds }: Writer, canSendFds: boolean): void {
  if (!canSendFds) throw new NotSupportedError('this connection does not pass file descriptors');
  if (fds.length > FDS_MAXIMUM) {
    throw new InvalidArgumentError(`a message carries at most ${FDS_MAXIMUM} file descriptors, not ${fds.length}`);
  }
  for (const { fd } of fds) requireOpen(fd);
}

/** Were it the addon that finds out, the message would be lost after `send` had returned. */
function requireOpen(fd: number): void {
  try {
    requireOpenFd(fd);
  } catch (error) {
    throw new InvalidArgumentError(`file descriptor ${fd} is not open`, { cause: error });
  }
}

/** The error of a value that does not fit, with what it was for: the value's path alone does not tell. */
function naming(head: MessageHead, error: InvalidArgumentError): InvalidArgumentError {
  const what = describeMessage(head);
  return what === '' ? error : new InvalidArgumentError(`${error.message} (${what})`, { cause: error });
}
