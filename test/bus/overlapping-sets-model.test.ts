// Random calls of Properties.Set that overlap, with variants whose types cannot be guessed from their values, and setters
// and getters that are slow, finish in any order, or fail. In the model every value is read with the type that it was set
// with, in every message; no value follows one that was stored later; and in the end the signals have the value of the
// property.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  implement,
  type Message,
  type MessageBus,
  Variant,
  variant,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const RUNS = 100;

const Sets = defineInterface('org.example.Sets', { properties: { Any: { type: 'v' }, Many: { type: 'a{sv}' } } });
type Name = 'Any' | 'Many';

/** All of them are read as numbers. */
const TYPES = ['y', 'n', 'q', 'i', 'u', 'd'] as const;
type Type = (typeof TYPES)[number] | 's';

type Step =
  | { readonly do: 'set'; readonly name: Name; readonly type: (typeof TYPES)[number] }
  | { readonly do: 'assign' | 'get'; readonly name: Name }
  | { readonly do: 'getAll' | 'round' }
  | { readonly do: 'finish' | 'refuse' | 'answer'; readonly which: number }
  | { readonly do: 'slow'; readonly is: boolean }
  | { readonly do: 'hop'; readonly times: number };

const name = fc.constantFrom<Name>('Any', 'Many');
const which = fc.nat(3);
const as = <Kind extends string>(...kinds: Kind[]) => fc.constantFrom(...kinds);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: as('set'), name, type: fc.constantFrom(...TYPES) }) },
  { weight: 2, arbitrary: fc.record({ do: as('assign', 'get'), name }) },
  { weight: 2, arbitrary: fc.record({ do: as('getAll', 'round') }) },
  { weight: 8, arbitrary: fc.record({ do: as('finish'), which }) },
  { weight: 1, arbitrary: fc.record({ do: as('refuse'), which }) },
  { weight: 8, arbitrary: fc.record({ do: as('answer'), which }) },
  { weight: 1, arbitrary: fc.record({ do: as('slow'), is: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: as('hop'), times: fc.nat(12) }) },
);

/** When a setter stores its value, at its beginning or its end, and whether a getter returns the value itself or a copy. */
const programs = fc.record({
  storesFirst: fc.boolean(),
  copies: fc.boolean(),
  steps: fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
});

/** A number or text in a message, and its type. */
type Carried = readonly [value: number | string, type: string];

interface Ended {
  readonly finish: () => void;
  readonly refuse: () => void;
}

class World {
  readonly #service: MessageBus;
  readonly #client: MessageBus;
  readonly #storesFirst: boolean;
  readonly #copies: boolean;
  /** Values as they are written, in the order in which they were stored. */
  readonly stored: Readonly<Record<Name, (number | string)[]>> = { Any: [0], Many: [0] };
  readonly types = new Map<number | string, Type>([[0, 'i']]);
  readonly faults: string[] = [];
  readonly #setters: Ended[] = [];
  readonly #getters: (() => void)[] = [];
  readonly #calls: Promise<unknown>[] = [];
  #values: Record<Name, unknown> = { Any: 0, Many: { value: 0 } };
  #isSlow = true;
  #count = 0;
  hasRefused = false;
  readonly #object = implement(Sets, { Any: this.#functions('Any'), Many: this.#functions('Many') as never });
  readonly #exported;

  constructor(service: MessageBus, client: MessageBus, storesFirst: boolean, copies: boolean) {
    this.#service = service;
    this.#client = client;
    this.#storesFirst = storesFirst;
    this.#copies = copies;
    this.#exported = service.export('/sets', this.#object);
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'set') await this.#set(step.name, step.type);
    else if (step.do === 'assign') this.#assign(step.name);
    else if (step.do === 'get') await this.#ask('Get', 'ss', ['org.example.Sets', step.name]);
    else if (step.do === 'getAll') await this.#ask('GetAll', 's', ['org.example.Sets']);
    else if (step.do === 'round') await new Promise((resolve) => setImmediate(resolve));
    else if (step.do === 'finish') this.#setters.splice(step.which, 1)[0]?.finish();
    else if (step.do === 'refuse') this.#setters.splice(step.which, 1)[0]?.refuse();
    else if (step.do === 'answer') this.#getters.splice(step.which, 1)[0]?.();
    else if (step.do === 'slow') this.#isSlow = step.is;
    else if (step.do === 'hop') for (let hop = 0; hop < step.times; hop++) await null;
  }

  async end(): Promise<void> {
    this.#isSlow = false;
    let isAnswered = false;
    Promise.all(this.#calls).then(() => {
      isAnswered = true;
    });
    await until(() => {
      for (const { finish } of this.#setters.splice(0)) finish();
      for (const answer of this.#getters.splice(0)) answer();
      return isAnswered;
    });
    for (let rounds = 0; rounds < 3; rounds++) {
      for (const { finish } of this.#setters.splice(0)) finish();
      for (const answer of this.#getters.splice(0)) answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#settle();
    this.#exported.end();
    await this.#settle();
  }

  #functions(name: Name) {
    return {
      get: (): unknown => {
        const value = this.#copies ? structuredClone(this.#values[name]) : this.#values[name];
        if (!this.#isSlow) return value;
        return new Promise((resolve) => this.#getters.push(() => resolve(value)));
      },
      set: (value: unknown): Promise<void> => {
        if (this.#storesFirst) this.#store(name, value);
        return new Promise<void>((resolve, reject) => {
          const finish = () => {
            if (!this.#storesFirst) this.#store(name, value);
            resolve();
          };
          const refuse = () => {
            if (this.#storesFirst) return finish();
            this.hasRefused = true;
            reject(new Error('it is refused'));
          };
          this.#setters.push({ finish, refuse });
        });
      },
    };
  }

  #store(name: Name, value: unknown): void {
    this.#values[name] = value;
    this.stored[name].push(name === 'Any' ? (value as number) : (value as { value: number }).value);
  }

  #set(name: Name, type: (typeof TYPES)[number]): Promise<void> {
    const number = ++this.#count;
    this.types.set(number, type);
    const typed = variant(type, number as never);
    return this.#ask('Set', 'ssv', [
      'org.example.Sets',
      name,
      name === 'Any' ? variant('v', typed) : variant('a{sv}', { value: typed }),
    ]);
  }

  #assign(name: Name): void {
    const text = `text ${++this.#count}`;
    this.types.set(text, 's');
    (this.#object.properties as Record<Name, unknown>)[name] = name === 'Any' ? text : { value: text };
  }

  async #ask(member: string, signature: string, body: readonly unknown[]): Promise<void> {
    const call = { path: '/sets', interface: 'org.freedesktop.DBus.Properties', member, signature, body };
    const answer = this.#client.call({ ...call, destination: this.#service.uniqueName as string });
    this.#calls.push(answer.catch((error) => this.hasRefused || this.faults.push(`${member}: ${error}`)));
    await this.#client.listNames();
    await this.#service.listNames();
  }

  async #settle(): Promise<void> {
    await this.#service.listNames();
    await this.#client.listNames();
  }
}

/** The values in a message. */
function carriedBy(message: Message): Carried[] {
  const found: Carried[] = [];
  const find = (value: unknown): void => {
    if (Variant.isVariant(value)) {
      if (typeof value.value === 'number' || (typeof value.value === 'string' && value.signature === 's'))
        found.push([value.value, value.signature]);
      else find(value.value);
    } else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) find(each);
  };
  if (message.type === 2 || message.member === 'PropertiesChanged') find(message.decode({ variants: 'wrap' }));
  return found;
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const test = suite(`overlapping sets, by a model, on ${daemon}`);

  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    'values that are set at the same time keep their types and their order',
    async () => {
      const bus = await PrivateBus.start({ daemon });
      const client = await connect({ address: bus.address });
      const service = await connect({ address: bus.address });
      const log: { readonly carried: Carried[]; readonly changed: boolean; readonly invalidated: readonly string[] }[] =
        [];
      await client.subscribe({ sender: service.uniqueName as string }, () => {}).ready;
      const take = (message: Message) => {
        const changed = message.member === 'PropertiesChanged';
        const invalidated = changed ? (message.body[2] as string[]) : [];
        if (message.sender === service.uniqueName) log.push({ carried: carriedBy(message), changed, invalidated });
        return false;
      };
      client.addMessageHandler(take, { replies: true });
      // Setters that refuse values that the program itself assigns are reported.
      const ignore = () => {};
      subscribe('busbar:problem', ignore);

      const property = fc.asyncProperty(programs, async ({ storesFirst, copies, steps }) => {
        log.length = 0;
        const world = new World(service, client, storesFirst, copies);
        for (const each of steps) await world.take(each);
        await world.end();
        const seen = log.map((each) => JSON.stringify(each)).join('\n');
        assert.equal(world.faults, [], seen);
        for (const name of ['Any', 'Many'] as const) {
          const stored = world.stored[name];
          let newest = 0;
          let believed: Carried[0] | undefined;
          for (const { carried, changed, invalidated } of log) {
            if (invalidated.includes(name)) believed = undefined;
            for (const [value, type] of carried) {
              const place = stored.lastIndexOf(value);
              // The value is that of the other property, or the first one.
              if (place <= 0) continue;
              assert.is(type, world.types.get(value), `${name} ${value}: ${seen}`);
              assert.ok(place >= newest, `${name} ${value} behind ${stored[newest]}: ${seen}`);
              newest = place;
              if (changed) believed = value;
            }
          }
          if (stored.length > 1) assert.is(believed, stored.at(-1), `${name}: ${seen}`);
        }
      });
      try {
        await fc.assert(property, replayable(RUNS));
      } finally {
        unsubscribe('busbar:problem', ignore);
        for (const each of [client, service]) await each.close();
        await bus.stop();
      }
    },
  );

  test.run();
}
