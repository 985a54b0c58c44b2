// Exported objects as clients see them: the standard interfaces, properties, object trees, and the context of a call.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  defineInterface,
  type Emits,
  InvalidArgumentError,
  implement,
  method,
  PropertyReadOnlyError,
  parseIntrospection,
  property,
  ServiceInterface,
  signal,
  UnknownInterfaceError,
  UnknownObjectError,
  UnknownPropertyError,
  Variant,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const service = await connect({ address: daemon.address });
const test = suite('service');
const noEavesdropping = daemon.daemon === 'dbus-broker' ? 'dbus-broker takes no rules that eavesdrop' : undefined;

class Lamp extends ServiceInterface {
  setterRuns = 0;
  #watts = 40;

  constructor() {
    super('org.example.Lamp');
  }

  @method({ in: 'u', out: 'b' })
  Dim(level: number): boolean {
    this.Level = level;
    return level < 50;
  }

  @signal({ args: ['reason:s'] })
  Broken(reason: string): Emits<string> {
    return reason;
  }

  @property({ type: 'u', access: 'readwrite' })
  accessor Level = 0;

  @property({ type: 's', access: 'read' })
  get Model() {
    return 'E27';
  }

  @property({ type: 'u', access: 'readwrite', emits: 'invalidates' })
  get Watts() {
    return this.#watts;
  }
  set Watts(value: number) {
    this.setterRuns++;
    this.#watts = value;
  }

  @property({ type: 's', access: 'write' })
  set Secret(_value: string) {
    this.setterRuns++;
  }

  @property({ type: 's', access: 'readwrite', emits: false })
  accessor Silent = 'quiet';
}

const path = '/org/example/Lamp';
const lamp = new Lamp();
service.export(path, lamp);
await service.requestName('org.example.Lamp');
const proxy = client.proxy(Lamp, 'org.example.Lamp', path);

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const at = (member: string, signature: string, body: unknown[], where = path) =>
  client.call({ destination: 'org.example.Lamp', path: where, interface: PROPERTIES, member, signature, body });

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  const ping = {
    destination: 'org.freedesktop.DBus',
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  };
  await service.call(ping);
  await client.call(ping);
}

test.after(async () => {
  await Promise.all([client.close(), service.close()]);
  await daemon.stop();
});

test('properties are read, written, and read all together', async () => {
  await proxy.set.Level(7);
  assert.is(lamp.Level, 7);
  assert.is(await proxy.get.Level(), 7);
  assert.is(await proxy.get.Model(), 'E27');
  assert.equal(await proxy.getAll(), { Level: 7, Model: 'E27', Watts: 40, Silent: 'quiet' });
});

test('access is checked before a getter or setter runs', async () => {
  const runs = lamp.setterRuns;
  assert.instance(
    await rejection(at('Set', 'ssv', ['org.example.Lamp', 'Model', new Variant('s', 'E14')])),
    PropertyReadOnlyError,
  );
  const unreadable = await rejection(at('Get', 'ss', ['org.example.Lamp', 'Secret']));
  assert.instance(unreadable, InvalidArgumentError);
  assert.match(unreadable.message, 'write-only');
  assert.is(lamp.setterRuns, runs);
});

test('a value of another type is refused before the setter runs', async () => {
  const runs = lamp.setterRuns;
  const error = await rejection(at('Set', 'ssv', ['org.example.Lamp', 'Watts', new Variant('s', 'many')]));
  assert.instance(error, InvalidArgumentError);
  assert.is(lamp.setterRuns, runs);
});

test('unknown properties, interfaces and objects have their own errors', async () => {
  assert.instance(await rejection(at('Get', 'ss', ['org.example.Lamp', 'Levle'])), UnknownPropertyError);
  assert.match((await rejection(at('Get', 'ss', ['org.example.Lamp', 'Levle']))).message, 'did you mean Level?');
  assert.instance(await rejection(at('Get', 'ss', ['org.example.Other', 'Level'])), UnknownInterfaceError);
  assert.instance(await rejection(at('GetAll', 's', ['org.example.Other'])), UnknownInterfaceError);
  assert.instance(await rejection(at('GetAll', 's', ['org.example.Lamp'], '/nowhere')), UnknownObjectError);
});

test('an empty interface name means the interface that has the property', async () => {
  assert.equal(await at('Get', 'ss', ['', 'Model']), ['E27']);
  const [all] = (await at('GetAll', 's', [''])) as [Record<string, unknown>];
  assert.is(all.Model, 'E27');
});

test('the standard interfaces have no properties, and the error says so', async () => {
  assert.equal(await at('GetAll', 's', ['org.freedesktop.DBus.Peer']), [{}]);
});

test('changes made together are sent as one PropertiesChanged with the last values', async () => {
  const changes: unknown[] = [];
  using _changes = proxy.onChange((changed, invalidated) => changes.push([changed, [...invalidated]]));
  await settled();
  lamp.Level = 1;
  lamp.Level = 2;
  lamp.Watts = 60;
  lamp.Silent = 'still';
  await settled();
  assert.equal(changes, [[{ Level: 2 }, ['Watts']]]);
});

test('the signal of a change has what `emits` says', async () => {
  const Telling = defineInterface('org.example.Telling', {
    properties: {
      Value: { type: 'u' },
      Name: { type: 'u', emits: 'invalidates' },
      Constant: { type: 'u', access: 'read', emits: 'const' },
      Silent: { type: 'u', emits: false },
    },
  });
  const telling = implement(Telling, { Value: 0, Name: 0, Constant: 0, Silent: 0 });
  using _export = service.export('/telling', telling);
  const changes: unknown[] = [];
  const remote = client.proxy(Telling, 'org.example.Lamp', '/telling');
  using _changes = remote.onChange((changed, invalidated) => changes.push([changed, [...invalidated]]));
  await settled();
  for (const name of ['Value', 'Name', 'Constant', 'Silent'] as const) telling.properties[name] = 1;
  await settled();
  assert.equal(changes, [[{ Value: 1 }, ['Name']]]);
  assert.equal(await remote.getAll(), { Value: 1, Name: 1, Constant: 1, Silent: 1 });
});

test('a property set from outside is announced once', async () => {
  const changes: unknown[] = [];
  using _changes = proxy.onChange((changed) => changes.push(changed));
  await settled();
  await proxy.set.Level(33);
  await settled();
  assert.equal(changes, [{ Level: 33 }]);
});

test('a method that changes a property answers, and the change is announced', async () => {
  const changes: unknown[] = [];
  using _changes = proxy.onChange((changed) => changes.push(changed));
  await settled();
  assert.is(await proxy.call.Dim(20), true);
  await settled();
  assert.equal(changes, [{ Level: 20 }]);
});

test('changes of one path are not received at another', async () => {
  const other = new Lamp();
  using _other = service.export('/other', other);
  const changes: unknown[] = [];
  using _changes = proxy.onChange((changed) => changes.push(changed));
  await settled();
  other.Level = 5;
  await settled();
  assert.equal(changes, []);
});

test('one instance exported at two paths announces at both, and only while exported', async () => {
  const shared = new Lamp();
  const first = service.export('/first', shared);
  using _second = service.export('/second', shared);
  const heard: unknown[] = [];
  using _signals = client.subscribe({ interface: 'org.example.Lamp', member: 'Broken' }, (message) =>
    heard.push(message.path),
  );
  await settled();
  shared.Broken('fell');
  first.end();
  first.end();
  shared.Broken('again');
  await settled();
  assert.equal(heard, ['/first', '/second', '/second']);
  assert.instance(await rejection(at('GetAll', 's', ['org.example.Lamp'], '/first')), UnknownObjectError);
});

test('asynchronous getters and setters are awaited, and a failing property is left out of GetAll', async () => {
  const Slow = defineInterface('org.example.Slow', {
    properties: {
      Later: { type: 's', access: 'readwrite' },
      Bad: { type: 's', access: 'read' },
      Wrong: { type: 'u', access: 'read' },
    },
  });
  let stored = 'first';
  const slow = implement(Slow, {
    Later: {
      get: async () => stored,
      set: async (value) => {
        stored = value;
      },
    },
    Bad: {
      get: () => {
        throw new Error('cannot tell');
      },
    },
    Wrong: { get: () => 'not a number' as never },
  });
  using _slow = service.export('/slow', slow);
  const target = client.proxy(Slow, 'org.example.Lamp', '/slow');
  process.once('warning', () => {});
  assert.is(await target.get.Later(), 'first');
  await target.set.Later('second');
  assert.is(stored, 'second');
  assert.equal(await target.getAll(), { Later: 'second' });
  assert.match((await rejection(target.get.Bad())).message, 'cannot tell');
});

test('a class may have a slow getter that fails, beside a setter', async () => {
  class Failing extends ServiceInterface {
    constructor() {
      super('org.example.Failing');
    }
    @property({ type: 'u', access: 'readwrite' })
    get Level() {
      return Promise.reject(new Error('cannot tell')) as never;
    }
    set Level(_value: number) {
      setterRuns++;
    }
  }
  let setterRuns = 0;
  process.once('warning', () => {});
  using _failing = service.export('/failing', new Failing());
  await client.proxy(Failing, 'org.example.Lamp', '/failing').set.Level(5);
  await settled();
  assert.is(setterRuns, 1);
});

test('a value that does not match the type of its property is an error for the caller of Get', async () => {
  const Odd = defineInterface('org.example.Odd', { properties: { Wrong: { type: 'u', access: 'read' } } });
  using _odd = service.export('/odd', implement(Odd, { Wrong: { get: () => 'not a number' as never } }));
  assert.match((await rejection(client.proxy(Odd, 'org.example.Lamp', '/odd').get.Wrong())).message, 'does not match');
});

test('introspection describes the object, the standard interfaces and every ancestor', async () => {
  const root = await client.object('org.example.Lamp', '/');
  assert.ok(root.children.includes('/org'));
  const object = await client.object('org.example.Lamp', path);
  assert.equal(object.interfaces.slice(0, 1), ['org.example.Lamp']);
  for (const standard of ['Introspectable', 'Peer', 'Properties']) {
    assert.ok(object.interfaces.includes(`org.freedesktop.DBus.${standard}`));
  }
  const properties = object.node.interfaces.get('org.example.Lamp')?.properties;
  assert.is(properties?.get('Watts')?.emits, 'invalidates');
  assert.is(properties?.get('Silent')?.emits, false);
  assert.is(properties?.get('Model')?.access, 'read');
  assert.is(await object.interface('org.example.Lamp').get.Model(), 'E27');
});

test('a path above objects has the standard interfaces, and no properties', async () => {
  const above = await client.object('org.example.Lamp', '/org');
  const standard = ['Introspectable', 'Peer', 'Properties'].map((name) => `org.freedesktop.DBus.${name}`);
  assert.equal([...above.interfaces].sort(), standard);
  const ask = (member: string, signature: string, body: unknown[]) =>
    client.call({
      destination: 'org.example.Lamp',
      path: '/org',
      interface: standard[2] as string,
      member,
      signature,
      body,
    });
  assert.equal(await ask('GetAll', 's', ['']), [{}]);
  assert.equal(await ask('GetAll', 's', [standard[1]]), [{}]);
  assert.instance(await rejection(ask('GetAll', 's', ['org.example.Lamp'])), UnknownInterfaceError);
  assert.instance(await rejection(ask('Get', 'ss', ['org.example.Lamp', 'Level'])), UnknownInterfaceError);
  assert.instance(await rejection(ask('Get', 'ss', ['', 'Level'])), UnknownPropertyError);
  const set = ask('Set', 'ssv', ['org.example.Lamp', 'Level', new Variant('u', 1)]);
  assert.instance(await rejection(set), UnknownInterfaceError);
});

test('introspection lists each child once, however deep the exported objects are', async () => {
  using _a = service.export('/deep/a/one', new Lamp());
  using _b = service.export('/deep/a/two', new Lamp());
  const [xml] = await client.call({
    destination: 'org.example.Lamp',
    path: '/deep',
    interface: 'org.freedesktop.DBus.Introspectable',
    member: 'Introspect',
  });
  assert.equal([...parseIntrospection(xml as string).children.keys()], ['a']);
});

test('an object that is no longer exported is removed from the tree', async () => {
  service.export('/gone/for/good', new Lamp()).end();
  assert.instance(await rejection(client.object('org.example.Lamp', '/gone')), UnknownObjectError);
});

test('Peer answers at every path', async () => {
  const peer = { destination: 'org.example.Lamp', path: '/not/exported', interface: 'org.freedesktop.DBus.Peer' };
  assert.equal(await client.call({ ...peer, member: 'Ping' }), []);
  const [id] = await client.call({ ...peer, member: 'GetMachineId' });
  assert.match(id as string, /^[0-9a-f]{32}$/);
});

test('an ObjectManager returns everything strictly below it', async () => {
  using _manager = service.exportObjectManager('/managed');
  using _one = service.export('/managed/one', new Lamp());
  using _two = service.export('/managed/one/two', new Lamp());
  using _beside = service.export('/managedbeside', new Lamp());
  const [objects] = (await client.call({
    destination: 'org.example.Lamp',
    path: '/managed',
    interface: 'org.freedesktop.DBus.ObjectManager',
    member: 'GetManagedObjects',
  })) as [Record<string, Record<string, Record<string, unknown>>>];
  assert.equal(Object.keys(objects), ['/managed/one', '/managed/one/two']);
  assert.equal(objects['/managed/one']?.['org.example.Lamp'], { Level: 0, Model: 'E27', Watts: 40, Silent: 'quiet' });
});

test('an ObjectManager announces interfaces that are added and removed below it, in order', async () => {
  using _manager = service.exportObjectManager('/come');
  const heard: unknown[] = [];
  using _signals = client.subscribe({ interface: 'org.freedesktop.DBus.ObjectManager', path: '/come' }, (message) =>
    heard.push([message.member, message.body[0], message.body[1]]),
  );
  await settled();
  service.export('/come/and/go', new Lamp()).end();
  await settled();
  assert.equal(heard, [
    ['InterfacesAdded', '/come/and/go', { 'org.example.Lamp': { Level: 0, Model: 'E27', Watts: 40, Silent: 'quiet' } }],
    ['InterfacesRemoved', '/come/and/go', ['org.example.Lamp']],
  ]);
});

test('several interfaces live on one path, but not two of one name', () => {
  const Extra = defineInterface('org.example.Extra', {});
  using _extra = service.export(path, implement(Extra, {}));
  assert.instance(
    thrown(() => service.export(path, new Lamp())),
    InvalidArgumentError,
  );
  assert.instance(
    thrown(() => service.export('not a path', new Lamp())),
    InvalidArgumentError,
  );
});

test('a handler knows its caller and its path', async () => {
  const Who = defineInterface('org.example.Who', { methods: { AmI: { out: ['sender:s', 'path:s', 'uid:u'] } } });
  using _who = service.export(
    '/who',
    implement(Who, {
      AmI: async (context) => [
        context.sender as string,
        context.path,
        (await context.caller.credentials()).uid as number,
      ],
    }),
  );
  const answer = await client.proxy(Who, 'org.example.Lamp', '/who').call.AmI();
  assert.equal([...answer], [client.uniqueName, '/who', process.getuid?.()]);
});

test('a handler can read its arguments with the types of their variants', async () => {
  const Keep = defineInterface('org.example.Keep', { methods: { Type: { in: 'v', out: 's' } } });
  using _keep = service.export(
    '/keep',
    implement(Keep, { Type: (_value, context) => (context.decode({ variants: 'wrap' })[0] as Variant).signature }),
  );
  assert.is(await client.proxy(Keep, 'org.example.Lamp', '/keep').call.Type(new Variant('q', 5)), 'q');
});

test('the signal of a call fires when the caller leaves the bus', async () => {
  const Long = defineInterface('org.example.Long', { methods: { Work: {} } });
  let left: (() => void) | undefined;
  let begun: (() => void) | undefined;
  const leaving = new Promise<void>((resolve) => {
    left = resolve;
  });
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  using _long = service.export(
    '/long',
    implement(Long, {
      Work: (context) =>
        new Promise((resolve) => {
          begun?.();
          context.signal.addEventListener('abort', () => {
            left?.();
            resolve();
          });
        }),
    }),
  );
  const rules = service.stats().matchRules;
  const visitor = await connect({ address: daemon.address });
  const call = rejection(visitor.proxy(Long, 'org.example.Lamp', '/long').call.Work());
  await beginning;
  await visitor.close();
  await call;
  await leaving;
  await settled();
  assert.is(service.stats().matchRules, rules);
});

testUnless(noEavesdropping, test, 'an overheard call is not answered', async () => {
  // A rule that eavesdrops brings calls to other connections; an answer to one would settle a call of another service.
  await service.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'AddMatch',
    signature: 's',
    body: ["type='method_call',eavesdrop='true',path='/overheard'"],
  });
  await using other = await connect({ address: daemon.address });
  const Deaf = defineInterface('org.example.Deaf', { methods: { Hear: { out: 's' } } });
  using _deaf = other.export(
    '/overheard',
    implement(Deaf, { Hear: () => new Promise((resolve) => setTimeout(() => resolve('me'), 30)) }),
  );
  const overheard: (string | undefined)[] = [];
  using _overheard = service.addMessageHandler(({ member, path }) => {
    if (path === '/overheard') overheard.push(member);
    return false;
  });
  // An answer of the service would come from the wrong sender, and be counted.
  const before = client.stats().unexpectedReplies;
  assert.is(await client.proxy(Deaf, other.uniqueName as string, '/overheard').call.Hear(), 'me');
  await settled();
  assert.equal(overheard, ['Hear']);
  assert.is(client.stats().unexpectedReplies, before);
});

test('a name requested before anything is exported causes one warning', async () => {
  const warnings: string[] = [];
  const note = (warning: Error & { code?: string }) => warnings.push(warning.code ?? '');
  process.on('warning', note);
  const over = await connect({ address: daemon.address });
  await over.close();
  assert.instance(await rejection(over.requestName('org.example.Over')), ConnectionClosedError);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(warnings, [], 'no export could help');
  await using early = await connect({ address: daemon.address });
  await early.requestName('org.example.Early');
  await early.requestName('org.example.Earlier');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  assert.equal(warnings, ['BUSBAR_NAME_BEFORE_EXPORT']);
});

test.run();
