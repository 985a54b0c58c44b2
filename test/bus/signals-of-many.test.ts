// Typed signals of one interface from any number of senders and objects.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  type Emits,
  InvalidArgumentError,
  implement,
  ServiceInterface,
  type SignalContext,
  signal,
  variant,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { thrown } from '../helpers/rejection.js';
import { roundTrips } from '../helpers/round-trips.js';

const test = suite('signals of many');
const daemon = await PrivateBus.start();
const [client, one, two] = await Promise.all([0, 1, 2].map(() => connect({ address: daemon.address })));
if (client === undefined || one === undefined || two === undefined) throw new Error('not connected');
const Lamp = defineInterface('org.example.Lamp1', { signals: { Lit: { args: 'su' }, Out: {} } });

class Named extends ServiceInterface {
  constructor() {
    super('org.example.Named1');
  }

  @signal({ name: 'Said', args: 's' })
  said(text: string): Emits<string> {
    return text;
  }
}

const lamps = [implement(Lamp, {}), implement(Lamp, {}), implement(Lamp, {})] as const;
one.export('/lamp/one', lamps[0]);
one.export('/other', lamps[1]);
two.export('/lamp/two', lamps[2]);

const settled = () => roundTrips(one, two, client);

test.after(async () => {
  for (const bus of [client, one, two]) await bus.close();
  await daemon.stop();
});

test('each signal has its function, which gets the arguments and the context', async () => {
  const heard: unknown[] = [];
  const note =
    (name: string) =>
    (...values: unknown[]) => {
      const { sender, path, member } = values.pop() as SignalContext;
      heard.push([name, ...values, sender, path, member]);
    };
  const subscription = client.signals(Lamp, { pathNamespace: '/lamp' }, { Lit: note('lit'), Out: note('out') });
  using _fromOne = client.signals(Lamp, { sender: String(one.uniqueName), arg0: 'x' }, { Lit: note('from one') });
  await subscription.ready;
  lamps[0].emit.Lit('x', 1);
  lamps[1].emit.Lit('x', 2);
  lamps[1].emit.Lit('y', 3);
  await settled();
  lamps[2].emit.Out();
  await settled();
  subscription.end();
  lamps[2].emit.Out();
  await settled();
  assert.equal(heard, [
    ['lit', 'x', 1, one.uniqueName, '/lamp/one', 'Lit'],
    ['from one', 'x', 1, one.uniqueName, '/lamp/one', 'Lit'],
    ['from one', 'x', 2, one.uniqueName, '/other', 'Lit'],
    ['out', two.uniqueName, '/lamp/two', 'Out'],
  ]);
});

test('a signal of a class is found under its name in the class and on the bus', async () => {
  const named = new Named();
  using _export = one.export('/named', named);
  const heard: string[] = [];
  const said = (text: string) => heard.push(text);
  // Its name on the bus is not one of the class.
  using _signals = client.signals(Named, {}, { said, Said: said } as { said: typeof said });
  await settled();
  named.said('hello');
  await settled();
  assert.equal(heard, ['hello', 'hello']);
});

test('a listener of property changes gets the context', async () => {
  const Level = defineInterface('org.example.Level1', { properties: { Level: { type: 'u' } } });
  const level = implement(Level, { Level: 1 });
  using _export = one.export('/level', level);
  const heard: unknown[] = [];
  using _changes = client.proxy(Level, one.uniqueName, '/level').onChange((changed, invalidated, { sender, path }) => {
    heard.push([changed, invalidated, sender, path]);
  });
  await settled();
  level.properties.Level = 2;
  await settled();
  assert.equal(heard, [[{ Level: 2 }, [], one.uniqueName, '/level']]);
});

test('an option says how variants are read', async () => {
  const Told = defineInterface('org.example.Told1', { signals: { Said: { args: ['value:v', 'all:a{sv}'] } } });
  const told = implement(Told, {});
  using _export = one.export('/told', told);
  const heard: [unknown, unknown, Record<string, unknown>][] = [];
  for (const variants of [undefined, 'plain', 'wrap', 'keep'] as const) {
    client.signals(Told, {}, { Said: (value, all) => void heard.push([variants, value, all]) }, { variants });
  }
  await settled();
  told.emit.Said(variant.y(1), { level: variant.t(2n) });
  await settled();
  const wrapped = ['wrap', variant.y(1), { level: variant.t(2n) }];
  assert.equal(heard, [
    [undefined, 1, { level: 2n }],
    ['plain', 1, { level: 2n }],
    wrapped,
    ['keep', 1, { level: 2n }],
  ]);
  // What was kept is written as it was read.
  const [, , all] = heard[3] as (typeof heard)[number];
  heard.length = 0;
  told.emit.Said('again', { ...all, level: 3n });
  told.emit.Said('again', all);
  await settled();
  assert.equal(
    heard.filter(([variants]) => variants === 'wrap').map(([, , value]) => value.level),
    [variant.x(3n), variant.t(2n)],
  );
});

test('mistakes are refused', () => {
  const refused = (run: () => unknown, text: RegExp) => {
    const error = thrown(run);
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, text);
  };
  refused(() => client.signals(Lamp, {}, { Light: () => {} } as object), /takes no signal "Light"; did you mean Lit/);
  refused(() => client.signals(Lamp, {}, { Lit: 'x' } as object), /Lit: expected a function/);
  refused(() => client.signals(Lamp, { member: 'Lit' } as never, {}), /"member" cannot be given/);
  refused(() => client.signals(Lamp, {}, { Lit() {} }, { variants: 'odd' as never }), /variants: expected/);
  refused(() => client.signals(Lamp, { paths: '/' } as never, { Lit() {} }), /paths/);
});

test.run();
