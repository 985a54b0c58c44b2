// What a service gives that is not of the type it described: its caller is told that something failed, and its author what.
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  DBusError,
  defineInterface,
  type Emits,
  implement,
  method,
  property,
  ServiceInterface,
  signal,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const service = await connect({ address: daemon.address });
const test = suite('service misfits');

const Wrong = defineInterface('org.example.Wrong', {
  methods: { One: { out: 'a{sas}' }, Two: { out: ['s', 'u'] }, Emit: {}, Raise: {} },
  signals: { Told: { args: ['s', 'u'] } },
  properties: { Level: { type: 'a{su}', access: 'read' }, Fine: { type: 's', access: 'read' } },
});

let level: unknown = {};
let emit = (): void => {};
const wrong = implement(Wrong, {
  One: async () => ({ disks: ['a', 5] }) as never,
  Two: () => 'one' as never,
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

test.after(async () => {
  await Promise.all([client.close(), service.close()]);
  await daemon.stop();
});

/** What the author sees of something that a caller does, and what the caller gets. */
async function told(call: () => Promise<unknown>): Promise<{ warning: Error & { code?: string }; result: unknown }> {
  const warned = once(process, 'warning');
  const result = await call().catch((error: unknown) => error);
  const [warning] = await warned;
  return { warning, result };
}

test('a result that does not fit is told with its method, its object and the place in the value', async () => {
  const { warning, result } = await told(() => proxy.call.One());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.is(
    warning.message,
    'the result of org.example.Wrong.One at /org/example/wrong does not fit its signature "a{sas}": ' +
      'argument 0.disks[1]: expected s, got 5',
  );
  assert.match((result as DBusError).message, 'the result of One does not fit its signature');
});

test('so is a result of another number of values', async () => {
  const { warning } = await told(() => proxy.call.Two());
  assert.is(
    warning.message,
    'the result of org.example.Wrong.Two at /org/example/wrong does not fit its signature "su": ' +
      'expected an array of 2 values, got string',
  );
});

test('a property that does not fit is told by its own name, to who reads it as well', async () => {
  level = { disks: -1 };
  const { warning, result } = await told(() => proxy.get.Level());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.is(
    warning.message,
    'the property org.example.Wrong.Level at /org/example/wrong does not fit its signature "a{su}": ' +
      'argument 0.disks: expected u (0 to 4294967295), got -1',
  );
  assert.match((result as DBusError).message, 'the property org.example.Wrong.Level does not fit its signature');
});

test('where all properties are read, what does not fit is left out and told by its name', async () => {
  level = Promise.resolve({ disks: -1 });
  const { warning, result } = await told(() => proxy.getAll());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.match(warning.message, 'the property org.example.Wrong.Level at /org/example/wrong does not fit');
  assert.match(warning.message, 'property Level.disks: expected u (0 to 4294967295), got -1');
  assert.equal(result, { Fine: 'fine' });
});

test('a change whose new value does not fit is told by its name', async () => {
  level = { disks: -1 };
  const { warning } = await told(async () => wrong.emitPropertiesChanged(['Level']));
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.match(warning.message, 'the property org.example.Wrong.Level at /org/example/wrong does not fit');
});

test('a signal that does not fit is thrown where it is emitted, and told with its name and the object', async () => {
  const { warning, result } = await told(() => proxy.call.Emit());
  assert.is(warning.code, 'BUSBAR_HANDLER');
  assert.match(
    warning.message,
    /argument 1: expected u.*, got string \(\/org\/example\/wrong org\.example\.Wrong\.Told\)/,
  );
  assert.is((result as DBusError).dbusName, 'org.freedesktop.DBus.Error.Failed');
});

test('the values of an error that do not fit are told, and its text is the answer', async () => {
  const { warning, result } = await told(() => proxy.call.Raise());
  assert.is(warning.code, 'BUSBAR_MISFIT');
  assert.match(
    warning.message,
    /^the error of .*org\.example\.Wrong\.Raise from .* could not be sent: argument 1: expected u/,
  );
  assert.is((result as DBusError).dbusName, 'org.example.Error.Busy');
  assert.equal((result as DBusError).body, ['later']);
});

test('a class that is wrong is told as well', async () => {
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
    'the result of org.example.Legacy.Count at /legacy does not fit its signature "q"',
  );
  const size = await told(() => object.get.Size());
  assert.match(size.warning.message, 'the property org.example.Legacy.Size at /legacy does not fit its signature "u"');
});

test.run();
