// Random requests and releases of names on several connections, with several handles each, against a model of the queue in
// the specification, and against the queue that the bus reports. On both daemons.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus, NameHasNoOwnerError, NameTakenError, type OwnedName } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('names model');

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
        inFlight: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('release handle' as const), which: fc.nat(20), inFlight: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('release name' as const), who, name, inFlight: fc.constant(false) }),
    },
  ),
  { minLength: 10, maxLength: 40, size: 'max' },
);
type Step = ReturnType<typeof steps.generate>['value'][number];
type Request = Extract<Step, { do: 'request' }>;

/** The options of a handle's request, and its expected state. */
interface Wishes {
  readonly allowReplacement: boolean;
  readonly queue: boolean;
}

interface Handle extends Wishes {
  readonly who: number;
  readonly name: string;
  readonly owned: OwnedName;
  state: OwnedName['state'];
}

/** A connection queues if one of its handles does, and can be replaced if all of its handles allow it. */
function merged(wishes: readonly Wishes[]): Wishes {
  return {
    allowReplacement: wishes.every(({ allowReplacement }) => allowReplacement),
    queue: wishes.some(({ queue }) => queue),
  };
}

class World {
  readonly #buses: readonly MessageBus[];
  readonly #daemon: Daemon;
  /** The connections in the queue of a name; the first one owns it. */
  readonly #queues = new Map<string, number[]>(NAMES.map((each) => [each, []]));
  readonly #handles: Handle[] = [];
  /** Steps that were begun and not awaited, all of them on the connection `#busy`. */
  #begun: Promise<void>[] = [];
  #busy: number | undefined;

  constructor(buses: readonly MessageBus[], daemon: Daemon) {
    this.#buses = buses;
    this.#daemon = daemon;
  }

  /** Steps of one connection may begin before earlier ones are done: the result is as if each had been awaited. */
  async act(step: Step): Promise<void> {
    const handle = step.do === 'release handle' ? this.#pick(step.which) : undefined;
    const index = step.do === 'release handle' ? handle?.who : step.who;
    if (index === undefined) return;
    if (this.#busy !== index) await this.settle();
    this.#busy = index;
    if (step.do === 'request') this.#begun.push(this.#request(step));
    else if (handle !== undefined) this.#begun.push(this.#releaseHandle(handle));
    else if (step.do === 'release name') {
      await this.settle();
      await this.#releaseName(step.who, step.name);
    }
    if (!step.inFlight) await this.settle();
  }

  async settle(): Promise<void> {
    const begun = this.#begun;
    this.#begun = [];
    await Promise.all(begun);
    await this.#check();
  }

  async end(): Promise<void> {
    await this.settle();
    for (const { owned } of this.#handles) await owned.release();
    for (const queue of this.#queues.values()) queue.length = 0;
    for (const handle of this.#handles) handle.state = 'lost';
    await this.#check();
    for (const bus of this.#buses) assert.is(bus.stats().ownedNames, 0);
  }

  async #request({ who: index, name: wanted, replace, allowReplacement, queue: queues }: Request): Promise<void> {
    const queue = this.#queue(wanted);
    const [owner] = queue;
    const place = queue.indexOf(index);
    const wishes = merged([...this.#live(index, wanted), { allowReplacement, queue: queues }]);
    let isTaken = false;
    if (owner === undefined) {
      queue.push(index);
    } else if (place !== 0 && replace && merged(this.#live(owner, wanted)).allowReplacement) {
      if (place > 0) queue.splice(place, 1);
      if (merged(this.#live(owner, wanted)).queue) queue.unshift(index);
      else queue[0] = index;
    } else if (place !== 0) {
      // A refused request does not change the position of its connection.
      isTaken = !queues;
      if (wishes.queue && replace && this.#daemon === 'dbus-daemon') {
        // A connection that would replace the owner is next in the queue at the bus, which the specification does not say.
        if (place > 0) queue.splice(place, 1);
        queue.splice(1, 0, index);
      } else if (queues && place < 0) {
        queue.push(index);
      }
    }
    this.#update();
    const requested = this.#bus(index).requestName(wanted, { replace, allowReplacement, queue: queues });
    if (isTaken) {
      const error = await rejection(requested);
      assert.instance(error, NameTakenError);
      return;
    }
    const state = queue[0] === index ? 'owned' : 'queued';
    const handle = { who: index, name: wanted, allowReplacement, queue: queues, state } as Handle;
    this.#handles.push(handle);
    Object.assign(handle, { owned: await requested });
  }

  /** A handle of the program; none whose request is still on its way. */
  #pick(which: number): Handle | undefined {
    const handles = this.#handles.filter(({ owned }) => owned !== undefined);
    return handles[which % (handles.length || 1)];
  }

  async #releaseHandle(handle: Handle): Promise<void> {
    const wasLive = handle.state !== 'lost';
    handle.state = 'lost';
    const { who: index, name: given } = handle;
    if (wasLive && this.#live(index, given).length === 0) this.#leave(index, given);
    await handle.owned.release();
  }

  async #releaseName(index: number, given: string): Promise<void> {
    const queue = this.#queue(given);
    const expected = queue.includes(index) ? undefined : queue.length === 0 ? NameHasNoOwnerError : NameTakenError;
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
    const place = queue.indexOf(index);
    if (place >= 0) queue.splice(place, 1);
    this.#update();
  }

  /**
   * A lost handle stays lost; a queued handle may become the owner, and the other way round if it was requested with
   * `queue`.
   */
  #update(): void {
    for (const handle of this.#handles) {
      if (handle.state === 'lost') continue;
      const place = this.#queue(handle.name).indexOf(handle.who);
      handle.state = place === 0 ? 'owned' : place > 0 && handle.queue ? 'queued' : 'lost';
    }
  }

  async #check(): Promise<void> {
    for (const bus of this.#buses) await bus.listNames();
    for (const each of NAMES) {
      const expected = this.#queue(each).map((index) => this.#bus(index).uniqueName);
      assert.equal(await queuedOwners(this.#bus(0), each), expected, each);
    }
    for (const { owned, state, who: index, name: given } of this.#handles) {
      assert.is(owned.state, state, `${given} of ${index}`);
    }
    for (const [index, bus] of this.#buses.entries()) {
      const held = NAMES.filter((each) => this.#queue(each).includes(index));
      assert.is(bus.stats().ownedNames, held.length);
    }
  }

  #live(index: number, of: string): Handle[] {
    return this.#handles.filter(
      ({ who: whose, name: held, state }) => whose === index && held === of && state !== 'lost',
    );
  }

  #queue(of: string): number[] {
    return this.#queues.get(of) as number[];
  }

  #bus(index: number): MessageBus {
    return this.#buses[index] as MessageBus;
  }
}

/** The owner of a name and its queue, as the bus reports them. */
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
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `the owner and the queue of names, by a model: ${daemon}`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      const buses = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect({ address: server.address })));
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const world = new World(buses, daemon);
          for (const step of script) await world.act(step);
          await world.end();
        }),
        replayable(RUNS),
      );
      await Promise.all(buses.map((bus) => bus.close()));
    },
  );
}

test.run();
