/**
 * A service, a rival for one of its names and a client, on a bus that is killed again and again. Each records what
 * happens, and the world checks it against what may happen.
 */
import * as assert from 'uvu/assert';
import {
  type CachedObject,
  type CallContext,
  ConnectionClosedError,
  DBusError,
  defineInterface,
  type Handle,
  implement,
  type MessageBus,
  type ObjectsView,
  type OwnedName,
  standard,
} from '../../src/index.js';
import type { PrivateBus } from './private-bus.js';
import { connectAgain, held } from './reconnecting.js';
import { until } from './until.js';

const NAME = 'org.example.Gap';
const CONTESTED = `${NAME}.Contested`;
const QUEUED = `${NAME}.Queued`;
const OPEN = `${NAME}.Open`;
const Gap = defineInterface(NAME, {
  methods: { Add: { in: 'uu', out: 'u' }, Wait: { in: 'u', out: 'u' } },
  signals: { Counted: { args: 'u' } },
  properties: { Level: { type: 'u' } },
});

/** A listener, and the numbers of the signals that it got. */
interface Listening {
  readonly handle: Handle;
  readonly got: number[];
}

export class World implements AsyncDisposable {
  readonly #daemon: PrivateBus;
  readonly service: MessageBus;
  readonly rival: MessageBus;
  readonly client: MessageBus;
  readonly #lamp = implement(Gap, {
    Add: (id, more) => {
      this.#execute(id);
      return id + more;
    },
    Wait: (id, context: CallContext) => {
      this.#execute(id);
      return new Promise<number>((resolve) => {
        this.#waiting.push(() => resolve(id));
        context.signal.addEventListener('abort', () => resolve(id), { once: true });
      });
    },
    Level: 0,
  });
  /** How often the handlers ran for each call. */
  readonly #executed = new Map<number, number>();
  #waiting: (() => void)[] = [];
  /** The calls that were made, and those that have settled. */
  #made = 0;
  #settled = 0;
  /** The last signal, and those that were emitted while the service had no connection. */
  #lastSignal = 0;
  readonly #emittedWhileAway = new Set<number>();
  readonly #listening: Listening[] = [];
  readonly #extra: Handle[] = [];
  readonly #extraNames: OwnedName[] = [];
  readonly #nameEvents: string[] = [];
  readonly #namespace = new Map<string, string>();
  readonly #states = new Map<MessageBus, string[]>();
  /** How often each bus will have been lost. */
  readonly #losses = new Map<MessageBus, number>();
  #names!: readonly OwnedName[];
  #view!: ObjectsView;
  #cached!: CachedObject<typeof Gap>;
  #levels: number[] = [];
  #base!: readonly unknown[];

  static async start(daemon: PrivateBus): Promise<World> {
    const buses = await Promise.all([1, 2, 3].map(() => connectAgain(daemon)));
    const world = new World(daemon, ...(buses as [MessageBus, MessageBus, MessageBus]));
    await world.#declare();
    return world;
  }

  private constructor(daemon: PrivateBus, service: MessageBus, rival: MessageBus, client: MessageBus) {
    this.#daemon = daemon;
    this.service = service;
    this.rival = rival;
    this.client = client;
    for (const bus of this.buses) {
      const states: string[] = [];
      this.#states.set(bus, states);
      bus.watchConnection({ lost: () => void states.push('lost'), restored: () => void states.push('restored') });
    }
  }

  get buses(): readonly MessageBus[] {
    return [this.service, this.rival, this.client];
  }

  async #declare(): Promise<void> {
    const { service, rival, client } = this;
    service.export('/gap', this.#lamp);
    service.exportObjectManager('/');
    rival.export('/gap', implement(Gap, { Add: () => 0, Wait: () => 0, Level: 0 }));
    this.#names = [
      await service.requestName(OPEN, { allowReplacement: true }),
      await service.requestName(CONTESTED, { queue: true }),
      await rival.requestName(CONTESTED, { queue: true }),
      await rival.requestName(QUEUED, { queue: true }),
      await service.requestName(QUEUED, { queue: true }),
    ];
    client.watchName(CONTESTED, {
      appeared: (owner) => void this.#nameEvents.push(owner),
      vanished: () => void this.#nameEvents.push(''),
    });
    client.watchNames(NAME, {
      appeared: (name, owner) => {
        assert.not.ok(this.#namespace.has(name), `${name} appeared twice`);
        this.#namespace.set(name, owner);
      },
      changed: (name, owner) => {
        assert.ok(this.#namespace.has(name), `${name} changed, and had not appeared`);
        this.#namespace.set(name, owner);
      },
      vanished: (name) => {
        assert.ok(this.#namespace.delete(name), `${name} vanished, and had not appeared`);
      },
    });
    this.listen(0);
    this.listen(1);
    this.#view = client.objects(OPEN);
    await this.#view.ready;
    this.#cached = await client.cached(Gap, OPEN, '/gap');
    this.#cached.watch({ changed: ({ values }) => void this.#levels.push(values.Level as number) });
    await this.#check();
    this.#base = this.buses.map(held);
  }

  #execute(id: number): void {
    this.#executed.set(id, (this.#executed.get(id) ?? 0) + 1);
  }

  /** A call with a number of its own, which settles once, however it ends. */
  call(how: number): void {
    const id = ++this.#made;
    const destination = how % 2 === 0 ? OPEN : (this.service.uniqueName ?? OPEN);
    const proxy = this.client.proxy(Gap, destination, '/gap').with({ timeout: 20_000, wait: how === 3 });
    const result = how === 2 ? proxy.call.Wait(id) : proxy.call.Add(id, 1);
    let settled = 0;
    const note = (value: unknown) => {
      this.#settled++;
      assert.is(++settled, 1);
      if (typeof value === 'number') assert.is(value, how === 2 ? id : id + 1);
      else assert.instance(value, DBusError);
    };
    result.then(note, note);
  }

  /** Much at once, so that a kill finds messages everywhere: queued, in sockets, and half handled. */
  burst(how: number): void {
    for (let count = 0; count < 10 + 2 * how; count++) {
      this.call(count % 4);
      this.emit();
    }
    this.assign(how);
  }

  answer(): void {
    for (const finish of this.#waiting.splice(0)) finish();
  }

  emit(): void {
    const number = ++this.#lastSignal;
    // The connection may have ended already, without being told.
    if (this.service.state === 'away') this.#emittedWhileAway.add(number);
    this.#lamp.emit.Counted(number);
  }

  assign(value: number): void {
    this.#lamp.properties.Level = value;
  }

  listen(how: number): void {
    const got: number[] = [];
    const rule = how % 2 === 0 ? { sender: OPEN } : { pathNamespace: '/gap' };
    const handle = this.client.subscribe({ ...rule, interface: NAME, member: 'Counted' }, ({ body }) => {
      got.push(body[0] as number);
    });
    this.#listening.push({ handle, got });
  }

  unlisten(which: number): void {
    const at = 2 + (which % 7);
    for (const { handle } of this.#listening.splice(at, 1)) handle.end();
  }

  toggleExport(which: number): void {
    if (which % 2 === 0) this.#extra.pop()?.end();
    else if (this.#extra.length < 3) {
      const path = `/gap/extra${this.#extra.length}`;
      this.#extra.push(this.service.export(path, implement(Gap, { Add: () => 0, Wait: () => 0, Level: which })));
    }
  }

  toggleName(which: number): void {
    if (which % 2 === 0) void this.#extraNames.pop()?.release().catch(ignore);
    else
      this.rival.requestName(`${NAME}.Extra${which % 5}`).then(
        (owned) => void this.#extraNames.push(owned),
        (error: unknown) => assert.instance(error, ConnectionClosedError),
      );
  }

  /** The daemon is about to be killed: the buses that are open will notice that, at the latest when they settle. */
  expectLoss(): void {
    for (const bus of this.buses) {
      const states = this.#statesOf(bus);
      if (bus.state === 'open' && states.at(-1) !== 'lost') this.#losses.set(bus, lossesIn(states) + 1);
    }
  }

  #statesOf(bus: MessageBus): readonly string[] {
    return this.#states.get(bus) ?? [];
  }

  /** Waits until all buses are back, and checks that everything works. */
  async settle(): Promise<void> {
    await until(() => this.buses.every((bus) => lossesIn(this.#statesOf(bus)) >= (this.#losses.get(bus) ?? 0)));
    await until(() => this.buses.every(({ state }) => state === 'open'));
    await until(() => [...this.#states.values()].every((states) => states.at(-1) !== 'lost'));
    await this.#check();
  }

  /** `lost` and `restored` alternate. Returns how often everything was restored. */
  checkStates(): number {
    let restored = 0;
    for (const states of this.#states.values()) {
      for (const [index, state] of states.entries()) assert.is(state, index % 2 === 0 ? 'lost' : 'restored');
      restored += Math.floor(states.length / 2);
    }
    return restored;
  }

  async #check(): Promise<void> {
    const { client, service } = this;
    // Calls that waited for the connection may arrive only now.
    await until(() => {
      this.answer();
      return this.#settled === this.#made;
    });
    for (const [id, times] of this.#executed) assert.is(times, 1, `the call ${id} was executed ${times} times`);
    await this.#checkNames();
    // What is declared works.
    const proxy = client.proxy(Gap, OPEN, '/gap');
    const id = ++this.#made;
    assert.is(await proxy.call.Add(id, 2), id + 2);
    this.#settled++;
    this.emit();
    await until(() => this.#listening.every(({ got }) => got.at(-1) === this.#lastSignal));
    for (const { got } of this.#listening) {
      assert.equal(
        got,
        [...new Set(got)].sort((a, b) => a - b),
        'no signal comes twice, or late',
      );
      for (const number of got) assert.not.ok(this.#emittedWhileAway.has(number), `${number} was emitted while away`);
    }
    const manager = client.proxy(standard.ObjectManager, OPEN, '/');
    const paths = Object.keys(await manager.call.GetManagedObjects()).sort();
    await until(() => `${[...this.#view].map(({ path }) => path).sort()}` === `${paths}`);
    await until(() => this.#cached.values.Level === this.#lamp.properties.Level);
    for (const bus of this.buses) assert.is(bus.stats().pendingCalls, 0);
    assert.is(service.stats().callsInProgress, 0);
  }

  async #checkNames(): Promise<void> {
    const { client, service, rival } = this;
    const owner = await client.nameOwner(CONTESTED);
    assert.ok([service.uniqueName, rival.uniqueName].includes(owner));
    const [open, ofService, ofRival, queuedRival, queuedService] = this.#names as OwnedName[];
    assert.is(open?.state, 'owned');
    assert.is(ofService?.state, owner === service.uniqueName ? 'owned' : 'queued');
    assert.is(ofRival?.state, owner === rival.uniqueName ? 'owned' : 'queued');
    assert.equal([queuedRival?.state, queuedService?.state].sort(), ['owned', 'queued']);
    const [queue] = await client.call({
      ...{ destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' },
      ...{ member: 'ListQueuedOwners', signature: 's', body: [QUEUED] },
    });
    assert.equal([...(queue as string[])].sort(), [service.uniqueName, rival.uniqueName].sort());
    await until(() => this.#nameEvents.at(-1) === owner);
    for (const [index, event] of this.#nameEvents.entries()) {
      assert.is.not(event, this.#nameEvents[index - 1], 'the same owner is not told twice');
    }
    const names = (await client.listNames()).filter((name) => name.startsWith(`${NAME}.`)).sort();
    await until(() => `${[...this.#namespace.keys()].sort()}` === `${names}`);
  }

  /** Ends what was declared in addition, and checks that the buses hold what they held at first. */
  async checkBase(): Promise<void> {
    for (const { handle } of this.#listening.splice(2)) handle.end();
    for (const handle of this.#extra.splice(0)) handle.end();
    await Promise.all(this.#extraNames.splice(0).map((owned) => owned.release()));
    await this.#check();
    assert.equal(this.buses.map(held), this.#base);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.buses.map((bus) => bus.close({ drain: 100 })));
    await this.#daemon.stop();
  }
}

function ignore(): void {}

/** How often a connection was lost, by the states that it has told. */
export function lossesIn(states: readonly string[]): number {
  return states.filter((state) => state === 'lost').length;
}
