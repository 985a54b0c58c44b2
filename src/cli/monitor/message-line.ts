/**
 * A monitored message as one line for people. The caller is always on the left and the callee on the right, with an arrow
 * from the sender of the message to its receiver, so a reply looks like its call in the opposite direction.
 */
import { printable } from '../../base/printable.js';
import type { MonitoredMessage, MonitoredPeer } from '../../index.js';
import { library } from '../library.js';
import { Output } from '../output.js';
import { layOut } from '../values/layout.js';
import { readableValue } from '../values/print.js';
import { decoding } from '../values/show.js';
import { stringWidth } from '../width.js';

/** Paints nothing, because values are cut. */
const plain = new Output({ json: false, color: false });
/** Larger bodies are not shown where lines are cut. */
const SHOWN_BYTES = 16 * 1024;
const PEER_WIDTH = 24;
const WIDE = 110;

export function messageLine(output: Output, message: MonitoredMessage): string {
  const { MessageType } = library;
  const { width } = output;
  const isNarrow = width < WIDE;
  const { type, call, elapsed } = message;
  const isReply = type === MessageType.MethodReturn || type === MessageType.Error;
  const [left, right] = isReply ? [message.to, message.from] : [message.from, message.to];
  const arrow = isReply ? '←' : type === MessageType.Signal ? '⇒' : '→';
  const peerWidth = Number.isFinite(width) ? Math.max(12, Math.min(PEER_WIDTH, Math.floor(width / 4))) : width;
  const about = call ?? message;
  const rest = [
    ...(about.member === undefined ? [] : [memberOf(about, isNarrow)]),
    ...(message.path === undefined || isNarrow ? [] : [message.path]),
    ...(type === MessageType.Error ? [message.errorName ?? ''] : []),
    ...(isReply && call === undefined ? [`reply to ${message.replySerial}`] : []),
  ];
  const time = timeOfDay(message.time);
  const duration = elapsed === undefined ? '' : ` ${durationText(elapsed)}`;
  const peers = [label(left, peerWidth), arrow, right === undefined ? '' : label(right, peerWidth)];
  const head = `${time} ${peers.filter((part) => part !== '').join(' ')} `;
  const room = width - stringWidth(head) - stringWidth(duration);
  const [member = '', ...further] = rest.map(printable);
  const values = valuesText(message, width);
  const text = output.cut(
    [...further, values].filter((part) => part !== '').join(' '),
    Math.max(1, room - stringWidth(member) - 1),
  );
  const isError = type === MessageType.Error;
  const painted = isError ? output.paint('red', text) : text;
  return [
    output.paint('dim', time),
    output.paint('cyan', peers[0] as string),
    output.paint(isError ? 'red' : 'bold', arrow),
    ...(right === undefined ? [] : [output.paint('cyan', peers[2] as string)]),
    output.paint(isError ? ['red', 'bold'] : 'yellow', output.cut(member, Math.max(1, room))) +
      output.paint('dim', duration),
    painted,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** A duration with three digits: `412 µs`, `1.24 ms`, `25.0 s`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)} µs`;
  return milliseconds < 1000 ? `${Number(milliseconds.toPrecision(3))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** The interface and the member; of the interface only its last part where there is little room. */
export function memberOf(
  { interface: interfaceName, member = '' }: Pick<MonitoredMessage, 'interface' | 'member'>,
  isShort = false,
): string {
  if (interfaceName === undefined) return member;
  return `${isShort ? interfaceName.slice(interfaceName.lastIndexOf('.') + 1) : interfaceName}.${member}`;
}

/** The well-known name of a peer; without one its unique name and the process. The end of a name tells more. */
export function label(peer: MonitoredPeer | undefined, width = Number.POSITIVE_INFINITY): string {
  if (peer === undefined) return '?';
  const { name, names, process } = peer;
  const text = printable(names[0] ?? (process?.comm === undefined ? name : `${process.comm}[${name}]`));
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}

function valuesText(message: MonitoredMessage, width: number): string {
  const { signature, bodyLength, fault } = message;
  if (fault !== undefined) return `invalid: ${printable(fault.message)}`;
  if (signature === '') return '';
  if (bodyLength > SHOWN_BYTES && Number.isFinite(width)) return `${signature}, ${bodyLength} bytes`;
  const values = message.decode(decoding);
  return library
    .parseSignature(signature)
    .map((type, index) => layOut(readableValue(plain, type.signature, values[index]), Number.POSITIVE_INFINITY))
    .join(', ');
}

function timeOfDay(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
