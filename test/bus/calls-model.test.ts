// Calls against a model: each settles once, by the first reply that may answer it, its AbortSignal, or the end of the connection.
// The bus is played here, so that any reply can be for anybody; `calls-daemons-model` has what daemons do.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, connect, DBusError } from '../../src/index.js';
import { busMessage, strings } from '../helpers/bus-words.js';
import { FakeBus, PEER } from '../helpers/fake-bus.js';
import { replayable } from '../helpers/replay.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const test = suite('calls against a model');
const STRANGER = ':1.77';

/** A call, in the model. */
interface Modelled {
  outcome: 'waits' | 'reply' | 'error' | 'abort' | 'closed';
  readonly controller: AbortController;
  readonly settled: Promise<string>;
  /** How often it settled, which must be once. */
  times: number;
}

const step = fc.record({
  what: fc.constantFrom('call', 'call', 'reply', 'reply', 'error', 'foreign', 'misaddressed', 'unknown', 'abort'),
  which: fc.nat(30),
});

for (const end of ['close', 'hang up'] as const) {
  test(`random replies, late, double and foreign ones, before the ${end}`, async () => {
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
        // The end of an idle connection keeps nothing alive.
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
                sender: what === 'foreign' ? STRANGER : PEER,
                ...(what === 'misaddressed' && { destination: STRANGER }),
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
