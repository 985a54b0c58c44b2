// Reading the state of an object, and the signals of its changes, in the order of their arrival: a client that applies both
// in turn has the state of the object.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, type Message, type Problem } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const test = suite('changes of services');

const MANAGER = 'org.freedesktop.DBus.ObjectManager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const Counter = defineInterface('org.example.Counter', {
  methods: { Leave: {}, Count: {} },
  signals: { Counted: {} },
  properties: { Number: { type: 'u' } },
});
const Slow = defineInterface('org.example.Slow', {
  properties: { Later: { type: 's', access: 'read' }, Number: { type: 'u' } },
});

test.after(async () => {
  await client.close();
  await daemon.stop();
});

type Objects = Record<string, Record<string, Record<string, unknown>>>;

/** What a client is told of the objects below `/` and their properties, and the state that it derives from that. */
class Mirror implements AsyncDisposable {
  readonly events: string[] = [];
  readonly objects: Objects = Object.create(null);
  readonly #subscriptions;

  /** Subscribes to everything that is sent from now on. */
  static async start(): Promise<Mirror> {
    const mirror = new Mirror();
    await Promise.all(mirror.#subscriptions.map(({ ready }) => ready));
    return mirror;
  }

  private constructor() {
    this.#subscriptions = [MANAGER, PROPERTIES].map((name) =>
      client.subscribe({ interface: name }, (message) => this.#take(message)),
    );
  }

  /** Requests everything, and takes the answer for the state at its arrival. */
  async read(destination: string): Promise<void> {
    const call = { destination, path: '/', interface: MANAGER, member: 'GetManagedObjects' };
    const [objects] = (await client.call(call)) as [Objects];
    this.events.push(`read ${Object.keys(objects)}`);
    for (const path of Object.keys(this.objects)) delete this.objects[path];
    Object.assign(this.objects, objects);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.end();
    await client.listNames();
  }

  #take({ member, path = '', body }: Message): void {
    if (member === 'PropertiesChanged') {
      const [name, changed] = body as [string, Record<string, unknown>];
      this.events.push(`changed ${path} ${JSON.stringify(changed)}`);
      const known = this.objects[path]?.[name];
      if (known !== undefined) Object.assign(known, changed);
      return;
    }
    const [where, what] = body as [string, Record<string, Record<string, unknown>>];
    this.events.push(`${member} ${where}`);
    if (member === 'InterfacesAdded') this.objects[where] = { ...this.objects[where], ...what };
    else delete this.objects[where];
  }
}

/** A service with a new connection, and an ObjectManager at the root. */
async function serve() {
  const service = await connect({ address: daemon.address });
  service.exportObjectManager('/');
  return { service, name: service.uniqueName as string };
}

/** An object that is unexported when its method is called. */
function counter(leave: () => void = () => {}) {
  const object = implement(Counter, {
    Leave: () => leave(),
    Count: () => {
      object.properties.Number++;
    },
    Number: 0,
  });
  return object;
}

/** A getter that waits for the test. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, get: async () => opened.then(() => 'at last') };
}

test('an object that is unexported while everything is read is absent in the end', async () => {
  const { service, name } = await serve();
  await using mirror = await Mirror.start();
  for (const path of ['/a', '/b']) {
    const exported = service.export(
      path,
      counter(() => exported.end()),
    );
  }
  const leave = client.proxy(Counter, name, '/a').call.Leave;
  await Promise.all([mirror.read(name), leave()]);
  await client.listNames();
  assert.equal(Object.keys(mirror.objects), ['/b']);
  await service.close();
});

test('a value that changes while everything is read has its new value in the end', async () => {
  const { service, name } = await serve();
  await using mirror = await Mirror.start();
  service.export('/a', counter());
  await Promise.all([mirror.read(name), client.proxy(Counter, name, '/a').call.Count()]);
  await client.listNames();
  assert.is(mirror.objects['/a']?.['org.example.Counter']?.Number, 1);
  await service.close();
});

test('the same holds with a slow getter', async () => {
  const { service, name } = await serve();
  await using mirror = await Mirror.start();
  const { open, get } = gate();
  const slow = implement(Slow, { Later: { get }, Number: 0 });
  service.export('/slow', slow);
  const gone = service.export('/gone', counter());
  const other = counter();
  service.export('/other', other);
  const reading = mirror.read(name);
  const all = client.proxy(Slow, name, '/slow').getAll();
  await client.proxy(Counter, name, '/other').call.Count();
  gone.end();
  service.export('/came', counter());
  slow.properties.Number = 1;
  await service.listNames();
  open();
  await reading;
  assert.equal(await all, { Later: 'at last', Number: 1 });
  await client.listNames();
  assert.equal(Object.keys(mirror.objects).sort(), ['/came', '/other', '/slow']);
  assert.is(mirror.objects['/other']?.['org.example.Counter']?.Number, 1);
  assert.equal(mirror.objects['/slow']?.['org.example.Slow'], { Later: 'at last', Number: 1 });
  await service.close();
});

test('an object is announced with its current values', async () => {
  const { service, name } = await serve();
  await using mirror = await Mirror.start();
  await mirror.read(name);
  const { open, get } = gate();
  const slow = implement(Slow, { Later: { get }, Number: 0 });
  service.export('/slow', slow);
  await service.listNames();
  slow.properties.Number = 1;
  await service.listNames();
  open();
  await service.listNames();
  await client.listNames();
  assert.equal(mirror.objects['/slow']?.['org.example.Slow'], { Later: 'at last', Number: 1 });
  assert.is(mirror.events.filter((event) => event.startsWith('InterfacesAdded')).length, 1);
  await service.close();
});

test('a getter that never settles delays only its own value, and not for ever', async () => {
  const { service, name } = await serve();
  await using mirror = await Mirror.start();
  const problems: string[] = [];
  const note = (problem: unknown) => void problems.push((problem as Problem).message);
  subscribe('busbar:problem', note);
  // The test decides when the time limit of getters expires.
  const { setTimeout: later } = globalThis;
  const limits: (() => void)[] = [];
  const hold = (run: () => void, milliseconds?: number) => {
    if (milliseconds !== 10_000) return later(run, milliseconds);
    limits.push(run);
    return later(() => {}, 0);
  };
  globalThis.setTimeout = hold as typeof setTimeout;
  try {
    const stuck = implement(Slow, { Later: { get: () => new Promise<string>(() => {}) }, Number: 0 });
    const exported = service.export('/stuck', stuck);
    service.export('/other', counter()).end();
    await service.listNames();
    await client.listNames();
    assert.equal(mirror.events, ['InterfacesAdded /stuck', 'InterfacesAdded /other', 'InterfacesRemoved /other']);
    assert.equal(mirror.objects['/stuck']?.['org.example.Slow'], { Number: 0 });
    const all = client.proxy(Slow, name, '/stuck').getAll();
    await service.listNames();
    await client.listNames();
    assert.is(limits.length, 2);
    for (const limit of limits) limit();
    assert.equal(await all, { Number: 0 } as object);
    exported.end();
    await service.listNames();
    await client.listNames();
    // The value of the getter is abandoned: clients are told that it is invalidated.
    assert.equal(mirror.events.slice(3), ['changed /stuck {}', 'InterfacesRemoved /stuck']);
    assert.match(problems[0] ?? '', /org\.example\.Slow\.Later(?: at \S+)? could not be read/);
  } finally {
    globalThis.setTimeout = later;
    unsubscribe('busbar:problem', note);
  }
  await service.close();
});

test('objects that come and go all the time do not keep everything from being read', async () => {
  const { service, name } = await serve();
  await using mirror = await Mirror.start();
  const slowly = () => new Promise<string>((resolve) => setTimeout(resolve, 20, 'late'));
  let number = 0;
  const exports = [service.export('/slow0', implement(Slow, { Later: { get: slowly }, Number: 0 }))];
  const turnover = setInterval(() => {
    exports.shift()?.end();
    exports.push(service.export(`/slow${++number}`, implement(Slow, { Later: { get: slowly }, Number: number })));
  }, 10);
  try {
    await mirror.read(name);
  } finally {
    clearInterval(turnover);
  }
  await service.close();
});

test('a slow value that has changed meanwhile is read again', async () => {
  const { service, name } = await serve();
  const Two = defineInterface('org.example.Two', {
    properties: { Fast: { type: 'u', access: 'read' }, Later: { type: 's', access: 'read' } },
  });
  const { open, get } = gate();
  let fast = 1;
  const two = implement(Two, { Fast: { get: async () => fast }, Later: { get } });
  const events: unknown[] = [];
  const remote = client.proxy(Two, name, '/two');
  const changes = remote.onChange((changed) => void events.push(changed));
  // The rule is added before any signal.
  await client.listNames();
  service.export('/two', two);
  await service.listNames();
  const all = remote.getAll().then((values) => void events.push(values));
  await client.listNames();
  await service.listNames();
  fast = 2;
  two.emitPropertiesChanged(['Fast']);
  await service.listNames();
  open();
  await all;
  // The values that the announcement of the object lacked follow it; the change is sent before the messages that overtake
  // it, and its value once it is known.
  assert.equal(events, [{ Fast: 1 }, {}, { Fast: 2 }, { Later: 'at last' }, { Fast: 2, Later: 'at last' }]);
  changes.end();
  await service.close();
});

test('an assignment right after an export is announced with the object', async () => {
  const { service } = await serve();
  await using mirror = await Mirror.start();
  const Fixed = defineInterface('org.example.Fixed', {
    properties: { Fixed: { type: 's', access: 'read', emits: 'const' }, Quiet: { type: 'u', emits: false } },
  });
  let fixed = '';
  const object = implement(Fixed, { Fixed: { get: () => fixed }, Quiet: 0 });
  service.export('/fixed', object);
  fixed = 'known now';
  object.properties.Quiet = 7;
  await service.listNames();
  await client.listNames();
  assert.equal(mirror.objects['/fixed']?.['org.example.Fixed'], { Fixed: 'known now', Quiet: 7 });
  await service.close();
});

test('a change right before the connection is closed is sent', async () => {
  const { service } = await serve();
  await using mirror = await Mirror.start();
  const heard: string[] = [];
  const object = counter();
  const gone = service.export('/gone', counter());
  service.export('/counter', object);
  await service.listNames();
  await client.listNames();
  mirror.events.length = 0;
  const signals = client.subscribe({ interface: 'org.example.Counter' }, () => void heard.push('Counted'));
  await signals.ready;
  object.emit.Counted();
  object.properties.Number = 5;
  gone.end();
  await service.close();
  await client.listNames();
  signals.end();
  assert.equal(heard, ['Counted']);
  assert.equal([...mirror.events].sort(), ['InterfacesRemoved /gone', 'changed /counter {"Number":5}']);
});

test.run();
