// time limit: 300 s
// Every byte arrives: random messages of every kind in bursts of every size, and values of every type around every power of
// two. The test has its own receiver, and its own encoder for the expected bytes. Memory that the sender allocates holds a pattern,
// so that an unwritten byte on the wire differs from the expected one.
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { transportKind } from '../../src/native/runtime.js';
import { ArrivalPlan, type Burst, messagesAround, type PlannedMessage, sizes } from '../helpers/arrival-plan.js';
import { answersLines } from '../helpers/fake-bus.js';
import { marshalledValues } from '../helpers/marshalled-values.js';
import { programArguments } from '../helpers/own-runtime.js';
import { folder } from '../helpers/peers.js';
import { Program } from '../helpers/program.js';
import { type Bytes, Field, wireMessage, writeField } from '../helpers/wire.js';
import { WireEnd } from '../helpers/wire-end.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const test = suite('arrival');

const CONNECTIONS = 1000;
const NO_REPLY_EXPECTED = 1;

/** The pattern of glibc is derived from 0xa5: `~value` for allocated memory, `value` for freed memory. */
const PERTURBED = { MALLOC_PERTURB_: '90' };

const SENDER = programArguments('test/helpers/arrival-sender.ts');

/**
 * Whether it is the planned message, to the byte. Header fields are in ascending order, except that the one of a reply is the
 * first, and that sd-bus writes the member of a call before its interface.
 */
function isAsPlanned(planned: PlannedMessage, { serial, flags, bytes }: SentMessage): boolean {
  const { type, path, member, replySerial, errorName } = planned;
  if (type === 1 && (flags & NO_REPLY_EXPECTED) === 0) return false;
  const isCallOfSdBus = type === 1 && transportKind() === 'sd-bus';
  const moreFields = (fields: Bytes) => {
    if (replySerial !== undefined) writeField(fields, Field.ReplySerial, 'u', replySerial);
    if (!isCallOfSdBus) return;
    writeField(fields, Field.Path, 'o', path as string);
    writeField(fields, Field.Member, 's', member as string);
  };
  const expected = wireMessage({
    ...{ type, serial, flags, errorName, interface: planned.interface, moreFields },
    ...(isCallOfSdBus ? {} : { path, member }),
    signature: planned.signature === '' ? undefined : planned.signature,
    body: marshalledValues(planned.signature, planned.body),
  });
  return expected.equals(bytes);
}

interface Received {
  messages: number;
  /** Descriptions of the first few messages that differ. */
  readonly wrong: string[];
  connections: number;
}

/** Accepts one connection after the other, and compares each message with its plan. */
async function receive(
  name: string,
  planOf: (connection: number) => Iterable<Burst>,
  args: readonly string[],
): Promise<Received> {
  const received: Received = { messages: 0, wrong: [], connections: 0 };
  const path = join(folder, name);
  const server = createServer((socket) => {
    const connection = received.connections++;
    const expected = messagesOf(planOf(connection));
    let serial = 0;
    const end = new WireEnd(socket, {
      handshake: answersLines(socket),
      onMessage: (message) => {
        end.sent.length = 0;
        if (message.member === 'End') {
          if (!expected.next().done) received.wrong.push(`connection ${connection}: messages are missing`);
          return;
        }
        received.messages++;
        const { value: planned } = expected.next();
        const isRight = planned !== undefined && message.serial === ++serial && isAsPlanned(planned, message);
        if (!isRight && received.wrong.length < 5) {
          received.wrong.push(`connection ${connection}, serial ${message.serial}: ${planned?.signature}`);
        }
      },
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const program = Program.start(process.execPath, [...SENDER, `unix:path=${path}`, ...args], {
    env: PERTURBED,
    timeLimit: 250_000,
  });
  const { stdout, stderr } = await program.finished;
  assert.is(stdout, 'lost 0\n', stderr);
  await new Promise((resolve) => server.close(resolve));
  return received;
}

function* messagesOf(bursts: Iterable<Burst>): Generator<PlannedMessage, undefined> {
  for (const burst of bursts) yield* burst;
  return undefined;
}

test('100 000 random messages over 1 000 connections arrive unchanged', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const plan = new ArrivalPlan(seed);
  const args = ['random', String(seed), String(CONNECTIONS)];
  const received = await receive('random', (connection) => plan.bursts(connection), args);
  assert.equal(received, { messages: 100_000, wrong: [], connections: CONNECTIONS }, `seed ${seed}`);
});

for (const way of ['singly', 'together']) {
  test(`messages of every type around every power of two from 4 KiB to 4 MiB arrive unchanged, sent ${way}`, async () => {
    const received = await receive(way, (connection) => [messagesAround(sizes[connection] as number)], ['sized', way]);
    const messages = sizes.reduce((count, size) => count + messagesAround(size).length, 0);
    assert.equal(received, { messages, wrong: [], connections: sizes.length });
  });
}

test.run();
