// Permissions that need no polkit: by user, group and function. They are checked before the handler, which then gets its
// arguments as always.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  type CallContext,
  connect,
  DBusError,
  defineInterface,
  FileDescriptor,
  implement,
  type MessageBus,
  method,
  type Permission,
  pair,
  property,
  ServiceInterface,
  variant,
} from '../../src/index.js';
import { connectAs, notRoot } from '../helpers/as-user.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { problemsOf } from '../helpers/problems.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('permissions');
const UID = 65_534;
const policy =
  '<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>';
const daemon = await PrivateBus.start({ type: 'system', policy });
const service = await connect({ address: daemon.address });
const client = await connect({ address: daemon.address });
const destination = service.uniqueName as string;

test.after(async () => {
  await Promise.all([client.close(), service.close()]);
  await daemon.stop();
});

const One = defineInterface('org.example.One', { methods: { Do: { in: 's', out: 's' } } });
let paths = 0;

/** Calls a method with a permission. Returns its result, or the error. */
async function outcome(allow: Permission<[string]>, caller: MessageBus = client): Promise<unknown> {
  const path = `/one/${++paths}`;
  using _export = service.export(path, implement(One, { Do: (text) => text }, { members: { Do: { allow } } }));
  return await caller
    .proxy(One, destination, path)
    .call.Do('done')
    .catch((error) => error);
}

function isDenied(error: unknown, text: string): void {
  assert.instance(error, AccessDeniedError);
  assert.match((error as Error).message, text);
}

const uid = process.getuid?.() as number;

test('a user id permits its user, and no other', async () => {
  assert.is(await outcome({ uid }), 'done');
  assert.is(await outcome({ uid: [uid + 1, uid] }), 'done');
  isDenied(await outcome({ uid: uid + 1 }), `org.example.One.Do requires the uid ${uid + 1}`);
});

testUnless(notRoot, test, 'the user is that of the connection', async () => {
  await using nobody = await connectAs(daemon.address, UID);
  assert.is(await outcome({ uid: UID }, nobody), 'done');
  assert.is(await outcome({ user: 'nobody' }, nobody), 'done');
  isDenied(await outcome({ uid: 0 }, nobody), 'requires the uid 0');
  isDenied(await outcome({ user: ['root', 'nosuchuser'] }, nobody), 'requires the user root or nosuchuser');
});

testUnless(notRoot, test, 'a group permits its members, by primary or supplementary group', async () => {
  await using primary = await connectAs(daemon.address, UID, [], 65_534);
  assert.is(await outcome({ group: 65_534 }, primary), 'done');
  assert.is(await outcome({ group: ['nosuchgroup', 'nogroup'] }, primary), 'done');
  isDenied(await outcome({ group: 'root' }, primary), 'requires membership in the group root');
  isDenied(await outcome({ group: 'nosuchgroup' }, primary), 'nosuchgroup');
  await using supplementary = await connectAs(daemon.address, UID, [27, 1], UID);
  assert.is(await outcome({ group: 'sudo' }, supplementary), 'done');
  assert.is(await outcome({ group: 1 }, supplementary), 'done');
  isDenied(await outcome({ group: [0, 2] }, supplementary), 'membership in the group 0 or 2');
});

test('a function gets the call and the arguments, and only true permits', async () => {
  const seen: unknown[] = [];
  const permits = (answer: unknown) => (call: CallContext, text: string) => {
    seen.push([call.member, text]);
    return answer as boolean;
  };
  assert.is(await outcome(permits(true)), 'done');
  assert.is(await outcome(permits(Promise.resolve(true))), 'done');
  isDenied(await outcome(permits(false)), 'org.example.One.Do requires the permission of the service');
  isDenied(await outcome(permits(Promise.resolve(false))), 'the permission of the service');
  for (const answer of [undefined, 1, 'yes', {}, Promise.resolve('yes')]) {
    const problems = await problemsOf(async () => isDenied(await outcome(permits(answer)), 'permission'));
    assert.match(String(problems[0]?.error), 'must return true or false');
  }
  assert.equal(seen[0], ['Do', 'done']);
});

test('an error that a function throws is the answer', async () => {
  const busy = await outcome(() => {
    throw new DBusError('org.example.Busy', 'later');
  });
  assert.is((busy as DBusError).dbusName, 'org.example.Busy');
  const problems = await problemsOf(async () => {
    const failed = await outcome(async () => {
      throw new TypeError('a mistake');
    });
    assert.is((failed as DBusError).dbusName, 'org.freedesktop.DBus.Error.Failed');
  });
  assert.is(problems.length, 1);
});

test('of a list, any suffices', async () => {
  assert.is(await outcome([{ uid: uid + 1 }, { uid }]), 'done');
  assert.is(await outcome([() => false, [{ uid: uid + 1 }, () => true]]), 'done');
  isDenied(await outcome([{ uid: uid + 1 }, () => false]), `the permission of the service, or the uid ${uid + 1}`);
  assert.is(
    await outcome([
      () => {
        throw new AccessDeniedError('not you');
      },
      { uid },
    ]),
    'done',
  );
});

test('without polkit on the bus, its permission is refused, and the reason is reported', async () => {
  const problems = await problemsOf(async () => {
    isDenied(await outcome({ polkit: 'org.example.set' }), 'polkit did not decide');
  });
  assert.is(problems.length, 1);
  assert.match(problems[0]?.message ?? '', 'polkit did not decide about org.example.set');
  assert.is(await outcome([{ polkit: 'org.example.set' }, { uid }]), 'done');
});

const Values = defineInterface('org.example.Values', {
  methods: { Keep: { in: ['bytes:ay', 'any:v', 'file:h'], out: 's' } },
  properties: { Level: { type: 'u' }, Slow: { type: 's' }, Any: { type: 'v' } },
});

test('the handler gets its arguments after a check that takes time, and may decode them in another way', async () => {
  const before = openFds();
  const seen: unknown[] = [];
  const object = implement(
    Values,
    {
      Keep: async (bytes, any, file, call) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(
          bytes.toString(),
          any,
          !file.closed,
          call.decode({ variants: 'wrap' })[1],
          call.fileDescriptors.length,
        );
        return 'kept';
      },
      Level: 1,
      Slow: { get: async () => 'slow', set: async () => {} },
      Any: 'x',
    },
    { allow: { uid } },
  );
  using _export = service.export('/values', object);
  const proxy = client.proxy(Values, destination, '/values');
  const send = () =>
    proxy.call.Keep(Buffer.from('bytes'), variant.u(5), FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver());
  const calls = Array.from({ length: 3 }, send);
  assert.equal(await Promise.all(calls), ['kept', 'kept', 'kept']);
  assert.equal(seen.slice(0, 5), ['bytes', 5, true, variant.u(5), 1]);
  await proxy.set.Any(variant.q(7));
  assert.equal(await proxy.with({ variants: 'wrap' }).get.Any(), variant.q(7));
  assert.is(await proxy.get.Slow(), 'slow');
  assert.equal(await proxy.getAll(), { Level: 1, Slow: 'slow', Any: 7 });
  await assertNoFdsLeft(before);
});

test('the function of a property gets the value as its setter does', async () => {
  const Tables = defineInterface('org.example.Tables', {
    properties: { Any: { type: 'v' }, Table: { type: 'a{sv}' }, Wrapped: { type: 'v', variants: 'wrap' } },
  });
  const asked: unknown[] = [];
  const set: unknown[] = [];
  const write = (_call: CallContext, value: unknown) => asked.push(value) > 0;
  const setter = { get: () => ({}), set: (value: unknown) => void set.push(value) };
  const members = { Any: setter, Table: setter, Wrapped: { ...setter, get: () => variant.u(1) } };
  const allow = { write };
  const object = implement(Tables, members, {
    members: { Any: { allow }, Table: { allow }, Wrapped: { allow } },
  });
  using _export = service.export('/tables', object);
  const proxy = client.proxy(Tables, destination, '/tables');
  await proxy.set.Any(variant.q(7));
  await proxy.set.Table({ level: variant.u(5) });
  await proxy.set.Wrapped(variant.q(8));
  assert.equal(asked, [7, { level: 5 }, variant.q(8)]);
  assert.equal(set, asked);
});

test('a name of digits is no id', async () => {
  isDenied(await outcome({ user: `${uid}` }), `requires the user ${uid}`);
  isDenied(await outcome({ group: `${process.getgid?.()}` }), 'membership in the group');
});

test('an object that is exported while an answer waits for a getter keeps its secrets', async () => {
  const Box = defineInterface('org.example.Box', { properties: { Secret: { type: 's' }, Slow: { type: 's' } } });
  const Empty = defineInterface('org.example.Empty', {});
  for (const member of ['GetManagedObjects', 'GetAll']) {
    let end = () => {};
    const wait = new Promise<void>((resolve) => {
      end = resolve;
    });
    let isAsked = false;
    const get = async () => {
      isAsked = true;
      await wait;
      return 'slow';
    };
    using _manager = service.exportObjectManager('/boxes');
    using _one = service.export('/boxes/one', implement(Box, { Secret: 'open', Slow: { get, set() {} } }));
    const isAll = member === 'GetAll';
    const answer = client.call({
      destination,
      path: isAll ? '/boxes/one' : '/boxes',
      interface: `org.freedesktop.DBus.${isAll ? 'Properties' : 'ObjectManager'}`,
      member,
      signature: isAll ? 's' : '',
      body: isAll ? [''] : [],
    });
    await until(() => isAsked);
    using _empty = service.export('/boxes/empty', implement(Empty, {}));
    const secret = implement(
      defineInterface('org.example.Other', { properties: { Hidden: { type: 's' }, Free: { type: 's' } } }),
      { Hidden: 'secret', Free: 'free' },
      { members: { Hidden: { allow: { read: () => false } } } },
    );
    using _two = service.export(isAll ? '/boxes/one' : '/boxes/two', secret);
    end();
    const [answered] = await answer;
    assert.not.match(JSON.stringify(answered), 'Hidden');
    if (!isAll)
      assert.equal((answered as Record<string, unknown>)['/boxes/two'], { 'org.example.Other': { Free: 'free' } });
  }
});

class Lamp extends ServiceInterface {
  static override readonly interfaceName = 'org.example.Lamp';
  constructor(allow?: Permission) {
    super({ name: Lamp.interfaceName, allow });
  }

  @property({ type: 'u', allow: { write: (_call, value) => value < 100 } })
  accessor Level = 1;

  @property({ type: 's', allow: { read: { uid: uid + 1 } } })
  accessor Secret = 'secret';

  @property({ type: 's' })
  accessor Name = 'lamp';

  @method({ in: ['to:u'], allow: (_call, to) => to < 10 })
  Dim(to: number): void {
    this.Level = to;
  }

  @method({ out: 's' })
  Hello(): string {
    return this.Name;
  }
}

test('permissions of properties', async () => {
  using _manager = service.exportObjectManager('/house');
  const added: unknown[] = [];
  const rule = { sender: destination, member: 'InterfacesAdded' };
  await client.subscribe(rule, ({ body }) => void added.push(body[1])).ready;
  using _export = service.export('/house/lamp', new Lamp());
  const lamp = client.proxy(Lamp, destination, '/house/lamp');
  await lamp.set.Level(50);
  isDenied(
    await rejection(lamp.set.Level(100)),
    'setting org.example.Lamp.Level requires the permission of the service',
  );
  assert.is(await lamp.get.Level(), 50);
  isDenied(await rejection(lamp.get.Secret()), `reading org.example.Lamp.Secret requires the uid ${uid + 1}`);
  assert.equal(await lamp.getAll(), { Level: 50, Name: 'lamp' });
  assert.equal(
    added,
    [{ 'org.example.Lamp': { Level: 50, Name: 'lamp' } }].map((each) => ({
      ...each,
      'org.example.Lamp': { Level: 1, Name: 'lamp' },
    })),
  );
  isDenied(await rejection(lamp.call.Dim(10)), 'org.example.Lamp.Dim requires');
  await lamp.call.Dim(5);
  assert.is(await lamp.get.Level(), 5);
});

test('a permission of the interface is for the members without one', async () => {
  using _export = service.export('/all', new Lamp({ uid: uid + 1 }));
  const lamp = client.proxy(Lamp, destination, '/all');
  isDenied(await rejection(lamp.call.Hello()), 'org.example.Lamp.Hello requires the uid');
  isDenied(await rejection(lamp.set.Name('x')), 'setting org.example.Lamp.Name requires');
  isDenied(await rejection(lamp.get.Name()), 'reading org.example.Lamp.Name requires');
  await lamp.call.Dim(5);
  await lamp.set.Level(7);
  assert.equal(await lamp.getAll(), {});
});

test('the bus is asked once for the credentials of a call, however many objects have permissions', async () => {
  using _manager = service.exportObjectManager('/many');
  const allow = [{ uid: uid + 1 }, { uid }];
  const objects = Array.from({ length: 50 }, (_, index) => service.export(`/many/n${index}`, new Lamp(allow)));
  // The announcements of the objects are sent before.
  await client.call({ destination, path: '/many', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  const { messagesSent } = service.stats();
  const manager = { path: '/many', interface: 'org.freedesktop.DBus.ObjectManager' };
  const [found] = (await client.call({ destination, ...manager, member: 'GetManagedObjects' })) as [
    Record<string, Record<string, object>>,
  ];
  assert.is(Object.keys(found).length, 50);
  assert.equal(found['/many/n7']?.['org.example.Lamp'], { Level: 1, Name: 'lamp' });
  assert.is(service.stats().messagesSent - messagesSent, 2);
  for (const each of objects) each.end();
});

test('an override keeps the permission, unless it is decorated anew', async () => {
  class Kept extends Lamp {
    override Dim(to: number): void {
      this.Level = to + 1;
    }
  }
  class Anew extends Lamp {
    @method({ in: ['to:u'] })
    override Dim(to: number): void {
      this.Level = to + 1;
    }
  }
  using _kept = service.export('/kept', new Kept());
  using _anew = service.export('/anew', new Anew());
  isDenied(await rejection(client.proxy(Kept, destination, '/kept').call.Dim(10)), 'Dim requires');
  await client.proxy(Kept, destination, '/kept').call.Dim(9);
  await client.proxy(Anew, destination, '/anew').call.Dim(10);
});

test("a client can use a class whose permissions are made of its constructor's arguments", () => {
  class Base extends ServiceInterface {
    static override readonly interfaceName: string = 'org.example.Base';
    constructor(read: Permission<[]>) {
      super({ name: Base.interfaceName, allow: { read: [read, { uid: 0 }] } });
    }

    @property({ type: 's' })
    accessor Name = '';
  }
  class Derived extends Base {}
  assert.ok('Name' in client.proxy(Derived, destination, '/base').get);
});

test('between peers the socket tells the user', async () => {
  const [one, other] = await pair();
  await using _one = one;
  await using _other = other;
  const path = '/peer';
  one.export(path, implement(One, { Do: (text) => text }, { members: { Do: { allow: { uid } } } }));
  assert.is(await other.proxy(One, path).call.Do('x'), 'x');
  one.export('/polkit', implement(One, { Do: (text) => text }, { allow: { polkit: 'a.b' } }));
  const problems = await problemsOf(async () => {
    isDenied(await rejection(other.proxy(One, '/polkit').call.Do('x')), 'polkit knows only callers on a bus');
  });
  assert.is(problems.length, 1);
});

test('a call without an interface is checked, too', async () => {
  using _export = service.export('/bare', implement(One, { Do: (text) => text }, { allow: { uid: uid + 1 } }));
  const call = { destination, path: '/bare', member: 'Do', signature: 's', body: ['x'] };
  isDenied(await rejection(client.call(call)), 'org.example.One.Do requires');
  const properties = { destination, path: '/lamp', interface: 'org.freedesktop.DBus.Properties' };
  using _lamp = service.export('/lamp', new Lamp());
  const set = { ...properties, member: 'Set', signature: 'ssv', body: ['', 'Level', variant.u(100)] };
  isDenied(await rejection(client.call(set)), 'setting');
  const get = { ...properties, member: 'Get', signature: 'ss', body: ['', 'Secret'] };
  isDenied(await rejection(client.call(get)), 'reading');
});

test('misfits are refused before the permission is checked, and large values are not decoded for refused callers', async () => {
  let checks = 0;
  const deny = () => {
    checks++;
    return false;
  };
  using _export = service.export('/misfit', implement(One, { Do: (text) => text }, { allow: deny }));
  const call = { destination, path: '/misfit', interface: 'org.example.One', member: 'Do' };
  const wrong = (await rejection(client.call({ ...call, signature: 'u', body: [5] }))) as DBusError;
  assert.is(wrong.dbusName, 'org.freedesktop.DBus.Error.InvalidArgs');
  assert.is(checks, 0);
  isDenied(await rejection(client.call({ ...call, signature: 's', body: ['x'] })), 'requires');
  assert.is(checks, 1);
});

test.run();
