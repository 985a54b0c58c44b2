// How `util.inspect` shows the objects of busbar: what each object is, where, and its state. No control characters, and no
// code of the inspected program runs.
import { tmpdir } from 'node:os';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  defineInterface,
  type Emits,
  implement,
  listen,
  method,
  property,
  ServiceInterface,
  signal,
} from '../../src/index.js';

const test = suite('inspection');

const server = await listen({ address: `unix:tmpdir=${tmpdir()}` });
const peer = await connect({ address: server.address, peer: true });
const service = (await server[Symbol.asyncIterator]().next()).value;

test.after(async () => {
  await peer.close();
  await server.close();
});

let reads = 0;

class Lamp extends ServiceInterface {
  parent: unknown;
  label = 'a\u001b[31m';
  #context = '';
  constructor() {
    super('org.example.Lamp');
  }
  @property({ type: 'u' }) accessor Level = 5;
  @property({ type: 'as' }) accessor Names: string[] = ['one'];
  @property({ type: 's', access: 'read' }) get Now(): string {
    reads++;
    return 'now';
  }
  @property({ type: 's', name: 'Other' }) get other(): string {
    reads++;
    return '';
  }
  set other(_value: string) {}
  @property({ type: 's', disabled: true }) accessor Hidden = '';
  @method({ out: 's', context: true }) Ask(context: CallContext): string {
    this.#context = inspect(context);
    return this.#context;
  }
  @signal({ args: ['u'] }) Changed(level: number): Emits<number> {
    return level;
  }
}

const W = defineInterface('org.example.Wired', {
  methods: { One: {} },
  signals: { Told: { args: 's' } },
  properties: { Level: { type: 'u' }, Clock: { type: 's', access: 'read' }, 'odd name': { type: 's' } },
});

test('an instance of a class shows its fields and properties, and where it is exported', () => {
  const lamp = new Lamp();
  assert.match(inspect(lamp.label), /^'a\\x1b\[31m'$/i);
  const content = (tag: string) =>
    `Lamp [${tag}] {\n` +
    '  parent: undefined,\n' +
    // Runtimes escape control characters with either case of digits.
    `  label: ${inspect(lamp.label)},\n` +
    '  Now: [Getter],\n' +
    '  other: [Getter/Setter],\n' +
    '  Level: 5,\n' +
    "  Names: [ 'one' ]\n" +
    '}';
  assert.is(inspect(lamp), content('org.example.Lamp'));
  const one = service.export('/lamp', lamp);
  const two = service.export('/another', lamp);
  assert.is(inspect(lamp), content('org.example.Lamp at /lamp, /another'));
  assert.is(reads, 0);
  assert.match(inspect(lamp, { getters: true }), /Now: \[Getter: 'now'\]/);
  one.end();
  two.end();
  lamp.Level = 6;
  assert.match(inspect(lamp), /^Lamp \[org\.example\.Lamp\] .* Level: 6/s);
});

test('an instance that contains itself, or is nested deeply, is shown as any object is', () => {
  const lamp = new Lamp();
  lamp.parent = { children: [lamp] };
  assert.match(inspect(lamp, { depth: null }), /^<ref \*1> Lamp .*children: \[ \[Circular \*1\] \]/s);
  assert.is(inspect({ a: { b: { c: lamp } } }), '{ a: { b: { c: [Lamp [org.example.Lamp]] } } }');
  assert.type(inspect(new Proxy(lamp, {})), 'string');
  assert.type(inspect(Lamp.prototype), 'string');
});

test('the result of implement() shows its properties, and where it is exported', () => {
  const wired = implement(W, {
    One() {},
    Level: 1,
    Clock: {
      get: () => {
        reads++;
        return '';
      },
    },
    'odd name': '',
  });
  reads = 0;
  using _exported = service.export('/wired', wired);
  wired.properties.Level = 2;
  assert.is(
    inspect(wired),
    "Implementation [org.example.Wired at /wired] {\n  Level: 2,\n  Clock: [Getter],\n  'odd name': ''\n}",
  );
  assert.is(reads, 0);
});

test('the context of a call shows the method', async () => {
  using _exported = service.export('/lamp', new Lamp());
  assert.is(await peer.proxy(Lamp, '/lamp').call.Ask(), 'CallContext { /lamp org.example.Lamp.Ask from the peer }');
});

test('an iterator of signals shows its signal, and how many wait', async () => {
  const lamp = new Lamp();
  using _exported = service.export('/lamp', lamp);
  const queue = peer.proxy(Lamp, '/lamp').watch.Changed({ limit: 2 });
  assert.is(inspect(queue), 'SignalQueue { org.example.Lamp.Changed, open, 0 waiting, 0 dropped }');
  for (let level = 0; level < 3; level++) lamp.Changed(level);
  await peer.proxy(Lamp, '/lamp').call.Ask();
  assert.is(inspect(queue), 'SignalQueue { org.example.Lamp.Changed, open, 2 waiting, 1 dropped }');
  queue.end();
  assert.is(inspect(queue), 'SignalQueue { org.example.Lamp.Changed, ended, 0 waiting, 1 dropped }');
});

test('a server shows its address, whether it listens, and its number of connections', async () => {
  assert.is(inspect(server), `PeerServer { ${server.address}, listening, 1 connection }`);
  const other = await listen({ address: `unix:tmpdir=${tmpdir()}` });
  await other.close();
  assert.is(inspect(other), `PeerServer { ${other.address}, closed, 0 connections }`);
});

test('a handle shows what it ends, without control characters', () => {
  const handler = Object.defineProperty(() => false, 'name', { value: 'h\u001b[31m' });
  using added = service.addMessageHandler(handler);
  using subscribed = service.subscribe({ arg0: 'a\u001b\n' }, () => {});
  assert.is(inspect(added), 'message handler { h\\u001b[31m }');
  assert.is(inspect(subscribed), "subscription { type='signal',arg0='a\\u001b\\n' }");
});

test.run();
