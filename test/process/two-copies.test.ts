// Two copies of the package in one process, as two dependencies may install them: one ES modules, one CommonJS. Each
// accepts values and errors of the other, they can communicate, and the error for any other object of the other copy
// names the cause.
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DBusError, FileDescriptor, MessageBus } from '../../src/index.js';
import { assertNoFdsLeft, inodeOf, openFds } from '../helpers/open-fds.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';
import { bundleLibrary } from './worker-library.js';

type Library = typeof import('../../src/index.js');

const modules: Library = await import(await bundleLibrary('esm'));
const common: Library = createRequire(import.meta.url)(fileURLToPath(await bundleLibrary('cjs')));

const NAME = 'org.example.Copies';
const members = {
  methods: {
    Echo: { in: 'v', out: 'v' },
    Fail: {},
    Inode: { in: 'h', out: 't' },
    Wait: { noReply: false },
  },
  signals: { Sent: { args: ['h'] }, Told: { args: ['v'] } },
  properties: { Level: { type: 'u' }, Any: { type: 'v' } },
} as const;

const test = suite('two copies');

interface Ends {
  readonly service: MessageBus;
  readonly client: MessageBus;
}

/** A connection between a service of one copy and a client of the other. */
async function between<Result>(
  serving: Library,
  calling: Library,
  use: (ends: Ends) => Promise<Result>,
): Promise<Result> {
  await using server = await serving.listen({ address: `unix:tmpdir=${tmpdir()}` });
  await using client = await calling.connect({ address: server.address, peer: true });
  const { value: service } = await server[Symbol.asyncIterator]().next();
  return await use({ service: service as MessageBus, client });
}

/** A service of one copy whose class was written with the other. */
function implementation(own: Library, other: Library) {
  const definition = other.defineInterface(NAME, members);
  return own.implement(definition, {
    Echo: (value) => other.variant.s(`echo ${value}`),
    Fail() {
      throw new other.DBusError('org.example.Error.Busy', 'later', { signature: 'su', body: ['later', 5] });
    },
    Inode: (file) => BigInt(inodeOf(file.fd)),
    Wait: () => new Promise(() => {}),
    Level: 1,
    Any: other.variant.u(1),
  });
}

type ErrorClass = new (...args: string[]) => Error;

function errorClasses(library: Library): [string, ErrorClass][] {
  return Object.entries(library).filter(
    (entry): entry is [string, never] => typeof entry[1] === 'function' && entry[1].prototype instanceof Error,
  );
}

test('there are two copies', () => {
  assert.is.not(modules.MessageBus, common.MessageBus);
  assert.equal(Object.keys(common).sort(), Object.keys(modules).sort());
});

for (const [title, own, other] of [
  ['of ES modules and of CommonJS', modules, common],
  ['of CommonJS and of ES modules', common, modules],
] as const) {
  test(`errors ${title} are of the same classes`, () => {
    const classes = new Map(errorClasses(other));
    assert.ok(classes.size > 20);
    for (const [name, Own] of errorClasses(own)) {
      const Other = classes.get(name) as ErrorClass;
      const error = name === 'DBusError' ? new Own('org.example.Error.Any', 'text') : new Own('text', 'more');
      assert.instance(error, Other, name);
      for (const [each, Class] of classes)
        assert.is(error instanceof Class, Other.prototype instanceof Class || each === name, each);
    }
  });

  test(`a call from one to the other ${title}: values, errors, changes and signals`, async () => {
    await between(own, other, async ({ service, client }) => {
      const served = implementation(own, other);
      service.export('/copies', served);
      // The definition of one is passed to the other as a description.
      const proxy = client.proxy(own.defineInterface(NAME, members), '/copies');
      assert.is(await proxy.call.Echo(own.variant.u(5)), 'echo 5');
      const wrapped = await proxy.with({ variants: 'wrap' }).call.Echo('five');
      assert.instance(wrapped, own.Variant);
      assert.is(inspect(wrapped), "variant.s('echo five')");
      assert.is(await proxy.call.Echo(wrapped as never), 'echo echo five');

      const failure = (await rejection(proxy.call.Fail())) as DBusError;
      for (const { DBusError: Class } of [own, other]) assert.instance(failure, Class);
      assert.equal([failure.dbusName, failure.body], ['org.example.Error.Busy', ['later', 5]]);
      const late = await rejection(proxy.with({ timeout: 1 }).call.Wait());
      for (const { TimeoutError: Class } of [own, other]) assert.instance(late, Class);
      assert.instance(await rejection(proxy.call.Echo(undefined as never)), own.InvalidArgumentError);

      const changes: unknown[] = [];
      const told: unknown[] = [];
      await proxy.onChange((changed) => void changes.push(changed)).ready;
      await proxy.on.Told((value) => void told.push(value)).ready;
      served.properties.Level = 7;
      served.properties.Any = own.variant.s('own');
      served.properties.Any = other.variant.s('other');
      served.emit.Told(other.variant.as(['a']));
      await until(() => told.length === 1);
      assert.equal(changes, [{ Level: 7, Any: 'other' }]);
      assert.equal(told, [['a']]);
    });
  });

  test(`descriptors ${title} are sent, and closed once, whichever copy made them`, async () => {
    await between(own, other, async ({ service, client }) => {
      const served = implementation(own, other);
      service.export('/one', served);
      service.export('/two', served);
      const proxy = client.proxy(own.defineInterface(NAME, members), '/one');
      const before = openFds();
      const fd = openSync('/dev/null', 'r');
      const ino = inodeOf(fd);
      const file = own.FileDescriptor.adopt(fd);
      assert.is(await proxy.call.Inode(file), BigInt(ino));
      assert.not(file.closed);
      assert.is(await proxy.call.Inode(file.handOver()), BigInt(ino));
      assert.ok(file.closed);
      // Two messages, the last of which takes it.
      const received: FileDescriptor[] = [];
      for (const path of ['/one', '/two']) {
        const listener = client.proxy(other.defineInterface(NAME, members), path);
        await listener.on.Sent((file) => void received.push(file.dup())).ready;
      }
      const both = other.FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
      served.emit.Sent(both);
      await until(() => received.length === 2);
      assert.ok(both.closed);
      for (const file of received) {
        assert.is(inodeOf(file.fd), ino);
        file.close();
      }
      await assertNoFdsLeft(before);
    });
  });

  test(`the error for objects of the other copy ${title} says that they are from another copy`, async () => {
    await between(own, other, async ({ service }) => {
      const foreign = implementation(other, other);
      const refusal = (run: () => unknown): string => {
        try {
          run();
        } catch (error) {
          assert.instance(error, own.InvalidArgumentError);
          return (error as Error).message;
        }
        return 'nothing';
      };
      assert.match(
        refusal(() => service.export('/foreign', foreign)),
        'belong to two copies of busbar',
      );
      class Foreign extends other.ServiceInterface {
        constructor() {
          super(NAME);
        }
      }
      assert.match(
        refusal(() => service.export('/foreign', new Foreign())),
        'belong to two copies of busbar',
      );
      // Without types, because the compiler would refuse it.
      const { method: decorator } = own as unknown as { method: () => (...args: unknown[]) => void };
      class Mixed extends other.ServiceInterface {
        constructor() {
          super(NAME);
        }
        @decorator()
        Ask(): void {}
      }
      assert.is(
        refusal(() => new Mixed()),
        '@method "Ask": its class and the decorator belong to two copies of busbar: import both from one copy',
      );
      assert.match(
        refusal(() => service.proxy(Foreign as never, '/foreign')),
        'this class and the bus belong to two copies of busbar',
      );
      assert.match(
        refusal(() => service.proxy(new Foreign() as never, '/foreign')),
        'this class and the bus belong to two copies of busbar',
      );
    });
  });

  test(`introspection data that one copy has parsed ${title} can be used by the other`, async () => {
    await between(own, other, async ({ service, client }) => {
      service.export('/copies', implementation(own, other));
      const xml = own.introspectionXml({
        path: '/copies',
        interfaces: new Map([[NAME, own.defineInterface(NAME, members).description]]),
        children: new Map(),
      });
      const object = await client.object('/copies', { introspection: own.parseIntrospection(xml) });
      assert.is(await object.interface(NAME).call.Echo?.('x'), 'echo x');
      assert.is(await object.interface(NAME).get.Level?.(), 1);
    });
  });
}

test('a number that one copy has adopted is not closed by the other', () => {
  const fd = openSync('/dev/null', 'r');
  const file = modules.FileDescriptor.adopt(fd);
  assert.ok(common.FileDescriptor.isFileDescriptor(file));
  const taken = file.take();
  assert.is(taken, fd);
  closeSync(taken);
  assert.ok(file.closed);
});

test('registered errors belong to the copy that registers them, and a class may be registered with both', async () => {
  class BusyError extends Error {}
  const Busy = { methods: { Ask: {} } } as const;
  const ask = (serving: Library, calling: Library) =>
    between(serving, calling, async ({ service, client }) => {
      const fail = () => {
        throw new BusyError('later');
      };
      service.export('/busy', serving.implement(serving.defineInterface(NAME, Busy), { Ask: fail }));
      const proxy = client.proxy(calling.defineInterface(NAME, Busy), '/busy');
      return (await rejection(proxy.call.Ask())) as DBusError;
    });
  const failed = 'org.freedesktop.DBus.Error.Failed';
  using _modules = modules.registerError(BusyError, 'org.example.Error.Busy');
  const toCommon = await ask(modules, common);
  assert.equal([toCommon.dbusName, toCommon instanceof BusyError], ['org.example.Error.Busy', false]);
  assert.is((await ask(common, modules)).dbusName, failed);
  using _common = common.registerError(BusyError, 'org.example.Error.Busy');
  for (const [serving, calling] of [
    [modules, common],
    [common, modules],
  ] as const) {
    const error = await ask(serving, calling);
    assert.instance(error, BusyError);
    assert.instance(error, modules.DBusError);
    assert.instance(error, common.DBusError);
  }
});

test.run();
