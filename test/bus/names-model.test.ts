// Random requests and releases of names on several connections, against a model of the specification's queue, and against
// the bus's own list of it. On both daemons.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus, NameHasNoOwnerError, NameTakenError, type OwnedName } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('names model');

/** A failure prints the seed and the steps; this repeats it. */
const seed = process.env.BUSBAR_SEED === undefined ? undefined : Number(process.env.BUSBAR_SEED);
const RUNS = 40;
const NAMES = ['org.example.A', 'org.example.B'];
const CONNECTIONS = 3;

const who = fc.nat(CONNECTIONS - 1);
const name = fc.constantFrom(...NAMES);
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('request' as const),
        who,
        name,
        replace: fc.boolean(),
        allowReplacement: fc.boolean(),
        queue: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('release handle' as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release name' as const), who, name }) },
  ),
  { minLength: 10, maxLength: 40, size: 'max' },
);
type Step = ReturnType<typeof steps.generate>['value'][number];
type Request = Extract<Step, { do: 'request' }>;

/** One in the queue of a name; the first one owns it. */
interface Waiting {
  readonly who: number;
  allowReplacement: boolean;
  queue: boolean;
}

interface Handle {
  readonly who: number;
  readonly name: string;
  readonly owned: OwnedName;
  state: OwnedName['state'];
}

class World {
  readonly #buses: readonly MessageBus[];
  readonly #daemon: Daemon;
  readonly #queues = new Map<string, Waiting[]>(NAMES.map((each) => [each, []]));
  readonly #handles: Handle[] = [];

  constructor(buses: readonly MessageBus[], daemon: Daemon) {
    this.#buses = buses;
    this.#daemon = daemon;
  }

  async act(step: Step): Promise<void> {
    if (step.do === 'request') await this.#request(step);
    else if (step.do === 'release name') await this.#releaseName(step.who, step.name);
    else await this.#releaseHandle(step.which);
    await this.#check();
  }

  async end(): Promise<void> {
    for (const { owned } of this.#handles) await owned.release();
    for (const queue of this.#queues.values()) queue.length = 0;
    for (const handle of this.#handles) handle.state = 'lost';
    await this.#check();
    for (const bus of this.#buses) assert.is(bus.stats().ownedNames, 0);
  }

  async #request({ who: index, name: wanted, replace, allowReplacement, queue: queues }: Request): Promise<void> {
    const queue = this.#queue(wanted);
    const [owner] = queue;
    const request: Waiting = { who: index, allowReplacement, queue: queues };
    const place = queue.findIndex((waiting) => waiting.who === index);
    let isTaken = false;
    if (owner === undefined || place === 0) {
      queue.splice(0, 1, request);
    } else if (owner.allowReplacement && replace) {
      if (place > 0) queue.splice(place, 1);
      queue.splice(0, 1, ...(owner.queue ? [request, owner] : [request]));
    } else if (!queues) {
      if (place > 0) queue.splice(place, 1);
      isTaken = true;
    } else if (replace && this.#daemon === 'dbus-daemon') {
      // Who would replace the owner comes next there, which the specification does not have.
      if (place > 0) queue.splice(place, 1);
      queue.splice(1, 0, request);
    } else if (place > 0) {
      queue[place] = request;
    } else {
      queue.push(request);
    }
    this.#update();
    try {
      const owned = await this.#bus(index).requestName(wanted, { replace, allowReplacement, queue: queues });
      assert.is(isTaken, false, 'the name is taken');
      const state = queue[0]?.who === index ? 'owned' : 'queued';
      assert.is(owned.state, state);
      this.#handles.push({ who: index, name: wanted, owned, state });
    } catch (error) {
      if (!isTaken) throw error;
      assert.instance(error, NameTakenError);
    }
  }

  async #releaseHandle(which: number): Promise<void> {
    const handle = this.#handles[which % (this.#handles.length || 1)];
    if (handle === undefined) return;
    const wasLive = handle.state !== 'lost';
    handle.state = 'lost';
    const { who: index, name: given } = handle;
    const others = this.#handles.some((other) => other.who === index && other.name === given && other.state !== 'lost');
    if (wasLive && !others) this.#leave(index, given);
    await handle.owned.release();
  }

  async #releaseName(index: number, given: string): Promise<void> {
    const queue = this.#queue(given);
    const expected = queue.some((waiting) => waiting.who === index)
      ? undefined
      : queue.length === 0
        ? NameHasNoOwnerError
        : NameTakenError;
    this.#leave(index, given);
    try {
      await this.#bus(index).releaseName(given);
      assert.is(expected, undefined);
    } catch (error) {
      if (expected === undefined) throw error;
      assert.instance(error, expected);
    }
  }

  #leave(index: number, given: string): void {
    const queue = this.#queue(given);
    const place = queue.findIndex((waiting) => waiting.who === index);
    if (place >= 0) queue.splice(place, 1);
    this.#update();
  }

  /** What is lost stays so; what waits may own, and the other way round. */
  #update(): void {
    for (const handle of this.#handles) {
      if (handle.state === 'lost') continue;
      const place = this.#queue(handle.name).findIndex((waiting) => waiting.who === handle.who);
      handle.state = place === 0 ? 'owned' : place > 0 ? 'queued' : 'lost';
    }
  }

  async #check(): Promise<void> {
    for (const bus of this.#buses) await bus.listNames();
    for (const each of NAMES) {
      const expected = this.#queue(each).map(({ who: index }) => this.#bus(index).uniqueName);
      assert.equal(await queuedOwners(this.#bus(0), each), expected, each);
    }
    for (const { owned, state, who: index, name: given } of this.#handles) {
      assert.is(owned.state, state, `${given} of ${index}`);
    }
    for (const [index, bus] of this.#buses.entries()) {
      const held = NAMES.filter((each) => this.#queue(each).some((waiting) => waiting.who === index));
      assert.is(bus.stats().ownedNames, held.length);
    }
  }

  #queue(of: string): Waiting[] {
    return this.#queues.get(of) as Waiting[];
  }

  #bus(index: number): MessageBus {
    return this.#buses[index] as MessageBus;
  }
}

/** The owner of a name and those who wait for it, as the bus has them. */
async function queuedOwners(bus: MessageBus, of: string): Promise<unknown> {
  const BUS = 'org.freedesktop.DBus';
  const question = { destination: BUS, path: '/org/freedesktop/DBus', interface: BUS, member: 'ListQueuedOwners' };
  try {
    return (await bus.call({ ...question, signature: 's', body: [of] }))[0];
  } catch (error) {
    if (error instanceof NameHasNoOwnerError) return [];
    throw error;
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(PrivateBus.missing({ daemon }), test, `who owns, and who waits: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    const buses = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect({ address: server.address })));
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const world = new World(buses, daemon);
        for (const step of script) await world.act(step);
        await world.end();
      }),
      { numRuns: RUNS, endOnFailure: true, includeErrorInReport: true, ...(seed === undefined ? {} : { seed }) },
    );
    await Promise.all(buses.map((bus) => bus.close()));
  });
}

test.run();
