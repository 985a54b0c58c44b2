// Results, properties and signals of another type than described: the caller gets a general error, and the author of the
// service the details.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DBusError,
  defineInterface,
  type Emits,
  implement,
  method,
  type Problem,
  property,
  ServiceInterface,
  signal,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

interface Warning extends Error {
  readonly code?: string;
  readonly detail?: string;
}

const { client, service, stop } = await startClientAndService();
const test = suite('service misfits');

const Wrong = defineInterface('org.example.Wrong', {
  methods: { One: { out: 'a{sas}' }, Two: { out: ['s', 'u'] }, Emit: {}, Raise: {} },
  signals: { Told: { args: ['s', 'u'] } },
  properties: { Level: { type: 'a{su}', access: 'read' }, Fine: { type: 's', access: 'read' } },
});

let level: unknown = {};
let two: unknown;
let emit = (): void => {};
const wrong = implement(Wrong, {
  One: async () => ({ disks: ['a', 5] }) as never,
  Two: () => two as never,
  Emit: () => emit(),
  Raise() {
    throw new DBusError('org.example.Error.Busy', 'later', { signature: 'su', body: ['later', 'soon'] });
  },
  Level: { get: () => level as never },
  Fine: { get: () => 'fine' },
});
emit = () => wrong.emit.Told('x', 'y' as never);
service.export('/org/example/wrong', wrong);
const proxy = client.proxy(Wrong, service.uniqueName as string, '/org/example/wrong');

test.after(stop);

/** The problems that the author gets for an action of a caller, and the error that the caller gets. */
async function told(call: () => Promise<unknown>): Promise<{ warning: Warning; result: unknown }> {
  const warned = once(process, 'warning');
  const result = await call().catch((error: unknown) => error);
  const [warning] = await warned;
  return { warning, result };
}

test('a result of another type is reported with its method, its object and the place in the value', async () => {
  const { warning, result } = await told(() => proxy.call.One());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.is(warning.detail, undefined);
  assert.is(
    warning.message,
    'the result of org.example.Wrong.One at /org/example/wrong does not match its signature "a{sas}": ' +
      'result.disks[1]: expected s, got 5',
  );
  assert.match((result as DBusError).message, 'the result of One does not match its signature');
});

test('so is a result with another number of values, and a result of several values', async () => {
  two = 'one';
  const { warning } = await told(() => proxy.call.Two());
  assert.is(
    warning.message,
    'the result of org.example.Wrong.Two at /org/example/wrong does not match its signature "su": ' +
      'result: expected an array of 2 values, got string',
  );
  two = ['one', 2, 3];
  assert.match(
    (await told(() => proxy.call.Two())).warning.message,
    /: result: expected an array of 2 values, got array of 3$/,
  );
  two = ['one', -2];
  assert.match((await told(() => proxy.call.Two())).warning.message, /: result\[1\]: expected u .*, got -2$/);
});

test('a property of another type is reported under its own name, also to the reader', async () => {
  level = { disks: -1 };
  const { warning, result } = await told(() => proxy.get.Level());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.is(
    warning.message,
    'the property org.example.Wrong.Level at /org/example/wrong does not match its signature "a{su}": ' +
      'property Level.disks: expected u (0 to 4294967295), got -1',
  );
  assert.match((result as DBusError).message, 'the property org.example.Wrong.Level does not match its signature');
});

test('if all properties are read, one of another type is left out and reported by its name', async () => {
  level = Promise.resolve({ disks: -1 });
  const { warning, result } = await told(() => proxy.getAll());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.match(warning.message, 'the property org.example.Wrong.Level at /org/example/wrong does not match');
  assert.match(warning.message, 'property Level.disks: expected u (0 to 4294967295), got -1');
  assert.equal(result, { Fine: 'fine' });
});

test('the report of a property has one form, whatever reads it, and no stack, which would be that of busbar', async () => {
  const problems: Problem[] = [];
  const note = (message: unknown) => problems.push(message as Problem);
  subscribe('busbar:problem', note);
  const reads = [() => proxy.get.Level(), () => proxy.getAll(), async () => wrong.emitPropertiesChanged(['Level'])];
  for (const value of [{ disks: -1 }, Promise.resolve({ disks: -1 })]) {
    level = value;
    for (const read of reads) {
      problems.length = 0;
      await read().catch(() => {});
      await until(() => problems.length > 0);
      const { message, error } = problems[0] as Problem;
      assert.is(
        message,
        'the property org.example.Wrong.Level at /org/example/wrong does not match its signature "a{su}"',
      );
      assert.is(
        (error as Error).stack,
        'InvalidArgumentError: property Level.disks: expected u (0 to 4294967295), got -1',
      );
    }
  }
  await rejection(proxy.call.One());
  unsubscribe('busbar:problem', note);
  const { error } = problems.at(-1) as Problem;
  assert.is((error as Error).stack, 'InvalidArgumentError: result.disks[1]: expected s, got 5');
});

test('a property that is left out of an answer is reported once, however slow other getters are, and again for the next answer', async () => {
  const Mixed = defineInterface('org.example.Mixed', {
    properties: {
      Bad: { type: 'u', access: 'read' },
      Throws: { type: 'u', access: 'read' },
      SlowBad: { type: 'u', access: 'read' },
      Slow: { type: 'u', access: 'read' },
    },
  });
  const later = (value: number) => new Promise<number>((resolve) => setImmediate(resolve, value));
  const mixed = implement(Mixed, {
    Bad: { get: () => -1 },
    Throws: {
      get() {
        throw new Error('broken');
      },
    },
    SlowBad: { get: () => later(-2) },
    Slow: { get: () => later(5) },
  });
  const [one, other] = [service.export('/mixed/one', mixed), service.export('/mixed/other', mixed)];
  using _manager = service.exportObjectManager('/mixed');
  const name = service.uniqueName as string;
  const manager = { path: '/mixed', interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' };
  const reads = {
    GetAll: () => client.proxy(Mixed, name, '/mixed/one').getAll(),
    // The object is in this answer twice.
    GetManagedObjects: () => client.call({ destination: name, ...manager }),
  };
  const problems: string[] = [];
  const note = (message: unknown) => problems.push(`${((message as Problem).error as Error).message}`);
  const expected = [
    'broken',
    'property Bad: expected u (0 to 4294967295), got -1',
    'property SlowBad: expected u (0 to 4294967295), got -2',
  ];
  subscribe('busbar:problem', note);
  try {
    for (const [what, read] of Object.entries(reads)) {
      for (const time of ['first', 'second']) {
        problems.length = 0;
        const answer = JSON.stringify(await read());
        assert.match(answer, '"Slow":5');
        assert.not.match(answer, 'Bad');
        assert.equal(problems.sort(), expected, `${what}, ${time} time`);
      }
    }
  } finally {
    unsubscribe('busbar:problem', note);
    one.end();
    other.end();
  }
});

test('setting a property to a value of another type has the same error', async () => {
  const writable = client.proxy(
    defineInterface('org.example.Wrong', { properties: { Level: { type: 'a{su}' } } }),
    service.uniqueName,
    '/org/example/wrong',
  );
  const error = (await rejection(writable.set.Level({ disks: -1 }))) as Error;
  assert.match(error.message, /^property Level\.disks: expected u \(0 to 4294967295\), got -1 \(/);
});

test('a property without a first value is left out until it is assigned, and the report says what to do', async () => {
  class Unset extends ServiceInterface {
    constructor() {
      super('org.example.Unset');
    }
    @property({ type: 'u' })
    accessor Level!: number;
    @property({ type: 's' })
    accessor Name = 'unset';
  }
  const unset = new Unset();
  service.export('/unset', unset);
  const object = client.proxy(Unset, service.uniqueName as string, '/unset');
  const problems: Problem[] = [];
  const note = (message: unknown) => problems.push(message as Problem);
  subscribe('busbar:problem', note);
  assert.equal(await object.getAll(), { Name: 'unset' } as never);
  assert.match(((await rejection(object.get.Level())) as Error).message, 'org.example.Unset.Level does not match');
  unsubscribe('busbar:problem', note);
  const text =
    'property Level: expected u (0 to 4294967295), got undefined: give it a first value, or assign one before it is read';
  assert.equal(
    problems.map(({ error }) => (error as Error).message),
    [text, text],
  );
  unset.Level = 4;
  assert.equal(await object.getAll(), { Name: 'unset', Level: 4 });
});

test('a change whose new value is of another type is reported by its name', async () => {
  level = { disks: -1 };
  const { warning } = await told(async () => wrong.emitPropertiesChanged(['Level']));
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.match(warning.message, 'the property org.example.Wrong.Level at /org/example/wrong does not match');
});

test('a signal of another type is thrown where it is emitted, with its name and the object', async () => {
  const { warning, result } = await told(() => proxy.call.Emit());
  assert.is(warning.code, 'BUSBAR_HANDLER');
  assert.match(
    warning.message,
    /argument 1: expected u.*, got string \(\/org\/example\/wrong org\.example\.Wrong\.Told\)/,
  );
  assert.is((result as DBusError).dbusName, 'org.freedesktop.DBus.Error.Failed');
});

test('the stack of a signal of another type begins where it is emitted', () => {
  for (const run of [
    () => wrong.emit.Told('x', 'y' as never),
    () => client.emit({ path: '/', interface: 'a.b', member: 'S', signature: 'u', body: ['x'] }),
    () => client.send({ type: 4, path: '/', interface: 'a.b', member: 'S', signature: 'u', body: ['x'] }),
  ]) {
    try {
      run();
      assert.unreachable();
    } catch (error) {
      const { stack, cause } = error as Error;
      assert.match(String(stack).split('\n')[1] ?? '', 'service-misfits.test');
      assert.is(cause, undefined);
    }
  }
});

test('values of an error of another type are reported, and its text is the answer', async () => {
  const { warning, result } = await told(() => proxy.call.Raise());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.match(
    warning.message,
    /^the error of .*org\.example\.Wrong\.Raise from .* could not be sent: body\[1\]: expected u/,
  );
  assert.is((result as DBusError).dbusName, 'org.example.Error.Busy');
  assert.equal((result as DBusError).body, ['later']);
});

test('a class with wrong values is reported as well', async () => {
  class Legacy extends ServiceInterface {
    constructor() {
      super('org.example.Legacy');
    }
    @property({ type: 'u', access: 'read' })
    get Size(): number {
      return -1;
    }
    @method({ out: 'q' })
    Count(): number {
      return 70_000;
    }
    @signal({ args: ['q'] })
    Counted(): Emits<number> {
      return 70_000;
    }
  }
  const legacy = new Legacy();
  assert.match(
    String(await rejection((async () => legacy.Counted())())),
    /argument 0: expected q.*, got 70000 \(org\.example\.Legacy\.Counted\)/,
  );
  service.export('/legacy', legacy);
  const object = client.proxy(Legacy, service.uniqueName as string, '/legacy');
  const count = await told(() => object.call.Count());
  assert.match(
    count.warning.message,
    'the result of org.example.Legacy.Count at /legacy does not match its signature "q"',
  );
  const size = await told(() => object.get.Size());
  assert.match(
    size.warning.message,
    'the property org.example.Legacy.Size at /legacy does not match its signature "u"',
  );
});

test.run();
