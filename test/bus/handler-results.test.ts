// Results of handlers: promises and thenables are treated as `await` treats them, and each call is answered once.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  DBusError,
  defineInterface,
  implement,
  type MessageBus,
  method,
  property,
  ServiceInterface,
  type Variant,
  variant,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

type Resolve = (value: string) => void;
type Reject = (error: unknown) => void;

function thenable(then: (resolve: Resolve, reject: Reject) => void): Promise<string> {
  return { then } as unknown as Promise<string>;
}

const busy = new DBusError('org.example.Error.Busy', 'busy');

/** Thenables, and the value that `await` gives for them. */
const thenables: Readonly<Record<string, readonly [() => Promise<string>, string]>> = {
  'a function with a then method': [
    // biome-ignore lint/suspicious/noThenProperty: this is what is tested
    () => Object.assign(() => {}, { then: (resolve: Resolve) => resolve('done') }) as unknown as Promise<string>,
    'done',
  ],
  'an object with a then method': [() => thenable((resolve) => resolve('done')), 'done'],
  'one that settles later': [() => thenable((resolve) => setImmediate(() => resolve('done'))), 'done'],
  'one that settles twice': [
    () =>
      thenable((resolve, reject) => {
        resolve('one');
        resolve('two');
        reject(busy);
      }),
    'one',
  ],
  'one that settles and throws': [
    () =>
      thenable((resolve) => {
        resolve('one');
        throw busy;
      }),
    'one',
  ],
  'one that throws': [
    () =>
      thenable(() => {
        throw busy;
      }),
    'org.example.Error.Busy',
  ],
  'one that rejects': [() => thenable((_resolve, reject) => reject(busy)), 'org.example.Error.Busy'],
  'one that resolves with another': [
    () => thenable((resolve) => resolve(thenable((inner) => inner('inner')) as unknown as string)),
    'inner',
  ],
};

const Results = defineInterface('org.example.Results', {
  methods: { Run: { in: 's', out: 's' } },
  properties: { Value: { type: 's', access: 'read' } },
});

let value = '';

function result(what: string): Promise<string> {
  const [make] = thenables[what] as (typeof thenables)[string];
  return make();
}

class ResultsClass extends ServiceInterface<'service-only'> {
  static override readonly interfaceName = 'org.example.Results';
  @method({ in: 's', out: 's' })
  Run(what: string): Promise<string> {
    return result(what);
  }
  @property({ type: 's' })
  get Value(): Promise<string> {
    return result(value);
  }
}

const Keep = defineInterface('org.example.Keep', { methods: { Keep: { in: 'va{sv}', out: 's' } } });

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`results of handlers, on ${daemon}`);
  let bus: PrivateBus;
  let client: MessageBus;
  let service: MessageBus;

  test.before(async () => {
    if (missing !== undefined) return;
    bus = await PrivateBus.start({ daemon });
    client = await connect({ address: bus.address });
    service = await connect({ address: bus.address });
    const object = new ResultsClass();
    service.export('/class', object);
    const members = { Run: (what: string) => object.Run(what), Value: { get: () => object.Value } };
    service.export('/object', implement(Results, members));
  });
  test.after(async () => {
    await client?.close();
    await service?.close();
    await bus?.stop();
  });

  for (const path of ['/class', '/object']) {
    for (const [what, [, expected]] of Object.entries(thenables)) {
      testUnless(missing, test, `${path}: ${what} has the same result as with await`, async () => {
        const proxy = client.proxy(Results, service.uniqueName as string, path);
        value = what;
        for (const ask of [() => proxy.call.Run(what), () => proxy.get.Value()]) {
          const answers = await ask().catch((error: DBusError) => error.dbusName);
          assert.is(answers, expected);
        }
        // One answer: the next call gets its own.
        assert.is(await proxy.call.Run('an object with a then method'), 'done');
      });
    }
  }

  testUnless(
    missing,
    test,
    'the context of a call decodes it until the first await, and throws after that',
    async () => {
      const decoded = (context: CallContext): string => {
        const [one, more] = context.decode({ variants: 'wrap' }) as [Variant, Record<string, Variant>];
        return `${one.signature} ${more.two?.signature}`;
      };
      const refusals: unknown[] = [];
      const keep = implement(Keep, {
        Keep: async (_one, _more, context) => {
          const types = decoded(context);
          // The length of the body does not matter.
          for (const wait of [() => null, () => service.listNames()]) {
            await wait();
            try {
              decoded(context);
            } catch (error) {
              refusals.push(error);
            }
          }
          return types;
        },
      });
      service.export('/keep', keep);
      const proxy = client.proxy(Keep, service.uniqueName as string, '/keep');
      const calls = [proxy.call.Keep(variant.q(1), { two: variant.y(2) }), proxy.call.Keep(variant.s('s'), {})];
      assert.equal(await Promise.all(calls), ['q y', 's undefined']);
      const gone = 'the body is gone: decode it before the first await of the handler';
      assert.equal(
        refusals.map((error) => (error as DBusError).message),
        [gone, gone, gone, gone],
      );
    },
  );

  test.run();
}
