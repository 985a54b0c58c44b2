// Random programs of a service, in synchronous and asynchronous handlers, against a model of what clients receive: every
// action of the program, in its order, with changes of one object combined if no other action is between them.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, DBusError, defineInterface, type Export, implement, type MessageBus } from '../../src/index.js';
import { kinds, type LampObject, observe, sorted } from '../helpers/lamps.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';

const RUNS = 150;

const Runner = defineInterface('org.example.Runner', { methods: { Now: {}, Later: {} } });

/**
 * Where objects may be: the paths of two connections. One object may be at several paths, two of one connection among them.
 */
const PLACES = [
  { object: 0, on: 0, path: '/a' },
  { object: 0, on: 0, path: '/b' },
  { object: 0, on: 1, path: '/a' },
  { object: 1, on: 0, path: '/c' },
  { object: 1, on: 1, path: '/c' },
  { object: 2, on: 0, path: '/d' },
] as const;

type Step =
  | { readonly do: 'level'; readonly object: number; readonly to: number }
  | { readonly do: 'mode'; readonly object: number; readonly to: string }
  | { readonly do: 'tick'; readonly object: number }
  | { readonly do: 'emit'; readonly object: number }
  | { readonly do: 'say'; readonly on: number }
  | { readonly do: 'export'; readonly place: number }
  | { readonly do: 'unexport'; readonly place: number }
  | { readonly do: 'round'; readonly long: boolean };

const object = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('level' as const), object, to: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mode' as const), object, to: fc.constantFrom('', 'x') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), object }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('emit' as const), object }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('say' as const), on: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('export' as const), place: fc.nat(PLACES.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unexport' as const), place: fc.nat(PLACES.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('round' as const), long: fc.boolean() }) },
);

interface Program {
  readonly kinds: readonly string[];
  readonly steps: readonly Step[];
  readonly fails: boolean;
  /** Whether the handler is `async` although it awaits nothing. */
  readonly isAsync: boolean;
}

const programs: fc.Arbitrary<Program> = fc.record({
  kinds: fc.array(fc.constantFrom(...Object.keys(kinds)), { minLength: 3, maxLength: 3 }),
  steps: fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
  fails: fc.boolean(),
  isAsync: fc.boolean(),
});

interface Values {
  Level: number;
  Mode: string;
  Ticks: number;
}

/** Changes of a connection that wait for the next message. */
type Open =
  | { readonly what: 'changes'; readonly object: number; readonly byPath: Map<string, Partial<Values>> }
  | { readonly what: 'added'; readonly object: number; readonly path: string }
  | { readonly what: 'removed'; readonly path: string };

class Model {
  readonly logs: readonly string[][] = [[], []];
  readonly #values: readonly Values[] = [0, 1, 2].map(() => ({ Level: 0, Mode: '', Ticks: 0 }));
  /** In the order of their exports. */
  #exported: number[] = [];
  readonly #open: (Open | undefined)[] = [undefined, undefined];

  take(step: Step): void {
    switch (step.do) {
      case 'level':
        this.#assign(step.object, { Level: step.to });
        break;
      case 'mode':
        this.#assign(step.object, { Mode: step.to });
        break;
      case 'tick':
        this.#assign(step.object, { Ticks: (this.#values[step.object]?.Ticks ?? 0) + 1 });
        break;
      case 'emit':
        for (const { on, path } of this.#placesOf(step.object)) {
          this.#log(on, `Switched ${path} [${this.#values[step.object]?.Level}]`);
        }
        break;
      case 'say':
        this.#log(step.on, 'Said /none []');
        break;
      case 'export':
        this.#export(step.place);
        break;
      case 'unexport':
        this.#unexport(step.place);
        break;
      case 'round':
        this.endTurn();
    }
  }

  answer(fails: boolean): void {
    this.#log(0, fails ? 'error' : 'reply');
  }

  endTurn(): void {
    for (const on of [0, 1]) this.#close(on);
  }

  isExported(place: number): boolean {
    return this.#exported.includes(place);
  }

  /** Unexports everything. */
  end(): void {
    for (const place of [...this.#exported]) this.#unexport(place);
    this.endTurn();
  }

  #placesOf(object: number) {
    return this.#exported.flatMap((index) => PLACES[index] ?? []).filter((place) => place.object === object);
  }

  #assign(object: number, change: Partial<Values>): void {
    const values = this.#values[object] as Values;
    const isSame = Object.entries(change).every(([name, value]) => values[name as keyof Values] === value);
    Object.assign(values, change);
    if (isSame) return;
    for (const { on, path } of this.#placesOf(object)) {
      const open = this.#open[on];
      if (open?.what === 'added' && open.path === path) continue;
      if (open?.what !== 'changes' || open.object !== object) {
        this.#wait(on, { what: 'changes', object, byPath: new Map([[path, { ...change }]]) });
      } else {
        open.byPath.set(path, { ...open.byPath.get(path), ...change });
      }
    }
  }

  #export(index: number): void {
    const place = PLACES[index];
    if (place === undefined || this.isExported(index)) return;
    this.#exported.push(index);
    this.#wait(place.on, { what: 'added', object: place.object, path: place.path });
  }

  #unexport(index: number): void {
    const place = PLACES[index];
    if (place === undefined || !this.isExported(index)) return;
    this.#exported = this.#exported.filter((each) => each !== index);
    this.#wait(place.on, { what: 'removed', path: place.path });
  }

  #wait(on: number, open: Open): void {
    this.#close(on);
    this.#open[on] = open;
  }

  #close(on: number): void {
    const open = this.#open[on];
    this.#open[on] = undefined;
    const log = this.logs[on] as string[];
    if (open?.what === 'added') log.push(`added ${open.path} ${sorted(this.#values[open.object] as Values)}`);
    if (open?.what === 'removed') log.push(`removed ${open.path}`);
    if (open?.what !== 'changes') return;
    for (const [path, values] of open.byPath) log.push(`changed ${path} ${sorted(values)}`);
  }

  #log(on: number, event: string): void {
    this.#close(on);
    this.logs[on]?.push(event);
  }
}

/** The actions of the program, with busbar. */
class World {
  readonly #services: readonly MessageBus[];
  readonly #lamps: readonly LampObject[];
  readonly #exports = new Map<number, Export>();

  constructor(services: readonly MessageBus[], program: Program) {
    this.#services = services;
    this.#lamps = program.kinds.map((kind) => kinds[kind]?.() as LampObject);
  }

  take(step: Step): void {
    const lamp = this.#lamps['object' in step ? step.object : 0] as LampObject;
    if (step.do === 'level') lamp.level = step.to;
    else if (step.do === 'mode') lamp.mode = step.to;
    else if (step.do === 'tick') lamp.tick();
    else if (step.do === 'emit') lamp.switched(lamp.level);
    else if (step.do === 'say')
      this.#on(step.on).emit({ path: '/none', interface: 'org.example.None', member: 'Said' });
    else if (step.do === 'export') this.#export(step.place);
    else if (step.do === 'unexport') this.#unexport(step.place);
  }

  end(): void {
    for (const place of [...this.#exports.keys()]) this.#unexport(place);
  }

  #on(index: number): MessageBus {
    return this.#services[index] as MessageBus;
  }

  #export(index: number): void {
    const place = PLACES[index];
    if (place === undefined || this.#exports.has(index)) return;
    const lamp = this.#lamps[place.object] as LampObject;
    this.#exports.set(index, this.#on(place.on).export(place.path, lamp.object));
  }

  #unexport(index: number): void {
    this.#exports.get(index)?.end();
    this.#exports.delete(index);
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const test = suite(`the order of the messages of a service, by a model, on ${daemon}`);

  testUnless(PrivateBus.missing({ daemon }), test, 'every program is received as it ran', async () => {
    const bus = await PrivateBus.start({ daemon });
    const client = await connect({ address: bus.address });
    const services = await Promise.all([0, 1].map(() => connect({ address: bus.address })));
    let run: (() => void) | (() => Promise<void>) = () => {};
    services[0]?.export('/run', implement(Runner, { Now: () => run(), Later: async () => run() }));
    for (const service of services) service.exportObjectManager('/');
    const observers: { readonly log: string[] }[] = [];
    for (const service of services) observers.push(await observe(client, service.uniqueName as string));
    const settle = async () => {
      for (const service of services) await service.listNames();
      await client.listNames();
    };
    const remote = client.proxy(Runner, services[0]?.uniqueName as string, '/run');

    const property = fc.asyncProperty(programs, async (program) => {
      await settle();
      for (const { log } of observers) log.length = 0;
      const world = new World(services, program);
      const model = new Model();
      const fail = () => {
        if (program.fails) throw new DBusError('org.example.Error.Done', 'done');
      };
      const steps = [...program.steps];
      const runSteps = (): void => {
        for (let next = steps.shift(); next !== undefined; next = steps.shift()) {
          model.take(next);
          if (next.do === 'round') {
            steps.unshift(next);
            return;
          }
          world.take(next);
        }
      };
      const runTurns = async (): Promise<void> => {
        for (let next = steps.shift(); next?.do === 'round'; next = steps.shift()) {
          if (next.long) await new Promise((resolve) => setImmediate(resolve));
          else await Promise.resolve();
          runSteps();
        }
      };
      const takesTime = program.steps.some((each) => each.do === 'round');
      run = () => {
        runSteps();
        if (!takesTime) {
          model.answer(program.fails);
          return fail();
        }
        return runTurns().then(() => {
          // The tick may end between the last step and the reply of a promise.
          model.endTurn();
          model.answer(program.fails);
          fail();
        }) as never;
      };
      await (program.isAsync ? remote.call.Later() : remote.call.Now()).catch(() => {});
      model.endTurn();
      await settle();
      const seen = observers.map(({ log }) => [...log]);
      world.end();
      model.end();
      await settle();
      for (const on of [0, 1]) {
        const expected = model.logs[on] as string[];
        assert.equal(observers[on]?.log, expected, `connection ${on}; before the end: ${seen[on]?.length}`);
      }
    });
    try {
      await fc.assert(property, replayable(RUNS));
    } finally {
      for (const each of [client, ...services]) await each.close();
      await bus.stop();
    }
  });

  test.run();
}
