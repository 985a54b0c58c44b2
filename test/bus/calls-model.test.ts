// Calls against a model: each call settles once, by the first reply that may answer it, by its AbortSignal, or by the end
// of the connection. The test plays the bus, so that a reply can be addressed to any connection; `calls-daemons-model` uses
// real daemons.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, connect, DBusError } from '../../src/index.js';
import { busMessage, strings } from '../helpers/bus-words.js';
import { FakeBus, PEER } from '../helpers/fake-bus.js';
import { replayable } from '../helpers/replay.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const test = suite('calls against a model');
const OTHER_PEER = ':1.77';

/** A call, in the model. */
interface Modelled {
  outcome: 'waits' | 'reply' | 'error' | 'abort' | 'closed';
  readonly controller: AbortController;
  readonly settled: Promise<string>;
  /** The number of times that it settled, which must be one. */
  times: number;
}

const step = fc.record({
  what: fc.constantFrom('call', 'call', 'reply', 'reply', 'error', 'foreign', 'misaddressed', 'unknown', 'abort'),
  which: fc.nat(30),
});

for (const end of ['close', 'hang up'] as const) {
  test(`random replies, late, repeated and foreign, before the ${end}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const sent: SentMessage[] = [];
        await using server = await FakeBus.start({
          answer(call) {
            if (call.member !== 'Ask') return undefined;
            sent.push(call);
            return 'silence';
          },
        });
        const bus = await connect({ address: server.address });
        // The loss of an idle connection does not keep the process alive.
        bus.ref();
        const line = await server.accepted();
        const calls: Modelled[] = [];
        let unexpected = 0;
        const { unexpectedReplies: before } = bus.stats();
        for (const { what, which } of steps) {
          const call = calls[which % Math.max(1, calls.length)];
          if (what === 'call' || call === undefined) {
            const controller = new AbortController();
            const promise = bus.call({
              destination: PEER,
              path: '/',
              interface: 'org.example.Model',
              member: 'Ask',
              timeout: Number.POSITIVE_INFINITY,
              signal: controller.signal,
            });
            const settled = promise.then(
              ([value]) => `reply ${value}`,
              (error: unknown) => {
                if (error instanceof ConnectionClosedError) return 'closed';
                return error instanceof DBusError ? 'error' : 'abort';
              },
            );
            const modelled: Modelled = { outcome: 'waits', controller, settled, times: 0 };
            void settled.then(() => modelled.times++);
            calls.push(modelled);
            await bus.listNames();
            assert.is(sent.length, calls.length);
            continue;
          }
          const { serial: replySerial } = sent[calls.indexOf(call)] as SentMessage;
          if (what === 'abort') {
            call.controller.abort();
            if (call.outcome === 'waits') call.outcome = 'abort';
          } else {
            const isWrong = what === 'foreign' || what === 'misaddressed' || what === 'unknown';
            line.inject(
              busMessage({
                type: what === 'error' ? 3 : 2,
                replySerial: what === 'unknown' ? 1_000_000 + which : replySerial,
                sender: what === 'foreign' ? OTHER_PEER : PEER,
                ...(what === 'misaddressed' && { destination: OTHER_PEER }),
                ...(what === 'error' && { errorName: 'org.example.Model.Error' }),
                ...strings(`to ${calls.indexOf(call)}`),
              }),
            );
            if (isWrong || call.outcome !== 'waits') unexpected++;
            else call.outcome = what === 'error' ? 'error' : 'reply';
          }
          await bus.listNames();
        }
        assert.is(bus.stats().pendingCalls, calls.filter(({ outcome }) => outcome === 'waits').length);
        assert.is(bus.stats().unexpectedReplies - before, unexpected);
        if (end === 'close') await bus.close();
        else await server.stop();
        await bus.disconnected;
        for (const [index, call] of calls.entries()) {
          if (call.outcome === 'waits') call.outcome = 'closed';
          assert.is(await call.settled, call.outcome === 'reply' ? `reply to ${index}` : call.outcome);
        }
        await new Promise((resolve) => setImmediate(resolve));
        assert.ok(calls.every(({ times }) => times === 1));
        const { calls: counts } = bus.stats();
        for (const outcome of ['error', 'abort', 'closed'] as const) {
          assert.is(counts[outcome], calls.filter((call) => call.outcome === outcome).length, outcome);
        }
      }),
      replayable(30),
    );
  });
}

test.run();
