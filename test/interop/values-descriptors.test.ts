/**
 * File descriptors through other implementations, both ways: bytes that are written into one end of a pipe must come out of
 * the other, wherever the descriptor was in the message.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type FileDescriptor, type MessageBus, Variant } from '../../src/index.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { skip, testUnless } from '../helpers/skip.js';
import { descriptorsIn, EchoService } from './values-echo.js';
import { echo, type Peer, peers, startEchoClient, startEchoService } from './values-peers.js';
import { Pipe } from './values-pipe.js';

const missingBus = PrivateBus.missing() ?? missingPrograms('mkfifo');

/** The places of descriptors in a body: the values for a number of them. */
interface Place {
  readonly title: string;
  readonly signature: string;
  readonly count: number;
  readonly values: (fds: readonly number[]) => readonly unknown[];
}

/** As many as dbus-next receives. */
const MANY = 16;

const variant = (signature: string, value: unknown) => new Variant(signature, value);
const places: readonly Place[] = [
  { title: 'a descriptor', signature: 'h', count: 1, values: ([a]) => [a] },
  { title: 'two descriptors between values', signature: 'yhsh', count: 2, values: ([a, b]) => [1, a, 's', b] },
  { title: 'descriptors in an array', signature: 'ah', count: 3, values: (fds) => [fds] },
  { title: 'descriptors in structs', signature: 'a(yh)', count: 2, values: (fds) => [fds.map((fd) => [7, fd])] },
  {
    title: 'descriptors in variants',
    signature: 'vav',
    count: 2,
    values: ([a, b]) => [variant('h', a), [variant('(h)', [b])]],
  },
  { title: 'descriptors in a dictionary', signature: 'a{sh}', count: 2, values: ([a, b]) => [{ a, b }] },
  {
    title: 'descriptors in options',
    signature: 'sa{sv}',
    count: 1,
    values: ([a]) => ['x', { fd: variant('h', a), n: variant('i', 1) }],
  },
  {
    title: 'a dictionary by descriptors',
    signature: 'a{hs}',
    count: 2,
    values: ([a, b]) => [
      new Map([
        [a, 'a'],
        [b, 'b'],
      ]),
    ],
  },
  { title: `${MANY} descriptors`, signature: 'ah', count: MANY, values: (fds) => [fds] },
  { title: 'an array of no descriptors', signature: 'ahy', count: 0, values: () => [[], 1] },
];

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

for (const peer of peers) {
  const test = suite(`descriptors and ${peer.name}`);
  const missing = missingBus ?? peer.missing;
  let daemon: PrivateBus | undefined;
  let bus: MessageBus | undefined;
  let service: { readonly program: Program; readonly name: string } | undefined;
  let echoService: EchoService | undefined;

  test.before(async () => {
    if (missing !== undefined) return;
    daemon = await PrivateBus.start();
    bus = await connect({ address: daemon.address });
    service = await startEchoService(peer, daemon);
    echoService = await EchoService.start(daemon);
  });

  test.after(async () => {
    await bus?.close();
    await service?.program.stop();
    await echoService?.stop();
    await daemon?.stop();
  });

  const call = (member: string, signature: string, body: readonly unknown[]) =>
    (bus as MessageBus).call({ ...echo, destination: service?.name, member, signature, body, variants: 'wrap' });

  for (const { title, signature, count, values } of places) {
    const { descriptorsRead = MANY } = peer;
    const unread =
      count > descriptorsRead ? `${peer.name} receives ${descriptorsRead} descriptor a message` : undefined;
    testUnless(missing ?? unread, test, `${peer.name} reads from ${title}`, async () => {
      const pipes = texts(count).map(() => Pipe.open());
      const reply = call('ReadAll', signature, values(pipes.map(({ readingEnd }) => readingEnd)));
      for (const [index, pipe] of pipes.entries()) pipe.write(`text ${index}`);
      assert.equal(await reply, [texts(count)]);
      for (const pipe of pipes) pipe.close();
    });

    testUnless(missing ?? unread, test, `${peer.name} echoes ${title}`, async () => {
      const pipes = texts(count).map(() => Pipe.open());
      const reply = await call('Echo', signature, values(pipes.map(({ writingEnd }) => writingEnd)));
      const returned = descriptorsIn(reply);
      deepStrictEqual(reply, values(returned as unknown as number[]));
      for (const [index, descriptor] of returned.entries()) writeAndClose(descriptor, `text ${index}`);
      assert.equal(
        pipes.map((pipe) => pipe.readAll()),
        texts(count),
      );
    });

    testUnless(missing, test, `${peer.name} sends ${title}`, async () => {
      // The first index of the body is that of the last descriptor, so that order and index differ.
      const indices = texts(count).map((_, index) => count - 1 - index);
      const written = texts(count).map((_, index) => `descriptor ${count - 1 - index};`);
      assert.equal(await fill(signature, count, indexNotation(values(indices))), written);
    });
  }

  testUnless(missing, test, `${peer.name} sends one descriptor that two values refer to`, async () => {
    assert.equal(await fill('hh', 1, '[0,0]'), ['descriptor 0;descriptor 1;']);
  });

  testUnless(missing, test, `${peer.name} gets the right descriptors with each of many calls`, async () => {
    const pipes = texts(50).map(() => Pipe.open());
    const replies = pipes.map(({ readingEnd }) => call('ReadAll', 'h', [readingEnd]));
    for (const [index, pipe] of pipes.entries()) pipe.write(`text ${index}`);
    assert.equal(
      await Promise.all(replies),
      texts(50).map((text) => [[text]]),
    );
    for (const pipe of pipes) pipe.close();
  });

  /**
   * Has the peer send the writing ends of new pipes; resolves with the bytes that the service of busbar wrote into each.
   */
  async function fill(signature: string, pipes: number, values: string): Promise<unknown> {
    const client = startEchoClient(peer as Peer, daemon as PrivateBus, echoService?.name as string);
    client.write(`{"signature":"${signature}","pipes":${pipes},"values":${values}}\n`);
    const line = await client.line(/^(filled|failed) /);
    await client.stop();
    assert.match(line, /^filled /);
    return JSON.parse(line.slice('filled '.length));
  }

  test.run();
}

/** `values-notation.ts` for values that consist of indices, strings and numbers. */
function indexNotation(value: unknown): string {
  if (value instanceof Variant) return `{"variant":"${value.signature}","value":${indexNotation(value.value)}}`;
  if (Array.isArray(value)) return `[${value.map(indexNotation).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  return `{"entries":${indexNotation(pairs)}}`;
}

function writeAndClose(descriptor: FileDescriptor, text: string): void {
  writeSync(descriptor.fd, text);
  descriptor.close();
}

const tools = suite('descriptors and the tools');

testUnless(missingBus ?? missingPrograms('gdbus'), tools, 'gdbus sends its standard output', async () => {
  const daemon = await PrivateBus.start();
  const service = await EchoService.start(daemon);
  const target = ['--dest', service.name, '--object-path', echo.path, '--method', `${echo.interface}.Fill`];
  const gdbus = Program.start('gdbus', ['call', '--session', ...target, 'handle 1'], { env: daemon.env });
  assert.is((await gdbus.finished).stdout, 'descriptor 0;()\n');
  await service.stop();
  await daemon.stop();
});

skip(tools, 'busctl sends a descriptor', 'busctl takes no descriptors');

tools.run();
