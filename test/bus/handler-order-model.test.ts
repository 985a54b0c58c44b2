// Random calls of several clients to an object whose handlers run one at a time, on both daemons: handlers end or fail,
// permissions are given or not, and clients leave. The model is the order in which the handlers began and ended.
import { subscribe } from 'node:diagnostics_channel';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CallContext, connect, defineInterface, implement, type MessageBus } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const RUNS = 25;
const CLIENTS = 3;

const Work = defineInterface('org.example.Work', { methods: { Do: { in: 'u', out: 'u' } } });

type Step =
  | { readonly do: 'call'; readonly client: number; readonly kind: 'slow' | 'quick' | 'fails' | 'refused' }
  | { readonly do: 'leave'; readonly client: number }
  | { readonly do: 'pause' };

const client = fc.nat(CLIENTS - 1);
const kind = fc.constantFrom('slow' as const, 'slow' as const, 'quick' as const, 'fails' as const, 'refused' as const);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ do: fc.constant('call' as const), client, kind }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), client }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const) }) },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

interface Call {
  readonly kind: string;
  readonly client: MessageBus;
  began: boolean;
  outcome?: string;
}

const test = suite('order of handlers, by a model');

// Handlers fail on purpose.
subscribe('busbar:problem', () => {});

for (const concurrency of ['serial', 'perCaller'] as const) {
  for (const daemonKind of ['dbus-daemon', 'dbus-broker'] as const satisfies readonly Daemon[]) {
    const missing = PrivateBus.missing({ daemon: daemonKind });
    testUnless(
      missing,
      test,
      `${concurrency}: one at a time, in order, each answered once, on ${daemonKind}`,
      async () => {
        await using daemon = await PrivateBus.start({ daemon: daemonKind });
        await using service = await connect({ address: daemon.address });
        await fc.assert(
          fc.asyncProperty(steps, (program) => run(daemon.address, service, concurrency, program)),
          replayable(RUNS),
        );
      },
    );
  }
}

async function run(
  address: string,
  service: MessageBus,
  concurrency: 'serial' | 'perCaller',
  program: readonly Step[],
): Promise<void> {
  const calls: Call[] = [];
  const running = new Set<Call>();
  const faults: string[] = [];
  const lane = (call: Call) => [...running].filter((other) => concurrency === 'serial' || other.client === call.client);
  const object = implement(
    Work,
    {
      async Do(number) {
        const call = calls[number] as Call;
        if (lane(call).length > 0) faults.push(`call ${number} began while another one ran`);
        const later = calls.slice(number + 1).filter((other) => other.began && other.client === call.client);
        if (later.length > 0) faults.push(`call ${number} began after a later one of its caller`);
        call.began = true;
        running.add(call);
        try {
          if (call.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, number % 3));
          if (call.kind === 'fails') throw new Error('broken');
          return number;
        } finally {
          running.delete(call);
        }
      },
    },
    {
      concurrency,
      allow: async (_call: CallContext, ...[number]: readonly unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, Number(number) % 2));
        return calls[number as number]?.kind !== 'refused';
      },
    },
  );
  using _export = service.export('/work', object);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect({ address })));
  const outcomes: Promise<unknown>[] = [];
  for (const step of program) {
    if (step.do === 'pause') await new Promise((resolve) => setImmediate(resolve));
    else if (step.do === 'leave') {
      await clients[step.client]?.close({ drain: 0 });
      clients[step.client] = await connect({ address });
    } else {
      const from = clients[step.client] as MessageBus;
      const number = calls.length;
      const call: Call = { kind: step.kind, client: from, began: false };
      calls.push(call);
      const done = from.proxy(Work, service.uniqueName, '/work').call.Do(number);
      const settled = (outcome: string) => {
        call.outcome = outcome;
      };
      outcomes.push(
        done.then(
          (value) => settled(`${value}`),
          (error) => settled(error.code),
        ),
      );
    }
  }
  await Promise.all(outcomes);
  await until(() => service.stats().callsInProgress === 0 && running.size === 0);
  assert.equal(faults, []);
  for (const [number, { kind, outcome, client: from, began }] of calls.entries()) {
    if (kind === 'refused') assert.is(began, false, `call ${number} was refused`);
    if (!clients.includes(from) || from.state !== 'open') continue;
    const expected = kind === 'refused' ? 'ERR_DBUS_ACCESS_DENIED' : kind === 'fails' ? 'ERR_DBUS' : `${number}`;
    assert.is(outcome, expected, `call ${number}`);
  }
  await Promise.all(clients.map((each) => each.close()));
}

test.run();
