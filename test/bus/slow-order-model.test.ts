// Random programs of a service whose getters are slow, immediate or failing, with changes and answers in any order and any
// number of microtasks between them. Each value has a higher number than the values before it. In the model, no message
// carries a lower number of a property than an earlier message, and in the end the signals alone have the value of the
// property.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, type Message, type MessageBus, variant } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const RUNS = 150;

const Slow = defineInterface('org.example.Slow', {
  properties: {
    Later: { type: 'u' },
    Vague: { type: 'u', emits: 'invalidates' },
    Quiet: { type: 'u', emits: false },
    Plain: { type: 'u' },
  },
});

type Name = 'Later' | 'Vague' | 'Quiet' | 'Plain';
const NAMES: readonly Name[] = ['Later', 'Vague', 'Quiet', 'Plain'];
/** A value names its property. */
const RANGE = 1_000_000;

type Step =
  /** A client asks for a value. */
  | { readonly do: 'get'; readonly name: Name }
  | { readonly do: 'getAll' | 'getManagedObjects' }
  /** A client sets a value; the setter takes time, or none. */
  | { readonly do: 'set'; readonly name: Name }
  /** A getter or setter that has not answered yet ends. */
  | { readonly do: 'answer' | 'fail' | 'finish'; readonly which: number }
  /** The program changes a property, and announces it by its name, by its value, or by assigning it. */
  | { readonly do: 'name' | 'tell' | 'assign'; readonly name: Name }
  /** From now on getters answer at once, or are slow; and so do setters. */
  | { readonly do: 'slow'; readonly is: boolean }
  | { readonly do: 'slowSet'; readonly is: boolean }
  /** The object is exported at another path, or unexported there. */
  | { readonly do: 'move' }
  | { readonly do: 'hop'; readonly times: number }
  | { readonly do: 'round' };

const name = fc.constantFrom(...NAMES);
const which = fc.nat(3);
function weighted<Kind extends Step>(weight: number, model: { [Key in keyof Kind]: fc.Arbitrary<Kind[Key]> }) {
  return { weight, arbitrary: fc.record(model) as unknown as fc.Arbitrary<Step> };
}
const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(4, { do: fc.constant('get' as const), name }),
  weighted(4, { do: fc.constantFrom('getAll' as const, 'getManagedObjects' as const) }),
  weighted(2, { do: fc.constant('set' as const), name }),
  weighted(12, { do: fc.constant('answer' as const), which }),
  weighted(1, { do: fc.constant('fail' as const), which }),
  weighted(4, { do: fc.constant('finish' as const), which }),
  weighted(8, { do: fc.constantFrom('name' as const, 'tell' as const, 'assign' as const), name }),
  weighted(2, { do: fc.constant('slow' as const), is: fc.boolean() }),
  weighted(1, { do: fc.constant('slowSet' as const), is: fc.boolean() }),
  weighted(1, { do: fc.constant('move' as const) }),
  weighted(10, { do: fc.constant('hop' as const), times: fc.nat(12) }),
  weighted(4, { do: fc.constant('round' as const) }),
);
const programs = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });

/** The actions of the program, with busbar, and the requests to the service. */
class World {
  readonly #service: MessageBus;
  readonly #client: MessageBus;
  readonly numbers: Readonly<Record<Name, number>> = Object.fromEntries(
    NAMES.map((name, index) => [name, index * RANGE]),
  ) as Record<Name, number>;
  readonly #getters: { readonly answer: () => void; readonly fail: () => void }[] = [];
  readonly #setters: (() => void)[] = [];
  readonly #calls: Promise<unknown>[] = [];
  /** The mistakes in the answers. */
  readonly faults: string[] = [];
  readonly #object = implement(Slow, {
    Later: this.#functions('Later'),
    Vague: this.#functions('Vague'),
    Quiet: this.#functions('Quiet'),
    Plain: this.numbers.Plain,
  });
  readonly #exported;
  #elsewhere: { end(): void } | undefined;
  #isSlow = true;
  #isSlowToSet = false;
  hasFailed = false;

  constructor(service: MessageBus, client: MessageBus) {
    this.#service = service;
    this.#client = client;
    this.#exported = service.export('/slow', this.#object);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'get':
        return this.#call('Get', 'ss', ['org.example.Slow', step.name]);
      case 'getAll':
        return this.#call('GetAll', 's', ['org.example.Slow']);
      case 'getManagedObjects':
        return this.#ask({ path: '/', interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' });
      case 'set':
        return this.#set(step.name);
      case 'answer':
        this.#getters.splice(step.which, 1)[0]?.answer();
        return;
      case 'fail':
        this.#fail(step.which);
        return;
      case 'finish':
        this.#setters.splice(step.which, 1)[0]?.();
        return;
      case 'name':
      case 'tell':
      case 'assign':
        this.#change(step.do, step.name);
        return;
      case 'slow':
        this.#isSlow = step.is;
        return;
      case 'slowSet':
        this.#isSlowToSet = step.is;
        return;
      case 'move':
        if (this.#elsewhere === undefined) this.#elsewhere = this.#service.export('/elsewhere', this.#object);
        else {
          this.#elsewhere.end();
          this.#elsewhere = undefined;
        }
        return;
      case 'hop':
        for (let hop = 0; hop < step.times; hop++) await null;
        return;
      case 'round':
        await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Ends everything that is still pending, and waits until everything that was sent has arrived. */
  async end(): Promise<void> {
    this.#isSlow = false;
    this.#isSlowToSet = false;
    let isAnswered = false;
    Promise.all(this.#calls).then(() => {
      isAnswered = true;
    });
    await until(() => {
      for (const finish of this.#setters.splice(0)) finish();
      for (const { answer } of this.#getters.splice(0)) answer();
      return isAnswered;
    });
    for (let rounds = 0; rounds < 3; rounds++) {
      for (const { answer } of this.#getters.splice(0)) answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#settle();
  }

  async leave(): Promise<void> {
    this.#elsewhere?.end();
    this.#exported.end();
    await this.#settle();
  }

  #functions(name: Name) {
    return {
      get: (): number | Promise<number> => {
        const value = this.numbers[name];
        if (!this.#isSlow) return value;
        return new Promise<number>((resolve, reject) => {
          this.#getters.push({ answer: () => resolve(value), fail: () => reject(new Error('it fails')) });
        });
      },
      set: (): void | Promise<void> => {
        this.#next(name);
        if (this.#isSlowToSet) return new Promise<void>((resolve) => this.#setters.push(resolve));
      },
    };
  }

  #next(name: Name): number {
    (this.numbers as Record<Name, number>)[name]++;
    return this.numbers[name];
  }

  #fail(which: number): void {
    const [getter] = this.#getters.splice(which, 1);
    if (getter === undefined) return;
    this.hasFailed = true;
    getter.fail();
  }

  #change(how: 'name' | 'tell' | 'assign', name: Name): void {
    if (name === 'Plain') this.#object.properties.Plain = this.#next(name);
    else if (how === 'assign') this.#object.properties[name] = 0;
    else if (name === 'Quiet') this.#next(name);
    else if (how === 'name') {
      this.#next(name);
      this.#object.emitPropertiesChanged([name]);
    } else this.#object.emitPropertiesChanged({ [name]: this.#next(name) });
  }

  #set(name: Name): Promise<void> {
    // A value that is assigned after a setter has begun is up to the setter.
    const value = name === 'Plain' ? this.#next(name) : 0;
    return this.#call('Set', 'ssv', ['org.example.Slow', name, variant('u', value)]);
  }

  #call(member: string, signature: string, body: unknown[]): Promise<void> {
    return this.#ask({ path: '/slow', interface: 'org.freedesktop.DBus.Properties', member, signature, body });
  }

  /** Calls the service, and waits until the call has arrived. */
  async #ask(call: Parameters<MessageBus['call']>[0]): Promise<void> {
    const { member = '' } = call;
    const answer = this.#client.call({ ...call, destination: this.#service.uniqueName as string });
    this.#calls.push(
      answer.then(
        ([body]) => this.#check(member, body as object),
        () => this.hasFailed || this.faults.push(`${member} failed`),
      ),
    );
    await this.#client.listNames();
    await this.#service.listNames();
  }

  /** No value is left out of an answer. */
  #check(member: string, body: object): void {
    const objects =
      member === 'GetAll' ? [body] : member === 'GetManagedObjects' ? Object.values(body).flatMap(Object.values) : [];
    for (const values of objects) {
      if (Object.keys(values).length < NAMES.length && !this.hasFailed)
        this.faults.push(`${member} ${JSON.stringify(values)}`);
    }
  }

  async #settle(): Promise<void> {
    await this.#service.listNames();
    await this.#client.listNames();
  }
}

/** The values in a message, in its order, and whether others are invalidated. */
function valuesIn({ type, member, body }: Message): number[] {
  const found: number[] = [];
  const find = (value: unknown): void => {
    if (typeof value === 'number') found.push(value);
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) find(each);
  };
  if (type === 2 || member === 'PropertiesChanged' || member === 'InterfacesAdded') find(body);
  return found;
}

/** Records the messages of a service. */
class Observer {
  readonly log: Message[] = [];

  async follow(client: MessageBus, sender: string): Promise<void> {
    await client.subscribe({ sender }, () => {}).ready;
    const take = (message: Message) => {
      if (message.sender === sender) this.log.push(message);
      return false;
    };
    client.addMessageHandler(take, { replies: true });
  }

  /** Values that follow a newer one. */
  old(): string[] {
    const highest = new Map<number, number>();
    return this.log.flatMap((message, index) =>
      valuesIn(message).flatMap((value) => {
        const range = Math.floor(value / RANGE);
        const before = highest.get(range) ?? value;
        highest.set(range, Math.max(before, value));
        return value < before ? [`message ${index} has ${NAMES[range]} ${value} after ${before}`] : [];
      }),
    );
  }

  /** The values that a client has that uses only signals. */
  believed(name: Name): number | undefined {
    let value: number | undefined;
    for (const { member, path, body } of this.log) {
      if (member === 'InterfacesAdded' && body[0] === '/slow') value = (body[1] as Values)['org.example.Slow']?.[name];
      if (member !== 'PropertiesChanged' || path !== '/slow') continue;
      if ((body[2] as string[]).includes(name)) value = undefined;
      value = (body[1] as Partial<Record<Name, number>>)[name] ?? value;
    }
    return value;
  }

  toString(): string {
    const words = ({ type, member, body }: Message) =>
      `${member ?? (type === 2 ? 'reply' : 'error')} ${JSON.stringify(body)}`;
    return this.log.map(words).join('\n');
  }
}

type Values = Readonly<Record<string, Partial<Record<Name, number>>>>;

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const test = suite(`the order of slow values, by a model, on ${daemon}`);

  testUnless(PrivateBus.missing({ daemon }), test, 'no value follows a newer one', async () => {
    const bus = await PrivateBus.start({ daemon });
    const client = await connect({ address: bus.address });
    const service = await connect({ address: bus.address });
    service.exportObjectManager('/');
    const observer = new Observer();
    await observer.follow(client, service.uniqueName as string);
    // Getters that fail are reported.
    const ignore = () => {};
    subscribe('busbar:problem', ignore);

    const property = fc.asyncProperty(programs, async (program) => {
      observer.log.length = 0;
      const world = new World(service, client);
      for (const each of program) await world.take(each);
      await world.end();
      const seen = `\n${observer}`;
      assert.equal(observer.old(), [], seen);
      assert.equal(world.faults, [], seen);
      for (const name of ['Later', 'Plain', 'Vague'] as const) {
        const believed = observer.believed(name);
        const mayBeUnknown = world.hasFailed || name === 'Vague';
        if (believed !== undefined || !mayBeUnknown) assert.is(believed, world.numbers[name], `${name}:${seen}`);
      }
      await world.leave();
    });
    try {
      await fc.assert(property, replayable(RUNS));
    } finally {
      unsubscribe('busbar:problem', ignore);
      for (const each of [client, service]) await each.close();
      await bus.stop();
    }
  });

  test.run();
}
