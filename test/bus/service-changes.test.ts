// What is read of an object, and what is told of its changes, in the order in which both arrive: whoever takes one after the
// other has the state that the object is in.

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

/** What the client is told of the objects below `/` and their properties, and what it takes them to be by that. */
class Mirror implements AsyncDisposable {
  readonly events: string[] = [];
  readonly objects: Objects = Object.create(null);
  readonly #subscriptions;

  constructor() {
    this.#subscriptions = [MANAGER, PROPERTIES].map((name) =>
      client.subscribe({ interface: name }, (message) => this.#take(message)),
    );
  }

  /** Asks for everything, and takes that for true from when it arrives. */
  async read(destination: string): Promise<void> {
    const call = { destination, path: '/', interface: MANAGER, member: 'GetManagedObjects' };
    const [objects] = (await client.call(call)) as [Objects];
    this.events.push(`read ${Object.keys(objects)}`);
    for (const path of Object.keys(this.objects)) delete this.objects[path];
    Object.assign(this.objects, objects);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
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

/** A service that nobody knows yet, with an ObjectManager at the root. */
async function serve() {
  const service = await connect({ address: daemon.address });
  service.exportObjectManager('/');
  return { service, name: service.uniqueName as string };
}

/** An object that leaves when it is asked to. */
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

/** A getter that the test lets go on. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, get: async () => opened.then(() => 'at last') };
}

test('an object that leaves while everything is read is not there in the end', async () => {
  const { service, name } = await serve();
  await using mirror = new Mirror();
  for (const path of ['/a', '/b']) {
    const exported = service.export(
      path,
      counter(() => exported.unexport()),
    );
  }
  const leave = client.proxy(Counter, name, '/a').call.Leave;
  await Promise.all([mirror.read(name), leave()]);
  await client.listNames();
  assert.equal(Object.keys(mirror.objects), ['/b']);
  await service.close();
});

test('a value that changes while everything is read is the new one in the end', async () => {
  const { service, name } = await serve();
  await using mirror = new Mirror();
  service.export('/a', counter());
  await Promise.all([mirror.read(name), client.proxy(Counter, name, '/a').call.Count()]);
  await client.listNames();
  assert.is(mirror.objects['/a']?.['org.example.Counter']?.Number, 1);
  await service.close();
});

test('so is everything where a getter takes its time', async () => {
  const { service, name } = await serve();
  await using mirror = new Mirror();
  const { open, get } = gate();
  const slow = implement(Slow, { Later: { get }, Number: 0 });
  service.export('/slow', slow);
  const gone = service.export('/gone', counter());
  const other = counter();
  service.export('/other', other);
  const reading = mirror.read(name);
  const all = client.proxy(Slow, name, '/slow').getAll();
  await client.proxy(Counter, name, '/other').call.Count();
  gone.unexport();
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

test('an object is announced with the values that it has then', async () => {
  const { service, name } = await serve();
  await using mirror = new Mirror();
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

test('a getter that never settles keeps nothing back but itself, and that not for ever', async () => {
  const { service, name } = await serve();
  await using mirror = new Mirror();
  const problems: string[] = [];
  const note = (problem: unknown) => void problems.push((problem as Problem).message);
  subscribe('busbar:problem', note);
  const { setTimeout: later } = globalThis;
  const hurry = (run: () => void, milliseconds = 0) => later(run, milliseconds === 10_000 ? 100 : milliseconds);
  globalThis.setTimeout = hurry as typeof setTimeout;
  try {
    const stuck = implement(Slow, { Later: { get: () => new Promise<string>(() => {}) }, Number: 0 });
    const exported = service.export('/stuck', stuck);
    service.export('/other', counter()).unexport();
    await service.listNames();
    await client.listNames();
    assert.equal(mirror.events, ['InterfacesAdded /other', 'InterfacesRemoved /other']);
    assert.equal(await client.proxy(Slow, name, '/stuck').getAll(), { Number: 0 } as object);
    exported.unexport();
    await new Promise((resolve) => later(resolve, 0));
    await service.listNames();
    await client.listNames();
    assert.equal(mirror.events.slice(2), ['InterfacesAdded /stuck', 'InterfacesRemoved /stuck']);
    assert.match(problems[0] ?? '', 'org.example.Slow.Later could not be read');
  } finally {
    globalThis.setTimeout = later;
    unsubscribe('busbar:problem', note);
  }
  await service.close();
});

test('what changes right before the connection is closed is told', async () => {
  const { service } = await serve();
  await using mirror = new Mirror();
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
  gone.unexport();
  await service.close();
  await client.listNames();
  signals.unsubscribe();
  assert.equal(heard, ['Counted']);
  assert.equal([...mirror.events].sort(), ['InterfacesRemoved /gone', 'changed /counter {"Number":5}']);
});

test.run();
