/**
 * Messages that busbar sends as programs send them: calls, signals, replies and errors with any header and any values,
 * including descriptors, over one of the transports to a bus that the test plays. The same seed makes the same ones.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { openSync } from 'node:fs';
import fc from 'fast-check';
import {
  connect,
  FileDescriptor,
  type MessageBus,
  MessageFlag,
  MessageType,
  type TransportKind,
  Variant,
} from '../../../src/index.js';
import { bodies } from '../../helpers/arbitrary-bodies.js';
import { BUS, FakeBus, type FakeConnection } from '../../helpers/fake-bus.js';
import type { WireMessage } from '../../helpers/wire.js';
import type { SentMessage } from '../../helpers/wire-reader.js';
import { descriptorsIn } from '../../interop/values-echo.js';
import type { Corpus, CorpusMessage } from '../corpus.js';
import { type TypedText, typedTexts } from '../typed-text.js';
import { headers } from './random.js';

/** Messages as they were sent, and the values that they should carry. */
export interface SentCorpus extends Corpus {
  readonly values: readonly (readonly TypedText[])[];
}

const fd = () => FileDescriptor.adopt(openSync('/dev/null', 'r'));

/** Values with descriptors, made when they are sent. */
const withDescriptors: readonly (readonly [signature: string, value: () => unknown])[] = [
  ['h', fd],
  ['ah', () => [fd(), fd(), fd()]],
  ['(yh)', () => [1, fd()]],
  ['a{sh}', () => ({ one: fd(), other: fd() })],
  ['v', () => new Variant('(sh)', ['in a variant', fd()])],
  ['av', () => [new Variant('h', fd()), new Variant('s', 'none'), new Variant('ah', [fd(), fd()])]],
];

const outgoing = fc.tuple(
  headers,
  bodies,
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...withDescriptors) },
  ),
  fc.record({ noReply: fc.boolean(), autoStart: fc.boolean(), interactive: fc.boolean() }),
);

/** sd-bus refuses them, so they are never sent: see `differences.ts`. */
function isRefusedBySdBus(signature: string, texts: readonly TypedText[]): boolean {
  const shown = JSON.stringify(texts);
  return signature.length > 254 || /\p{Noncharacter_Code_Point}/u.test(shown) || /"g [^"]{255}"/.test(shown);
}

export async function sentCorpus(transport: TransportKind, seed: number, count: number): Promise<SentCorpus> {
  await using server = await FakeBus.start({
    answer: ({ destination }) => (destination === BUS ? undefined : 'silence'),
  });
  const [bus, peer] = await Promise.all([connect({ address: server.address, transport }), server.accepted()]);
  const messages: CorpusMessage[] = [];
  const values: (readonly TypedText[])[] = [];
  const drawn = fc.sample(outgoing, { seed, numRuns: count });
  // Readers need another connection for descriptors, so these come last.
  const ordered = [
    ...drawn.filter(([, , fds]) => fds === undefined),
    ...drawn.filter(([, , fds]) => fds !== undefined),
  ];
  for (const [header, [ofBody, inBody], descriptors, options] of ordered) {
    const signature = `${ofBody}${descriptors?.[0] ?? ''}`;
    if (signature.length > 255) continue;
    const body = descriptors === undefined ? inBody : [...inBody, descriptors[1]()];
    const texts = typedTexts(signature, body);
    if (transport === 'sd-bus' && isRefusedBySdBus(signature, texts)) continue;
    const fds = descriptorsIn(body);
    const sent = await sentMessage(bus, peer, { ...header, signature }, body, options);
    for (const each of fds) each.close();
    assertHeader(
      sent,
      { ...header, flags: header.type === MessageType.MethodCall ? flagsOf(options) : sent.flags },
      signature,
    );
    const name = `sent ${messages.length} of seed ${seed} over ${transport}`;
    messages.push(fds.length === 0 ? { name, bytes: sent.bytes } : { name, bytes: sent.bytes, fds: fds.length });
    values.push(texts);
  }
  await bus.close();
  return { name: `sent over ${transport}`, messages, values };
}

interface Options {
  readonly noReply: boolean;
  readonly autoStart: boolean;
  readonly interactive: boolean;
}

/** Has a message sent by the function of its type; returns the message at the other end. */
async function sentMessage(
  bus: MessageBus,
  peer: FakeConnection,
  {
    type,
    path = '',
    interface: interfaceName,
    member = '',
    errorName,
    destination,
    replySerial,
    signature,
  }: WireMessage,
  body: readonly unknown[],
  options: Options,
): Promise<SentMessage> {
  peer.sent.length = 0;
  const common = { destination, signature, body };
  const target = { path, interface: interfaceName, member };
  if (type === MessageType.MethodCall && destination !== undefined) {
    // The server does not answer; closing the connection ends the pending calls.
    bus.call({ ...common, ...options, ...target, timeout: Number.POSITIVE_INFINITY }).catch(() => {});
  } else if (type === MessageType.MethodCall) {
    // A call to the bus itself, which `call` refuses: it would wait for a reply without a sender.
    bus.send({ ...common, ...target, type, flags: flagsOf(options) });
  } else if (type === MessageType.Signal) {
    bus.emit({ ...common, ...target, interface: interfaceName as string });
  } else {
    bus.send({ ...common, type: type as MessageType, errorName, replySerial });
  }
  return peer.until((message) => message.destination !== BUS);
}

function flagsOf({ noReply, autoStart, interactive }: Options): number {
  return (
    (noReply ? MessageFlag.NoReplyExpected : 0) |
    (autoStart ? 0 : MessageFlag.NoAutoStart) |
    (interactive ? MessageFlag.AllowInteractiveAuthorization : 0)
  );
}

function assertHeader(sent: SentMessage, header: WireMessage, signature: string): void {
  const { type, flags, path, interface: interfaceName, member, errorName, destination, replySerial } = header;
  const wanted = {
    type,
    flags,
    path,
    interface: interfaceName,
    member,
    errorName,
    destination,
    replySerial,
    signature,
    // The bus adds the sender.
    sender: undefined,
  };
  const { bytes: _bytes, body: _body, text: _text, serial: _serial, unixFds: _unixFds, ...found } = sent;
  deepStrictEqual(found, wanted);
}
