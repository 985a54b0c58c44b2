/**
 * Publishes every message on the diagnostics channel `busbar:message` and, with `NODE_DEBUG=busbar-message`, in a
 * trace.
 *
 * Messages are the hot path: nothing is allocated for one without a subscriber, which `watchesMessages` tells.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { describeMessage, type HeaderFields, type MessageHead, MessageType } from './message.js';

/**
 * A message that was sent or received: its header and its size. Bodies are not included, because they may be secret.
 */
export interface MessageEvent extends HeaderFields {
  /** The number of the connection, as in `bus.stats().connection`. */
  readonly connection: number;
  /** The direction of the message. */
  readonly direction: 'sent' | 'received';
  /** The type of the message. */
  readonly type: MessageType;
  /** A union of the bits of {@link MessageFlag}. */
  readonly flags: number;
  /** The serial that the sender assigned to the message. */
  readonly serial: number;
  /** The serial of the message that it answers; `undefined` if it is not a reply. */
  readonly replySerial: number | undefined;
  /** The unique name of the sender, verified by the bus; `undefined` between peers, and for messages that were sent. */
  readonly sender: string | undefined;
  /** The signature of the body; empty if there is no body. */
  readonly signature: string;
  /** The length of the body in bytes. */
  readonly bodyLength: number;
  /** Whether the received body does not match its signature. In that case only the header of the message is used. */
  readonly isFaulty: boolean;
}

const events = channel('busbar:message');
const write = debuglog('busbar-message');
// The environment does not change, so it is read once and not for each message.
const isTraced = write.enabled;

/** Whether there is a subscriber or a trace of messages. */
export function watchesMessages(): boolean {
  return events.hasSubscribers || isTraced;
}

/** Publishes a message that was sent; only to be called if {@link watchesMessages} returns true. */
export function publishSent(
  connection: number,
  { type, flags = 0, path, interface: interfaceName, member, errorName, destination, signature = '' }: MessageHead,
  serial: number,
  replySerial: number,
  bodyLength: number,
): void {
  const head = { type, flags, path, interface: interfaceName, member, errorName, destination, signature };
  const answers = replySerial === 0 ? undefined : replySerial;
  const event = { ...head, serial, replySerial: answers, sender: undefined, bodyLength, isFaulty: false };
  publish({ connection, direction: 'sent', ...event });
}

/** The fields of a received message. Its reply serial is 0 if it is not a reply. */
type Received = Omit<MessageEvent, 'connection' | 'direction' | 'replySerial'> & { readonly replySerial: number };

/** Publishes a message that was received; only to be called if {@link watchesMessages} returns true. */
export function publishReceived(connection: number, received: Received): void {
  const { type, flags, serial, replySerial, path, interface: interfaceName, member, errorName } = received;
  const { destination, sender, signature, bodyLength, isFaulty } = received;
  const head = { type, flags, path, interface: interfaceName, member, errorName, destination, signature };
  const answers = replySerial === 0 ? undefined : replySerial;
  const event = { ...head, serial, replySerial: answers, sender, bodyLength, isFaulty };
  publish({ connection, direction: 'received', ...event });
}

function publish(event: MessageEvent): void {
  if (events.hasSubscribers) events.publish(event);
  if (isTraced) write('#%d %s', event.connection, line(event));
}

const typeNames: Readonly<Record<MessageType, string>> = {
  [MessageType.MethodCall]: 'call',
  [MessageType.MethodReturn]: 'return',
  [MessageType.Error]: 'error',
  [MessageType.Signal]: 'signal',
};

function line(event: MessageEvent): string {
  const { direction, type, serial, replySerial, sender, errorName, signature, bodyLength, isFaulty } = event;
  const parts = [direction, typeNames[type] ?? `type ${type}`, serial];
  if (replySerial !== undefined) parts.push(`to ${replySerial}`);
  if (sender !== undefined) parts.push(`from ${sender}`);
  if (errorName !== undefined) parts.push(errorName);
  parts.push(describeMessage(event), `"${signature}", ${bodyLength} bytes`);
  if (isFaulty) parts.push('(the body is not valid)');
  return parts.filter((part) => part !== '').join(' ');
}
