// time limit: 300 s
// Clients that appear, call, are tracked and leave, while handles end and the bus is lost and comes back: a model knows which
// cleanups run, and with which reason. At the end, nothing is followed any more, and no match rule is left. On both daemons.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  CallerLeftError,
  ConnectionClosedError,
  connect,
  defineInterface,
  type Handle,
  implement,
  type MessageBus,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { bringBack, connectAgain } from '../helpers/reconnecting.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('callers model');
const NAME = 'org.example.Tracked';
const Tracked = defineInterface(NAME, { methods: { Call: {}, Wait: {} } });

const pick = fc.nat(1000);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('appear' as const), which: pick }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), which: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), which: pick }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('track' as const), which: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('readLeft' as const), which: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('endHandle' as const), which: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const), which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), which: pick }) },
);
type Step = ReturnType<typeof step.generate>['value'];

interface Client {
  readonly bus: MessageBus;
  contexts: CallContext[];
  /** Why it has ended for the service. */
  end: 'left' | 'lost' | undefined;
}

/** Something that waits for the end of a client. */
interface Tracking {
  readonly client: Client;
  readonly handle: Handle;
  readonly reasons: unknown[];
  isEnded: boolean;
}

class World {
  readonly #daemon: PrivateBus;
  readonly #service: MessageBus;
  readonly #clients: Client[] = [];
  readonly #tracked: Tracking[] = [];
  #wasLost = false;
  readonly #lefts = new Map<AbortSignal, Client>();
  /** Calls that wait for an answer, with the signals of their handlers. */
  #waiting: { readonly client: Client; readonly signal: AbortSignal; readonly finish: () => void }[] = [];

  static async start(daemon: PrivateBus): Promise<World> {
    return new World(daemon, await connectAgain(daemon));
  }

  private constructor(daemon: PrivateBus, service: MessageBus) {
    this.#daemon = daemon;
    this.#service = service;
    service.export(
      '/',
      implement(Tracked, {
        Call: (context) => void this.#called(context),
        Wait: (context) => {
          const client = this.#called(context) as Client;
          return new Promise<void>((finish) => {
            this.#waiting.push({ client, signal: context.signal, finish });
          });
        },
      }),
    );
  }

  #called(context: CallContext): Client | undefined {
    const client = this.#clients.find(({ bus }) => bus.uniqueName === context.sender && bus.state === 'open');
    client?.contexts.push(context);
    return client;
  }

  #one<Each>(all: readonly Each[], which: number): Each | undefined {
    return all[which % Math.max(1, all.length)];
  }

  get #present(): readonly Client[] {
    return this.#clients.filter(({ end }) => end === undefined);
  }

  async appear(): Promise<void> {
    const bus = await connect({ address: this.#daemon.address });
    void bus.disconnected;
    this.#clients.push({ bus, contexts: [], end: undefined });
    await this.call(this.#clients.length - 1);
  }

  async call(which: number): Promise<void> {
    const client = this.#one(this.#present, which);
    await client?.bus.proxy(Tracked, this.#service.uniqueName, '/').call.Call();
  }

  async wait(which: number): Promise<void> {
    const client = this.#one(this.#present, which);
    if (client === undefined) return;
    const before = this.#waiting.length;
    client.bus
      .proxy(Tracked, this.#service.uniqueName, '/')
      .call.Wait()
      .catch(() => {});
    await until(() => this.#waiting.length > before);
  }

  /** Also of a caller that has left. */
  async track(which: number): Promise<void> {
    const client = this.#one(this.#clients, which);
    const context = client && this.#one(client.contexts, which);
    if (client === undefined || context === undefined) return;
    const reasons: unknown[] = [];
    const handle = context.caller.track((reason) => reasons.push(reason));
    this.#tracked.push({ client, handle, reasons, isEnded: false });
  }

  async readLeft(which: number): Promise<void> {
    const client = this.#one(this.#clients, which);
    const context = client && this.#one(client.contexts, which);
    if (client !== undefined && context !== undefined) this.#lefts.set(context.caller.left, client);
  }

  async endHandle(which: number): Promise<void> {
    const tracked = this.#one(this.#tracked, which);
    if (tracked === undefined) return;
    tracked.handle.end();
    if (tracked.reasons.length === 0) tracked.isEnded = true;
  }

  async leave(which: number): Promise<void> {
    const client = this.#one(this.#present, which);
    if (client === undefined) return;
    client.end = 'left';
    await client.bus.close({ drain: which % 2 === 0 ? 0 : 1000 });
  }

  async finish(which: number): Promise<void> {
    const waiting = this.#one(this.#waiting, which);
    waiting?.finish();
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
  }

  async lose(): Promise<void> {
    this.#wasLost = true;
    for (const client of this.#present) client.end = 'lost';
    await bringBack(this.#daemon, this.#service);
  }

  async take({ do: what, which }: Step): Promise<void> {
    await this[what](which);
  }

  /** What must be so now, once the service has heard of all that has happened. */
  async check(): Promise<void> {
    const expected = ({ client, isEnded }: Tracking) => (isEnded || client.end === undefined ? 0 : 1);
    const isSo = () =>
      this.#tracked.every((each) => each.reasons.length >= expected(each)) &&
      [...this.#lefts].every(([left, { end }]) => left.aborted === (end !== undefined)) &&
      this.#waiting.every(({ signal, client }) => signal.aborted === (client.end !== undefined));
    await until(isSo);
    await this.#service.listNames();
    for (const each of this.#tracked) {
      assert.is(each.reasons.length, expected(each), 'how often a cleanup ran');
      for (const reason of each.reasons) this.#checkReason(reason, each.client);
    }
    for (const [left, client] of this.#lefts) if (left.aborted) this.#checkReason(left.reason, client);
    for (const { signal, client } of this.#waiting) if (signal.aborted) this.#checkReason(signal.reason, client);
    this.#waiting = this.#waiting.filter(({ client }) => client.end === undefined);
    const followed = new Set<Client>([
      ...this.#tracked.filter((each) => !each.isEnded && each.client.end === undefined).map(({ client }) => client),
      ...[...this.#lefts.values()].filter(({ end }) => end === undefined),
      ...this.#waiting.map(({ client }) => client),
    ]);
    const { followedCallers, callsInProgress, matchRules } = this.#service.stats();
    assert.equal([followedCallers, callsInProgress, matchRules], [followed.size, this.#waiting.length, 0]);
  }

  /** A caller that left just before a loss may be known by either. */
  #checkReason(reason: unknown, { end }: Client): void {
    if (end === 'left' && reason instanceof CallerLeftError) return;
    assert.instance(reason, ConnectionClosedError);
    assert.ok(this.#wasLost, 'only a loss closes a connection');
  }

  async end(): Promise<void> {
    while (this.#present.length > 0) await this.leave(0);
    await this.check();
    const { followedCallers, callsInProgress } = this.#service.stats();
    assert.equal([followedCallers, callsInProgress], [0, 0]);
    await this.#service.close();
    await Promise.all(this.#clients.map(({ bus }) => bus.close({ drain: 0 })));
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `each cleanup runs once, for the right reason: ${daemon}`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      const property = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const world = await World.start(bus);
        for (const [index, each] of steps.entries()) {
          await world.take(each);
          if (index % 5 === 0) await world.check();
        }
        await world.end();
      });
      await fc.assert(property, replayable(10));
    },
  );
}

test.run();
