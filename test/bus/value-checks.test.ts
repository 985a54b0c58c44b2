// Which values properties accept: a client that sets another one gets InvalidArgs, a program that assigns one an error.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  property,
  ServiceInterface,
  variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { problemsOf } from '../helpers/problems.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('checks of values');
const { client, service, destination, stop } = await startClientAndService();
test.after(stop);

const Data = defineInterface('org.example.Data', {
  properties: { Level: { type: 'u' }, Slow: { type: 's' }, Big: { type: 'x' } },
});

let slow = 'slow';
const data = implement(
  Data,
  {
    Level: 1,
    Slow: {
      get: async () => slow,
      set: async (value) => {
        slow = value;
      },
    },
    Big: 1n,
  },
  {
    members: {
      Level: { check: (value) => value < 10 || `at most 9, not ${value}` },
      Slow: { check: (value) => value.length < 6 },
      Big: { check: (value) => value >= 0n },
    },
  },
);

class Checked extends ServiceInterface {
  constructor() {
    super('org.example.Checked');
  }
  @property({ type: 'u', check: (value) => value <= 100 })
  accessor Level = 1;

  #name = 'lamp';
  @property({ type: 's', check: (name) => /^[a-z]+$/.test(name) || 'expected small letters' })
  get Name(): string {
    return this.#name;
  }
  set Name(name: string) {
    this.Level = name.length * 10;
    this.#name = name;
  }

  @property({ type: 'a{sv}', check: (options) => 'mode' in options })
  accessor Options: Record<string, unknown> = { mode: 1 };
}

test('a client that sets a misfit gets InvalidArgs, and nothing is written or announced', async () => {
  const checked = new Checked();
  using _export = service.export('/checked', checked);
  const changes: unknown[] = [];
  const proxy = client.proxy(Checked, destination, '/checked');
  await proxy.onChange((changed) => void changes.push(changed)).ready;
  const refusal = (await rejection(proxy.set.Level(101))) as InvalidArgumentError;
  assert.instance(refusal, InvalidArgumentError);
  assert.match(refusal.message, 'the property Level does not accept 101');
  assert.match(
    String(await rejection(proxy.set.Name('X'))),
    'the property Name does not accept "X": expected small letters',
  );
  assert.match(String(await rejection(proxy.set.Options({ other: 1 }))), 'does not accept object');
  assert.equal([checked.Level, checked.Name, checked.Options], [1, 'lamp', { mode: 1 }]);
  await proxy.set.Options({ mode: variant.q(5) });
  assert.equal(await proxy.with({ variants: 'wrap' }).get.Options(), { mode: variant.q(5) });
  await proxy.set.Level(100);
  await until(() => changes.length === 2);
  assert.equal(changes, [{ Options: { mode: 5 } }, { Level: 100 }]);
});

test('the program that assigns a misfit gets an error, and the property keeps its value', () => {
  const checked = new Checked();
  const error = thrown(() => {
    checked.Level = 101;
  }) as DBusError;
  assert.instance(error, InvalidArgumentError);
  assert.match(error.message, 'the property Level does not accept 101');
  thrown(() => {
    checked.Name = 'X';
  });
  assert.equal([checked.Level, checked.Name], [1, 'lamp']);
  checked.Level = 100;
  assert.is(checked.Level, 100);
});

test('a property that a setter assigns is checked, too', async () => {
  const checked = new Checked();
  using _export = service.export('/inner', checked);
  const proxy = client.proxy(Checked, destination, '/inner');
  const problems = await problemsOf(async () => {
    const error = (await rejection(proxy.set.Name('abcdefghijkl'))) as DBusError;
    // It is the mistake of the setter, and not of the client.
    assert.is(error.dbusName, 'org.freedesktop.DBus.Error.Failed');
  });
  assert.is(problems.length, 1);
  assert.equal([checked.Level, checked.Name], [1, 'lamp']);
});

test('a first value is checked', () => {
  class First extends ServiceInterface {
    constructor() {
      super('org.example.First');
    }
    @property({ type: 'u', check: (value) => value > 5 })
    accessor Level = 1;
  }
  const inClass = thrown(() => service.export('/first', new First()));
  assert.match(String(inClass), 'the property Level does not accept 1');
  const options = { members: { Level: { check: () => false } } };
  const given = { Level: 1, Slow: 'x', Big: 1 };
  assert.match(String(thrown(() => implement(Data, given, options))), 'the property Level does not accept 1');
});

test('of properties that implement provides', async () => {
  using _export = service.export('/data', data);
  const proxy = client.proxy(Data, destination, '/data');
  assert.match(
    String(await rejection(proxy.set.Level(10))),
    'the property Level does not accept 10: at most 9, not 10',
  );
  assert.instance(await rejection(proxy.set.Slow('too long')), InvalidArgumentError);
  assert.instance(await rejection(proxy.set.Big(-1)), InvalidArgumentError);
  assert.equal([data.properties.Level, slow, data.properties.Big], [1, 'slow', 1n]);
  await proxy.set.Slow('short');
  await proxy.set.Level(9);
  assert.equal([data.properties.Level, slow], [9, 'short']);
  assert.instance(
    thrown(() => {
      data.properties.Level = 10;
    }),
    InvalidArgumentError,
  );
});

test('a check that answers with a promise refuses every value', async () => {
  const odd = implement(
    Data,
    { Level: { get: () => 1, set: () => {} }, Slow: '', Big: 0 },
    {
      members: { Level: { check: (async () => true) as never } },
    },
  );
  using _export = service.export('/odd', odd);
  const problems = await problemsOf(async () => {
    const error = (await rejection(client.proxy(Data, destination, '/odd').set.Level(1))) as DBusError;
    assert.is(error.dbusName, 'org.freedesktop.DBus.Error.Failed');
  });
  assert.match(String(problems[0]?.error), 'the check of Level must return true, false or a text');
});

test('a setter that assigns another value while a client sets one is checked again', async () => {
  let level = 1;
  const clamped = implement(
    Data,
    {
      Level: {
        get: () => level,
        set(value) {
          level = value;
          if (value === 9) clamped.properties.Level = 1000;
        },
      },
      Slow: '',
      Big: 0,
    },
    { members: { Level: { check: (value) => value < 10 } } },
  );
  using _export = service.export('/clamped', clamped);
  const problems = await problemsOf(async () => {
    const error = await rejection(client.proxy(Data, destination, '/clamped').set.Level(9));
    assert.match(String(error), 'the property Level does not accept 1000');
  });
  assert.is(problems.length, 1);
  assert.is(level, 9);
});

test.run();
