/** The errors of received messages that cannot be used: they are reported here, or sent to the sender as the answer. */
import {
  type DBusError,
  InvalidArgumentError,
  InvalidReplyError,
  LimitsExceededError,
  NotSupportedError,
  ProtocolError,
} from '../../base/errors.js';
import { Fault, faultOf, ruleOf } from '../../native/binding.js';
import { loadAddon } from '../../native/load.js';
import { describeMessage, type HeaderFields } from '../message.js';

/**
 * @param column the value of a row in the column `Fault`
 * @param signature the signature of the body, for the text
 */
export function faultError(column: number, signature: string): DBusError | undefined {
  const invalid = `the body of the message is not valid for its signature "${signature}"`;
  switch (faultOf(column)) {
    case Fault.None:
      return undefined;
    case Fault.InvalidHeader:
      return new ProtocolError(`the header of the message is not valid: ${ruleText(column)}`);
    case Fault.UnsupportedBody:
      return new ProtocolError(`${invalid}, or a string in it contains a Unicode noncharacter, which sd-bus refuses`);
    case Fault.OutOfMemory:
      return new NotSupportedError('there was not enough memory for the message, or no room for its file descriptors');
    case Fault.MessageSize:
      return new LimitsExceededError('the message is larger than its receiver accepts (option limits.messageSize)');
    case Fault.DecodedSize:
      return new LimitsExceededError(
        'the values of the message would take more memory than its receiver allows (option limits.decodedSize)',
      );
    default:
      return new ProtocolError(invalid);
  }
}

/** The protocol rule that a message breaks, in words. */
const ruleText = (column: number): string => loadAddon().describeRule(ruleOf(column));

/**
 * Returns the error of a reply that cannot be used, with the call that it answers: the fault is in the reply, not in
 * the call.
 *
 * @param error a fault of the message, or an error that decoding threw
 */
export function unusableReply(error: unknown, call: HeaderFields): unknown {
  if (error instanceof InvalidReplyError) return error;
  const Kind = kindOfFault(error);
  if (Kind === undefined) return error;
  const { message } = error as DBusError;
  return new Kind(`${message} (${describeMessage(call)})`);
}

function kindOfFault(error: unknown) {
  if (error instanceof ProtocolError || error instanceof InvalidArgumentError) return InvalidReplyError;
  return [LimitsExceededError, NotSupportedError].find((kind) => error instanceof kind);
}
