/**
 * Every message, on the diagnostics channel `busbar:message` and, with `NODE_DEBUG=busbar-message`, in a trace.
 *
 * Messages are the hot path: nothing is made for one unless somebody watches, which `watchesMessages` tells.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { describeMessage, type HeaderFields, type MessageHead, MessageType } from './message.js';

/** A message that was sent or received: its header, and how large it is. Bodies are not shown, they may be secret. */
export interface MessageEvent extends HeaderFields {
  /** The number of the connection, as in `bus.stats().connection`. */
  readonly connection: number;
  /** Which way it went. */
  readonly direction: 'sent' | 'received';
  /** What kind of message it is. */
  readonly type: MessageType;
  /** A union of the bits of {@link MessageFlag}. */
  readonly flags: number;
  /** The number that the sender gave the message. */
  readonly serial: number;
  /** The serial of the message that it answers; `undefined` where it answers none. */
  readonly replySerial: number | undefined;
  /** The unique name that the bus vouches for; `undefined` between peers, and for what is sent. */
  readonly sender: string | undefined;
  /** The signature of the body; empty where there is none. */
  readonly signature: string;
  /** The length of the body in bytes. */
  readonly bodyLength: number;
  /** Whether the body that arrived is other than its signature says: then only the header of the message is used. */
  readonly isFaulty: boolean;
}

const events = channel('busbar:message');
const write = debuglog('busbar-message');
// The environment does not change, so that it need not be asked for each message.
const isTraced = write.enabled;

/** Whether anybody wants to hear of messages. */
export function watchesMessages(): boolean {
  return events.hasSubscribers || isTraced;
}

/** Tells of a message that was sent; only to be called where {@link watchesMessages} says so. */
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

/** What is told of a message that was received. Its reply serial is 0 where it answers nothing. */
type Received = Omit<MessageEvent, 'connection' | 'direction' | 'replySerial'> & { readonly replySerial: number };

/** Tells of a message that was received; only to be called where {@link watchesMessages} says so. */
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
