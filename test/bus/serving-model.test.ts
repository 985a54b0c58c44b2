// Random services of one name in this process, with random options, against a model of the queue of the name: which service
// answers a call, which one runs, waits, is replaced, is refused, and how each ends. Calls that are being answered when a service
// ends are answered. On both daemons.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  type Handle,
  implement,
  type MessageBus,
  NameTakenError,
  pair,
  type Service,
  type ServiceEnd,
  ServiceUnknownError,
  serve,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('serving model');

const RUNS = 25;
const NAME = 'org.example.Model';
/** Milliseconds. */
const IDLE = 30;
const Model = defineInterface(NAME, { methods: { Who: { out: 'u' }, Wait: { out: 'u' } } });

const which = fc.nat(20);
const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('serve' as const),
        replace: fc.boolean(),
        allowReplacement: fc.boolean(),
        queue: fc.boolean(),
        hears: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), which }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), which }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('SIGTERM' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('idle' as const), isHeld: fc.boolean() }) },
  ),
  { minLength: 10, maxLength: 30, size: 'max' },
);
type Step = ReturnType<typeof steps.generate>['value'][number];
type Serve = Extract<Step, { do: 'serve' }>;

/** A service, and what the model expects of it. */
interface Served extends Serve {
  readonly id: number;
  readonly bus: MessageBus;
  readonly abort: AbortController;
  readonly started: Promise<Service>;
  readonly waiting: (() => void)[];
  service?: Service;
  /** How it ends, as soon as the model knows. */
  end?: Partial<ServiceEnd>;
}

interface Waiting {
  readonly by: Served;
  readonly answer: Promise<number>;
}

class World {
  readonly #address: string;
  readonly #client: MessageBus;
  readonly #daemon: Daemon;
  readonly #all: Served[] = [];
  /** The services in the queue of the name; the first one owns it. */
  readonly #queue: Served[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #foreign = new Set(process.listeners('SIGTERM'));

  constructor({ address, daemon }: PrivateBus, client: MessageBus) {
    this.#address = address;
    this.#daemon = daemon;
    this.#client = client;
  }

  async act(step: Step): Promise<void> {
    if (step.do === 'serve') await this.#serve(step, undefined);
    else if (step.do === 'call') await this.#call();
    else if (step.do === 'wait') await this.#wait();
    else if (step.do === 'answer') await this.#answer(step.which);
    else if (step.do === 'idle') await this.#idle(step.isHeld);
    else if (step.do === 'SIGTERM') await this.#signal();
    else await this.#end(step.do, step.which);
    await this.#check();
  }

  async finish(): Promise<void> {
    while (this.#queue.length > 0) await this.#end('end', 0);
    while (this.#waiting.length > 0) await this.#answer(0);
    for (const { service, end } of this.#all) {
      const { reason, exitCode } = (await service?.ended) ?? {};
      assert.equal({ reason, exitCode }, { reason: end?.reason, exitCode: end?.exitCode });
      assert.is(service?.bus.state, 'closed');
    }
  }

  async #serve(step: Serve, exitWhenIdle: number | undefined): Promise<Served | undefined> {
    const { replace, allowReplacement, queue, hears } = step;
    const bus = await connect({ address: this.#address });
    const abort = new AbortController();
    const id = this.#all.length;
    const waiting: (() => void)[] = [];
    const object = implement(Model, {
      Who: () => id,
      Wait: () => new Promise<number>((resolve) => waiting.push(() => resolve(id))),
    });
    const started = serve(bus, {
      ...{ name: NAME, objects: { '/': object }, signal: abort.signal, handleSignals: hears },
      ...{ replace, allowReplacement, queue, exitWhenIdle },
    });
    const served: Served = { ...step, id, bus, abort, started, waiting };
    const [owner] = this.#queue;
    if (owner !== undefined && replace && owner.allowReplacement) {
      this.#queue.splice(0, 1, served);
      // Next in the queue, or out of it.
      if (owner.queue) this.#queue.splice(1, 0, owner);
      else owner.end = { reason: 'replaced', exitCode: 0 };
    } else if (owner !== undefined && !queue) {
      assert.instance(await rejection(started), NameTakenError);
      assert.is(bus.state, 'open');
      assert.is(bus.stats().exportedObjects, 0);
      await bus.close();
      return undefined;
    } else if (owner !== undefined && replace && this.#daemon === 'dbus-daemon') {
      // A connection that would replace the owner is next in the queue, which the specification does not say.
      this.#queue.splice(1, 0, served);
    } else {
      this.#queue.push(served);
    }
    this.#all.push(served);
    void started.then((service) => {
      served.service = service;
    });
    if (this.#queue[0] === served) await started;
    else await until(() => bus.stats().ownedNames === 1);
    return served;
  }

  async #call(): Promise<void> {
    const answer = this.#client.proxy(Model, NAME, '/').call.Who();
    const [owner] = this.#queue;
    if (owner === undefined) assert.instance(await rejection(answer), ServiceUnknownError);
    else assert.is(await answer, owner.id);
  }

  /** A call that is answered in another step, whatever happens to the service until then. */
  async #wait(): Promise<void> {
    const [owner] = this.#queue;
    if (owner === undefined) return;
    const { length } = owner.waiting;
    this.#waiting.push({ by: owner, answer: this.#client.proxy(Model, NAME, '/').call.Wait() });
    await until(() => owner.waiting.length > length);
  }

  async #answer(index: number): Promise<void> {
    const at = index % (this.#waiting.length || 1);
    const waiting = this.#waiting[at];
    if (waiting === undefined) return;
    const { by, answer } = waiting;
    const place = this.#waiting.slice(0, at).filter((other) => other.by === by).length;
    this.#waiting.splice(at, 1);
    by.waiting.splice(place, 1)[0]?.();
    assert.is(await answer, by.id);
  }

  async #end(how: 'end' | 'abort', index: number): Promise<void> {
    const served = this.#queue[index % (this.#queue.length || 1)];
    if (served === undefined) return;
    const { service, abort } = served;
    // One that waits for its name has no handle yet.
    if (how === 'abort' || service === undefined) {
      abort.abort();
      served.end = { reason: 'aborted', exitCode: 0 };
    } else {
      service.end();
      served.end = { reason: 'ended', exitCode: 0 };
    }
    await this.#left([served]);
  }

  async #signal(): Promise<void> {
    const hearing = this.#queue.filter(({ hears }) => hears);
    // As the signal does, but for the listeners of the test helpers, which end the process.
    for (const listener of process.listeners('SIGTERM')) if (!this.#foreign.has(listener)) listener('SIGTERM');
    for (const served of hearing) served.end = { reason: 'signal', exitCode: 0 };
    await this.#left(hearing);
  }

  /** The services have left the queue, whether or not they still answer calls. */
  async #left(served: readonly Served[]): Promise<void> {
    for (const each of served) this.#queue.splice(this.#queue.indexOf(each), 1);
    await until(() => served.every(({ bus }) => bus.stats().ownedNames === 0));
    const [owner] = this.#queue;
    await owner?.started;
  }

  /** A service that ends when idle. It is held for a while, or not. */
  async #idle(isHeld: boolean): Promise<void> {
    if (this.#queue.length > 0) return;
    const wishes = { do: 'serve', replace: false, allowReplacement: false, queue: false, hears: false } as const;
    const served = await this.#serve(wishes, IDLE);
    const { service } = served as Served;
    let hold: Handle | undefined;
    if (isHeld) {
      hold = service?.hold();
      await delay(3 * IDLE);
      assert.is(service?.state, 'running');
    }
    hold?.end();
    await service?.ended;
    (served as Served).end = { reason: 'idle', exitCode: 0 };
    this.#queue.length = 0;
  }

  async #check(): Promise<void> {
    await this.#client.listNames();
    const [owner] = this.#queue;
    const names = await this.#client.listNames();
    assert.is(names.includes(NAME), owner !== undefined);
    if (owner !== undefined) assert.is(await this.#client.nameOwner(NAME), owner.bus.uniqueName);
    for (const served of this.#all) {
      if (served.end !== undefined) await until(() => isOver(served, this.#waiting));
      else if (served === owner) assert.is(served.service?.state, 'running');
    }
  }
}

/** Whether it has ended; or still answers calls. */
function isOver(served: Served, waiting: readonly Waiting[]): boolean {
  const { service } = served;
  if (waiting.some(({ by }) => by === served)) return service === undefined || service.state === 'ending';
  return service?.state === 'ended';
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  const title = `services of one name, by a model: ${daemon}`;
  testUnless(PrivateBus.missing({ daemon }), test, title, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using client = await connect({ address: server.address });
    // After a signal, a process without a service is ended.
    const [own, _other] = await pair();
    await using _stays = await serve(own, { objects: {}, handleSignals: false });
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const world = new World(server, client);
        for (const step of script) await world.act(step);
        await world.finish();
      }),
      replayable(RUNS),
    );
  });
}

test.run();
