// Descriptors that are handed over, against a model of their owner. If the function that got one throws or rejects before
// sending, it stays with the program; otherwise busbar closes it, whether the message is sent, answered or lost.
import { subscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineInterface, FileDescriptor, implement, type MessageBus, MessageType } from '../../src/index.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { peers } from '../helpers/peers.js';
import { replayable } from '../helpers/replay.js';
import { until } from '../helpers/until.js';

const test = suite('handed-over descriptors against a model');

// A subscriber keeps the reports of misfits, which are intended, from being printed.
subscribe('busbar:problem', () => {});

const NAME = 'org.example.Taker';
const PATH = '/taker';
const Taker = defineInterface(NAME, {
  methods: { Take: { in: ['file:h', 'text:s'] }, Give: { out: ['file:h', 'text:s'] } },
  signals: { Taken: { args: ['file:h', 'text:s'] } },
  properties: { File: { type: '(hs)', access: 'readwrite' } },
});
const QUEUED = 100_000;

/** The ways of a descriptor into a message. `result` and `property` hand it over at the other end, when they are asked. */
const ways = ['call', 'proxy', 'emit', 'send', 'object', 'result', 'property', 'set'] as const;
type Way = (typeof ways)[number];
/** What is wrong with the message; `late` aborts after it was sent, `unknown` makes the other side answer with an error. */
const faults = ['nothing', 'misfit', 'aborted', 'late', 'full', 'unknown', 'closed'] as const;
type Fault = (typeof faults)[number];

const step = fc.record({ way: fc.constantFrom(...ways), fault: fc.constantFrom(...faults) });

/** Whether the function that gets the descriptor throws or rejects before sending. */
function isRefused(way: Way, fault: Fault): boolean {
  if (fault === 'misfit') return true;
  if (fault === 'aborted') return way === 'call' || way === 'proxy' || way === 'set';
  if (fault === 'full') return way !== 'object';
  // What an object emits on a connection that is over is dropped, as on one of several that is.
  return fault === 'closed' && way !== 'object';
}

test('they belong to the program exactly if the message was refused before it was sent', async () => {
  const before = openFds();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      for (const { way, fault } of steps) {
        const what = `${way}, ${fault}`;
        const own = FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
        {
          await using both = await peers({ limits: { queuedBytes: QUEUED } }, { limits: { queuedBytes: QUEUED } });
          const isAsked = await attempt(both, own, way, fault);
          const stays = isAsked === undefined ? isRefused(way, fault) : !isAsked;
          // The other side may not have answered yet.
          if (!stays && isAsked === true) await until(() => own.closed);
          assert.is(own.closed, !stays, what);
          if (stays) own.close();
        }
        await assertNoFdsLeft(before);
      }
    }),
    replayable(40),
  );
});

/**
 * Hands the descriptor over, with the fault, and waits until the message was refused, answered or lost. Returns whether a
 * result or a property was asked for; `undefined` for other ways.
 */
async function attempt(
  { client, accepted }: { readonly client: MessageBus; readonly accepted: MessageBus },
  own: FileDescriptor,
  way: Way,
  fault: Fault,
): Promise<boolean | undefined> {
  const controller = new AbortController();
  if (fault === 'aborted') controller.abort();
  const text = (fault === 'misfit' ? 5 : 'text') as string;
  let isAsked = false;
  const give = (): [FileDescriptor | number, string] => {
    // A client that sets the property makes the service read it, too.
    if (way === 'set') return [0, text];
    isAsked = true;
    return [own, text];
  };
  const object = implement(Taker, { Take: () => {}, Give: give, File: { get: give, set: () => {} } });
  const emitter = implement(Taker, {
    Take: () => {},
    Give: () => [1, ''],
    File: { get: () => [1, ''], set: () => {} },
  });
  accepted.export(PATH, object);
  client.export('/emitter', emitter);
  const member = fault === 'unknown' ? 'Absent' : 'Take';
  const message = { path: PATH, interface: NAME, member, signature: 'hs', body: [own, text] };
  const options = { signal: controller.signal };
  const taker = client.proxy(Taker, fault === 'unknown' ? '/absent' : PATH);
  if (fault === 'full') fill(client);
  if (fault === 'closed') await client.close({ drain: 0 });
  const outcome = (async () => {
    if (way === 'call') await client.call(message, options);
    else if (way === 'proxy') await taker.with(options).call.Take(own, text);
    else if (way === 'set') await taker.with(options).set.File([own, text]);
    else if (way === 'result') (await taker.with(options).call.Give())[0].close();
    else if (way === 'property') (await taker.with(options).get.File())[0].close();
    else if (way === 'emit') client.emit(message);
    else if (way === 'send') client.send({ ...message, type: MessageType.Signal });
    else emitter.emit.Taken(own, text);
  })().catch(() => {});
  if (fault === 'late') controller.abort();
  await outcome;
  return way === 'result' || way === 'property' ? isAsked : undefined;
}

/** Queues more bytes than the limit. */
function fill(bus: MessageBus): void {
  while (bus.stats().queuedBytes <= QUEUED) {
    bus.emit({ path: PATH, interface: NAME, member: 'Much', signature: 'ay', body: [new Uint8Array(1 << 20)] });
  }
}

test.run();
