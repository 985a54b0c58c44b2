// Closing a connection, or ending the process, while peers read slowly: queued bytes are written within a bounded time.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Deadlines, Expiring } from '../../src/connection/sending/deadlines.js';
import {
  ConnectionClosedError,
  defineInterface,
  implement,
  LimitsExceededError,
  listen,
  type MessageBus,
  type Problem,
} from '../../src/index.js';
import { arrivals } from '../helpers/arrivals.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { folder, PATH, peers } from '../helpers/peers.js';
import { Program } from '../helpers/program.js';
import { StoppedReader } from '../helpers/stopped-reader.js';
import { until } from '../helpers/until.js';

const test = suite('leaving');
const NAME = 'org.example.Left';

test('a process that exits waits a second for peers that do not read, and peers that read get everything', async () => {
  const COUNT = 300;
  const program = Program.start(
    process.execPath,
    moduleArguments(`
      import { listen } from ${JSON.stringify(libraryEntry)};
      const server = await listen({ address: ${JSON.stringify(`unix:tmpdir=${folder}`)} });
      console.log('at ' + server.address);
      const buses = [];
      for await (const bus of server) if (buses.push(bus) === 6) break;
      process.stdin.once('data', () => {
        const signal = { path: '/', interface: ${JSON.stringify(NAME)}, signature: 'uay' };
        for (const bus of buses) {
          for (let i = 0; i < ${COUNT}; i++) bus.emit({ ...signal, member: 'Said', body: [i, new Uint8Array(64 * 1024)] });
        }
        console.log('leaving');
        process.exit();
      });
      console.log('all here');
    `),
    { timeLimit: 60_000 },
  );
  await using _ = program;
  const address = (await program.line(/^at /)).slice('at '.length);
  const readers: StoppedReader[] = [];
  for (let i = 0; i < 6; i++) readers.push(await StoppedReader.start(address, [NAME, 'Said']));
  try {
    await program.line('all here');
    // The last peer reads, and it is also the last one to be written to.
    const heard = readers[5]?.goOn();
    program.write('\n');
    await program.line('leaving');
    const before = performance.now();
    await program.finished;
    const took = performance.now() - before;
    assert.ok(took < 3000 * patience, `${took} ms`);
    const { signals, inOrder } = (await heard) as { signals: number; inOrder: boolean };
    assert.equal([signals, inOrder], [COUNT, true]);
  } finally {
    for (const reader of readers) await reader[Symbol.asyncDispose]();
  }
});

test('after close() in a listener, nothing of the rest of the batch is delivered', async () => {
  await using both = await peers();
  const { accepted, client } = both;
  let delivered = 0;
  accepted.subscribe({ interface: NAME, member: 'Said' }, () => {
    delivered++;
    void accepted.close();
  });
  for (let i = 0; i < 50; i++) client.emit({ path: PATH, interface: NAME, member: 'Said' });
  await accepted.disconnected;
  assert.is(delivered, 1);
});

test('after close() in a listener, a call whose handler has run is answered, and all other calls reject at once', async () => {
  const Counted = defineInterface(NAME, { methods: { Count: { out: 'u' } } });
  await using both = await peers();
  const { accepted, client } = both;
  let done = 0;
  accepted.export(PATH, implement(Counted, { Count: () => ++done }));
  accepted.subscribe({ interface: NAME, member: 'Said' }, () => void accepted.close());
  const { Count } = client.proxy(Counted, PATH).with({ timeout: Number.POSITIVE_INFINITY }).call;
  const before = Array.from({ length: 5 }, () => Count());
  client.emit({ path: PATH, interface: NAME, member: 'Said' });
  const after = Array.from({ length: 20 }, () => Count());
  const settled = await Promise.allSettled([...before, ...after]);
  const answered = settled.filter(({ status }) => status === 'fulfilled').length;
  assert.is(answered, done);
  assert.ok(done >= before.length, `${done} of ${settled.length}`);
  for (const result of settled) {
    if (result.status === 'rejected') assert.instance(result.reason, ConnectionClosedError);
  }
});

/** More than the kernel accepts; with sd-bus about 16 MB. */
function emitMuch(bus: MessageBus): void {
  for (let i = 0; i < 400; i++) {
    bus.emit({ path: PATH, interface: NAME, member: 'Said', signature: 'uay', body: [i, new Uint8Array(100_000)] });
  }
}

test('if the other side does not read, close rejects with the number of unwritten bytes', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  await using _reader = await StoppedReader.start(server.address, [NAME, 'Said']);
  const { value } = await server[Symbol.asyncIterator]().next();
  const bus = value as MessageBus;
  emitMuch(bus);
  const problems: Problem[] = [];
  const hear = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', hear);
  const flushed = bus.flush().catch((error: unknown) => error);
  const code = process.exitCode;
  await bus.close();
  unsubscribe('busbar:problem', hear);
  // It is also set as the exit code, which test/process/exit.test.ts checks.
  process.exitCode = code;
  assert.instance(await flushed, ConnectionClosedError);
  const [problem] = problems.filter(({ connection }) => connection === bus.stats().connection);
  assert.match(problem?.message ?? '', /^up to \d+ queued bytes .*were lost: the other side did not read in time/);
});

test('a flush that is not awaited rejects without an unhandled rejection', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  await using _reader = await StoppedReader.start(server.address, [NAME, 'Said']);
  const { value } = await server[Symbol.asyncIterator]().next();
  const bus = value as MessageBus;
  emitMuch(bus);
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', hear);
  const flushed = bus.flush();
  await bus.close({ drain: 0 });
  await new Promise(setImmediate);
  process.off('unhandledRejection', hear);
  assert.equal(unhandled, []);
  assert.instance(await flushed.catch((error: unknown) => error), ConnectionClosedError);
});

test('two peers that flood each other with small calls for large answers make progress, or end with a reason', async () => {
  const Flood = defineInterface(NAME, { methods: { Give: { out: 'ay' } } });
  const limits = { queuedBytes: 1_000_000 };
  const program = (address: string) => `
    import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
    const Flood = defineInterface(${JSON.stringify(NAME)}, { methods: { Give: { out: 'ay' } } });
    const bus = await connect({ address: ${JSON.stringify(address)}, peer: true, limits: ${JSON.stringify(limits)} });
    bus.export(${JSON.stringify(PATH)}, implement(Flood, { Give: () => new Uint8Array(100_000) }));
    const flood = bus.proxy(Flood, ${JSON.stringify(PATH)});
    const ends = await Promise.allSettled(Array.from({ length: 3000 }, () => flood.call.Give()));
    const answered = ends.filter(({ status }) => status === 'fulfilled').length;
    if (answered === 3000) await bus.close();
    console.log(JSON.stringify([answered, (await bus.disconnected)?.name]));
  `;
  const ends: PromiseSettledResult<unknown>[] = [];
  let ended: unknown;
  let finish!: () => void;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await using server = await listen({
    address: `unix:tmpdir=${folder}`,
    limits,
    onConnection: async (bus) => {
      bus.export(PATH, implement(Flood, { Give: () => new Uint8Array(100_000) }));
      const flood = bus.proxy(Flood, PATH);
      void bus.disconnected.then((reason) => {
        ended = reason;
      });
      ends.push(...(await Promise.allSettled(Array.from({ length: 3000 }, () => flood.call.Give()))));
      finish();
    },
  });
  await using other = Program.start(process.execPath, moduleArguments(program(server.address)), { timeLimit: 90_000 });
  await done;
  const finished = await other.finished;
  const { stdout } = finished;
  assert.match(stdout, /^\[/, JSON.stringify(finished));
  const here = ends.filter(({ status }) => status === 'fulfilled').length;
  const [there, reason] = JSON.parse(stdout) as [number, string | undefined];
  // The side that gives up first has the reason; the other one sees a disconnection.
  const isTold = ended instanceof LimitsExceededError || reason === 'LimitsExceededError';
  assert.ok((here === 3000 && there === 3000) || isTold, `${here}, ${there}, ${ended}, ${reason}`);
});

test('any number of different time limits takes a bounded number of lists, and none expires early', async () => {
  class Entry extends Expiring {
    expired = 0;
    expire(): void {
      this.expired = performance.now();
    }
  }
  const deadlines = new Deadlines(arrivals());
  const started = performance.now();
  const entries = Array.from({ length: 5000 }, (_, index) => {
    const entry = new Entry();
    const milliseconds = 1 + index / 50;
    deadlines.add(milliseconds, entry);
    return { entry, milliseconds };
  });
  for (let index = 0; index < 100_000; index++) {
    const entry = new Entry();
    deadlines.add(10_000 + index * 1.5, entry);
    deadlines.remove(entry);
  }
  assert.ok(deadlines.size < 64 + 200, `${deadlines.size} lists`);
  await until(() => entries.every(({ entry }) => entry.expired > 0));
  for (const { entry, milliseconds } of entries) {
    assert.ok(entry.expired - started >= milliseconds - 1, `${milliseconds} ms expired early`);
  }
  deadlines.clear();
});

test('64 different time limits are kept exactly, and further ones are late by an eighth at most', () => {
  class Entry extends Expiring {
    expire(): void {}
  }
  const deadlines = new Deadlines(arrivals());
  // They are not earlier than their clock.
  const began = performance.now();
  let latest = 0;
  for (let index = 0; index < 20_000; index++) {
    const entry = new Entry();
    const milliseconds = 100_000 + index * index;
    const now = performance.now() - began;
    deadlines.add(milliseconds, entry);
    const late = entry.expiresAt - now - milliseconds;
    assert.ok(late >= 0, `${milliseconds} ms expire early`);
    if (index < 64) assert.ok(late < 1000, `${milliseconds} ms are late by ${late}`);
    latest = Math.max(latest, late / milliseconds);
  }
  assert.ok(latest > 0.05 && latest <= 1 / 8 + 0.01, `${latest}`);
  deadlines.clear();
});

test.run();
