// Very small send buffers at both ends: the kernel refuses or truncates nearly every write, but everything arrives once, in
// order, and with its descriptors.
import { openSync, readSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, FileDescriptor, implement, listen, type MessageBus } from '../../src/index.js';
import { count, Ledger } from '../helpers/ledger.js';
import { assertNoFdsLeft, fdsSince, openFds } from '../helpers/open-fds.js';
import { folder } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { missingSendBuffers, shrinkSendBuffers } from '../helpers/send-buffers.js';
import { testUnless } from '../helpers/skip.js';

const Faults = defineInterface('org.example.Faults', {
  methods: { Echo: { in: 's', out: 's' }, Pass: { in: 'h', out: 'h' }, Give: { in: 'u', out: 'ay' } },
  signals: { Tick: { args: 'u' } },
});

const faults = () =>
  implement(Faults, {
    Echo: (text) => text,
    Pass: (fd) => fd.handOver(),
    Give: (size) => new Uint8Array(size).fill(7),
  });

/** Two connections that reach each other, and the address of the second one's object for the first. */
interface Ends extends AsyncDisposable {
  readonly client: MessageBus;
  readonly service: MessageBus;
  readonly name: string | undefined;
  /** From `stall` to `resume`, neither side reads, if a separate process can do that. */
  stall(): Promise<unknown>;
  resume(): unknown;
}

async function peerEnds(): Promise<Ends> {
  const server = await listen({ address: `unix:tmpdir=${folder}` });
  const next = server[Symbol.asyncIterator]().next();
  const client = await connect({ address: server.address, peer: true });
  const service = (await next).value as MessageBus;
  return {
    client,
    service,
    name: undefined,
    // Messages of one turn wait until its end: this process is at both ends.
    stall: async () => {},
    resume: () => {},
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.close();
    },
  };
}

async function busEnds(): Promise<Ends> {
  const daemon = await PrivateBus.start();
  const client = await connect({ address: daemon.address });
  const service = await connect({ address: daemon.address });
  return {
    client,
    service,
    name: service.uniqueName,
    stall: () => daemon.kill('SIGSTOP'),
    resume: () => daemon.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await service.close();
      await daemon.stop();
    },
  };
}

/** Everything that is sent here queues more than this; nothing does if send buffers are as large as usual. */
const QUEUED_LEAST = 1000;
/** Milliseconds after which the test reports that nothing was queued. */
const STALL_MAXIMUM = 3000;

/** The most bytes that were queued in this process for the kernel, while `run` ran. */
async function mostQueued(bus: MessageBus, run: () => Promise<void>, onQueued = () => {}): Promise<number> {
  let most = 0;
  let running = true;
  const look = () => {
    most = Math.max(most, bus.stats().queuedBytes);
    if (most > QUEUED_LEAST) onQueued();
    if (running) setImmediate(look);
  };
  look();
  await run();
  running = false;
  return most;
}

/** The same without a reader until many bytes are queued: their number depends on nothing else then. */
async function mostQueuedStalled(bus: MessageBus, ends: Ends, run: () => Promise<void>): Promise<number> {
  await ends.stall();
  const timer = setTimeout(ends.resume, STALL_MAXIMUM);
  try {
    return await mostQueued(bus, run, ends.resume);
  } finally {
    clearTimeout(timer);
  }
}

const test = suite('faults: buffers');
const missing = missingSendBuffers();

for (const [where, connectEnds, lack] of [
  ['between peers', peerEnds, missing],
  ['on a bus', busEnds, missing ?? PrivateBus.missing()],
] as const) {
  testUnless(
    lack,
    test,
    `${where} small calls, calls with descriptors, signals and a large reply all arrive`,
    async () => {
      const before = openFds();
      {
        await using ends = await connectEnds();
        const { client, service, name } = ends;
        const object = faults();
        service.export('/faults', object);
        const remote = name === undefined ? client.proxy(Faults, '/faults') : client.proxy(Faults, name, '/faults');
        const ledger = new Ledger();
        await remote.on.Tick((number) => ledger.arrive(number)).ready;
        shrinkSendBuffers(fdsSince(before));

        const calls = await mostQueuedStalled(client, ends, async () => {
          const answers = Array.from({ length: 1000 }, (_, number) => remote.call.Echo(`text ${number}`));
          assert.equal(
            await Promise.all(answers),
            answers.map((_, number) => `text ${number}`),
          );
        });
        assert.ok(calls > QUEUED_LEAST, `${calls} bytes of calls waited`);

        const withFds = await mostQueuedStalled(client, ends, async () => {
          const answers = Array.from({ length: 100 }, () =>
            remote.call.Pass(FileDescriptor.adopt(openSync('/proc/self/comm', 'r')).handOver()),
          );
          for (const answer of answers) {
            using back = await answer;
            assert.ok(readSync(back.fd, Buffer.alloc(4), 0, 4, 0) > 0);
          }
        });
        assert.ok(withFds > QUEUED_LEAST, `${withFds} bytes of calls with descriptors waited`);

        const signals = await mostQueuedStalled(service, ends, async () => {
          for (let number = 0; number < 1000; number++) ledger.emit(number, object.emit.Tick);
          await service.flush();
          await remote.call.Echo('behind the signals');
          ledger.assertArrived();
        });
        assert.ok(signals > QUEUED_LEAST, `${signals} bytes of signals waited`);

        const reply = await mostQueued(service, async () => {
          const bytes = await remote.call.Give(2_000_000);
          assert.is(bytes.length, 2_000_000);
          assert.ok(bytes.every((byte) => byte === 7));
        });
        // How much of it is still queued when it is sampled depends on the other end.
        assert.ok(reply > QUEUED_LEAST, `${reply} bytes of a reply waited`);
        count({ callsSettled: 1102 });
      }
      await assertNoFdsLeft(before);
    },
  );
}

test.run();
