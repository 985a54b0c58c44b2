// Messages that are sent in random order, to a reader that reads at random times: every accepted message arrives once, in
// order and unchanged, and every other one is refused to its sender. User code that sends from within a send does not
// change that.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate as nextRound } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BackpressureError,
  connect,
  type FileDescriptor,
  InvalidArgumentError,
  type Message,
  type MessageBus,
} from '../../src/index.js';
import { openFds } from '../helpers/open-fds.js';
import { PATH, peers } from '../helpers/peers.js';
import { until } from '../helpers/until.js';

const test = suite('outbox model');
const NAME = 'org.example.Sent';
const signal = { path: PATH, interface: NAME, member: 'Sent' };

/** Bytes that identify their message and their position. */
function pattern(number: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = number * 7 + at + (at >>> 8) + (at >>> 16);
  return bytes;
}

/** Sizes around every power of two from 4 KiB to 4 MiB, and small ones. */
const size = fc.oneof(
  { weight: 4, arbitrary: fc.nat(600) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 12, max: 22 }), fc.integer({ min: -200, max: 200 }))
      .map(([power, off]) => 2 ** power + off),
  },
);

type Step =
  | { readonly do: 'signal' | 'descriptor' | 'reply'; readonly size: number }
  | { readonly do: 'round' | 'flush' | 'misfit' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('signal' as const, 'reply' as const), size }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('descriptor' as const), size }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('round' as const, 'flush' as const, 'misfit' as const) }) },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
);

test('accepted messages arrive once, in order and unchanged; all others are refused to their sender', async () => {
  const before = openFds().size;
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(100_000, 1 << 20, 1 << 26), async (script, queuedBytes) => {
      await using both = await peers({ limits: { queuedBytes } });
      const { accepted: sender, client } = both;
      const arrived: string[] = [];
      const take = (kind: string, number: number, bytes: Uint8Array) => {
        const isRight = Buffer.compare(bytes, pattern(number, bytes.length)) === 0;
        arrived.push(`${kind} ${number} ${bytes.length} ${isRight}`);
      };
      client.subscribe({ interface: NAME }, ({ body: [number, bytes, fd] }) => {
        (fd as FileDescriptor | undefined)?.close();
        take(fd === undefined ? 'signal' : 'descriptor', number as number, bytes as Uint8Array);
      });
      // The sender answers these calls when the script says so.
      const calls: Message[] = [];
      sender.addMessageHandler((message) => {
        if (message.member === 'Ask') calls.push(message);
        return message.member === 'Ask';
      });
      const asked = script.filter((step) => step.do === 'reply').length;
      const replies = Array.from({ length: asked }, () => client.call({ ...signal, member: 'Ask' }).catch(() => []));
      await until(() => calls.length === asked);
      const expected: string[] = [];
      const answered: string[] = [];
      let refused = 0;
      for (const [number, step] of script.entries()) {
        try {
          if (step.do === 'round') await nextRound();
          else if (step.do === 'flush') void sender.flush();
          else if (!('size' in step)) {
            const misfit = () => sender.emit({ ...signal, signature: 'uay', body: [number, [1, 2, 'three']] });
            assert.throws(misfit, (error: unknown) => {
              return error instanceof InvalidArgumentError || error instanceof BackpressureError;
            });
          } else {
            const body = [number, pattern(number, step.size)];
            const told = `${step.do} ${number} ${step.size} true`;
            if (step.do === 'reply') {
              const { serial } = calls.pop() as Message;
              sender.send({ type: 2, replySerial: serial, signature: 'uay', body });
              answered.push(told);
            } else {
              const fd = step.do === 'descriptor' ? [0] : [];
              sender.emit({ ...signal, signature: step.do === 'descriptor' ? 'uayh' : 'uay', body: [...body, ...fd] });
              expected.push(told);
            }
          }
        } catch (error) {
          assert.instance(error, BackpressureError);
          refused++;
        }
      }
      assert.ok(refused === 0 || queuedBytes < 1 << 26);
      await sender.flush();
      await until(() => arrived.length >= expected.length);
      assert.equal(arrived, expected);
      if (refused > 0) return void (await client.close());
      for (const [number, bytes] of (await Promise.all(replies)) as [number, Uint8Array][]) {
        arrived.push(`reply ${number} ${bytes.length} ${Buffer.compare(bytes, pattern(number, bytes.length)) === 0}`);
      }
      assert.equal(arrived.slice(expected.length).sort(), answered.sort());
    }),
    { numRuns: 40, endOnFailure: true },
  );
  await until(() => openFds().size <= before);
});

const CHANNELS = ['busbar:problem', 'busbar:call', 'busbar:message', 'busbar:connection'] as const;

test('messages that subscribers of diagnostics send from within are sent once, and so are all others', async () => {
  await using both = await peers();
  const { accepted: sender, client } = both;
  const numbers: number[] = [];
  client.subscribe({ interface: NAME }, ({ body: [number] }) => void numbers.push(number as number));
  client.addMessageHandler(({ member }) => member === 'Never');
  let sent = 0;
  let within = false;
  const { connection } = sender.stats();
  const emit = () => sender.emit({ ...signal, signature: 'u', body: [sent++] });
  const heard = Object.fromEntries(CHANNELS.map((name) => [name, 0])) as Record<string, number>;
  const hears = CHANNELS.map((name) => {
    const hear = (event: unknown) => {
      if (within || sender.state !== 'open') return;
      // Without this, what the other end receives would make it send without end.
      if (name === 'busbar:message' && (event as { connection: number }).connection !== connection) return;
      within = true;
      heard[name] = (heard[name] ?? 0) + 1;
      emit();
      void sender.flush();
      within = false;
    };
    subscribe(name, hear);
    return () => unsubscribe(name, hear);
  });
  try {
    for (let round = 0; round < 30; round++) {
      emit();
      // Calls that are answered with an error, aborted, timed out, and not sent at all.
      const call = { ...signal, member: 'None' };
      const abort = new AbortController();
      const ends = [
        sender.call(call),
        sender.call({ ...call, member: 'Never', signal: abort.signal }),
        sender.call({ ...call, member: 'Never', timeout: 1 }),
        sender.call({ ...call, signature: 'u', body: ['no number'] }),
      ];
      abort.abort();
      emit();
      await Promise.allSettled(ends);
      // A descriptor that other code closed, which is reported when it is closed here; the peer refuses noncharacters with
      // sd-bus.
      if (round === 3) sender.emit({ ...signal, member: 'Text', signature: 'us', body: [sent++, '\ufffe'.slice(1)] });
      if (round === 5) await connect({ address: 'unix:path=/nonexistent', peer: true }).catch(() => {});
    }
    await sender.flush();
    await until(() => numbers.length >= sent);
  } finally {
    for (const stop of hears) stop();
  }
  assert.equal(
    numbers,
    Array.from({ length: sent }, (_, number) => number),
  );
  for (const name of CHANNELS.slice(1)) assert.ok((heard[name] ?? 0) > 0, `nothing was received on ${name}`);
});

test('closing, aborting or sending in a subscriber of the end of a call ends each call once', async () => {
  await using both = await peers();
  const { accepted, client } = both;
  accepted.addMessageHandler(({ member }) => member === 'Never');
  const abort = new AbortController();
  const hear = () => {
    abort.abort();
    void client.close();
  };
  subscribe('busbar:call', hear);
  const call = { ...signal, member: 'Never', signal: abort.signal };
  const ends = [client.call({ ...signal, member: 'None' }), client.call(call), client.call(call)];
  const results = await Promise.allSettled(ends);
  unsubscribe('busbar:call', hear);
  assert.equal(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  const { calls, pendingCalls } = client.stats();
  assert.equal([calls.error, calls.abort + calls.closed, pendingCalls], [1, 2, 0]);
  await client.disconnected;
});

test('a header whose fields change between two reads is sent as it was checked', async () => {
  await using both = await peers();
  const paths: unknown[] = [];
  both.client.subscribe({ interface: NAME }, ({ path }) => void paths.push(path));
  const changing = (answers: Iterator<unknown>) => ({ get: () => answers.next().value, enumerable: true });
  const define = (bus: MessageBus, send: 'send' | 'emit') => {
    const fields = { interface: NAME, member: 'Sent', signature: 'u', body: [1] };
    const message = send === 'send' ? { type: 4, ...fields } : fields;
    Object.defineProperty(message, 'path', changing(['/right', 'wrong', '/wrong//', 'wrong'].values()));
    bus[send](message as never);
  };
  define(both.accepted, 'send');
  define(both.accepted, 'emit');
  await until(() => paths.length === 2);
  assert.equal(paths, ['/right', '/right']);
  // A timeout that is invalid when it is read again rejects, and nothing waits for ever.
  const call = { path: PATH, interface: NAME, member: 'Sent' };
  Object.defineProperty(call, 'timeout', changing([100, 'soon', 'soon', 'soon'].values()));
  const failure = await both.client.call(call).catch((error: unknown) => error);
  assert.match((failure as Error).message, /timeout: expected a number/);
  assert.is(both.client.stats().pendingCalls, 0);
});

test.run();
