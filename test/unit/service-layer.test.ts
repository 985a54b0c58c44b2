// Classes and objects that override members, have accessors, store values of another type or request the impossible: each
// works, or its author gets an error.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import type { Problem } from '../../src/diagnostics/problems.js';
import {
  defineInterface,
  type Emits,
  FileDescriptor,
  implement,
  introspectionXml,
  method,
  property,
  ServiceInterface,
  signal,
  variant,
} from '../../src/index.js';
import { describe } from '../../src/service/class/describe.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { RecordingOutlet } from '../helpers/recording-outlet.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('service layer');

const changed = (values: Record<string, unknown>, ...invalidated: string[]) => [{ changed: values, invalidated }];

function refusal(act: () => unknown): string {
  const error = thrown(act);
  assert.instance(error, InvalidArgumentError);
  return error.message;
}

async function problemsDuring(act: () => unknown): Promise<string[]> {
  const problems: string[] = [];
  const listener = (problem: unknown) => void problems.push((problem as Problem).message);
  subscribe('busbar:problem', listener);
  try {
    await act();
    return problems;
  } finally {
    unsubscribe('busbar:problem', listener);
  }
}

/** Decorates as a compiler with `experimentalDecorators` does. */
function legacy(decorator: unknown, { prototype }: { readonly prototype: object }, key: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
  (decorator as (prototype: object, key: string, descriptor?: PropertyDescriptor) => void)(prototype, key, descriptor);
}

// Overriding.

class Base extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Base';

  @property({ type: 'u' })
  accessor Level = 1;

  #mode = 'off';

  @property({ type: 's' })
  get Mode(): string {
    return this.#mode;
  }
  set Mode(value: string) {
    this.#mode = value;
  }

  @signal({ args: 'u' })
  Born(level: number): Emits<number> {
    return level;
  }
}

class Plain extends Base {
  override Born(level: number): Emits<number> {
    return level + 1;
  }

  override get Mode(): string {
    return super.Mode;
  }
  override set Mode(value: string) {
    super.Mode = value.toUpperCase();
  }
}

class Calling extends Plain {
  override Born(level: number): Emits<number> {
    return super.Born(super.Born(level));
  }
}

class Anew extends Base {
  @(signal({ args: ['level:u', 'more:s'] }) as (value: unknown, context: unknown) => void)
  override Born(level: number): never {
    super.Born(level);
    return [level, 'more'] as never;
  }

  @property({ type: 's' })
  override get Mode(): string {
    return super.Mode;
  }
  override set Mode(value: string) {
    super.Mode = value;
  }
}

test('the most derived signal is emitted, once, with its result', async () => {
  for (const [Class, values] of [
    [Base, [5]],
    [Plain, [6]],
    [Calling, [7]],
    [Anew, [5, 'more']],
  ] as const) {
    const object = new Class();
    const outlet = new RecordingOutlet();
    outlet.attachTo(object);
    object.Born(5);
    assert.equal(await outlet.settled(), [{ signal: 'Born', values }], Class.name);
  }
});

test('a property that is overridden announces its changes once, whichever class assigns', async () => {
  for (const [Class, mode] of [
    [Base, 'on'],
    [Plain, 'ON'],
    [Calling, 'ON'],
    [Anew, 'on'],
  ] as const) {
    const object = new Class();
    const outlet = new RecordingOutlet();
    outlet.attachTo(object);
    object.Mode = 'on';
    assert.equal(await outlet.settled(), changed({ Mode: mode }), Class.name);
    object.Mode = 'on';
    assert.equal(await outlet.settled(), [], Class.name);
    exportableOf(object).properties.set('Mode', 'off');
    assert.equal(await outlet.settled(), changed({ Mode: mode === 'on' ? 'off' : 'OFF' }), Class.name);
  }
});

test('a signal that calls itself is emitted each time', async () => {
  class Countdown extends Base {
    override Born(level: number): Emits<number> {
      if (level > 0) this.Born(level - 1);
      return super.Born(level);
    }
  }
  const object = new Countdown();
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.Born(2);
  const signals = (await outlet.settled()).map((each) => ('values' in each ? each.values : undefined));
  assert.equal(signals, [[0], [1], [2]]);
});

// Accessors and functions of `implement`.

const Level = defineInterface('org.example.Level', { properties: { Level: { type: 'u' } } });
const Pos = defineInterface('org.example.Pos', { properties: { Pos: { type: 'x', access: 'read' } } });

test('accessors of a class and of an object are getters and setters', async () => {
  class Kept {
    level = 1;
    get Level(): number {
      return this.level;
    }
    set Level(value: number) {
      this.level = Math.min(value, 10);
    }
  }
  const kept = new Kept();
  const object = implement(Level, kept as { Level: number });
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  exportableOf(object).properties.set('Level', 50);
  assert.is(kept.level, 10);
  assert.is(object.properties.Level, 10);
  assert.equal(await outlet.settled(), changed({ Level: 10 }));

  let pos = 5n;
  const reading = implement(Pos, {
    get Pos() {
      return pos;
    },
  });
  pos = 6n;
  assert.is(exportableOf(reading).properties.get('Pos'), 6n);
  assert.match(
    refusal(() =>
      implement(Level, {
        get Level() {
          return 5;
        },
      } as never),
    ),
    /has the access "readwrite", but no setter/,
  );
});

test('functions that set the present value announce nothing', async () => {
  let level = 1;
  const object = implement(Level, {
    Level: {
      get: () => level,
      set: (value) => {
        level = value;
      },
    },
  });
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.properties.Level = 1;
  exportableOf(object).properties.set('Level', 1);
  assert.equal(await outlet.settled(), []);
  object.properties.Level = 2;
  assert.equal(await outlet.settled(), changed({ Level: 2 }));
});

// First values.

class Fields extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Fields';
  Level: unknown = 1;
}
legacy(property({ type: 'u' }), Fields, 'Level');

class Accessors extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Accessors';
  @property({ type: 'u' })
  accessor Level: number = 'wrong' as never;
}

test('a first value of another type is refused when the object is exported, and stays as it is', () => {
  class Wrong extends Fields {
    override Level: unknown = 'wrong';
  }
  for (const object of [new Wrong(), new Accessors()]) {
    const attach = () => new RecordingOutlet().attachTo(object);
    assert.match(refusal(attach), /property Level: expected u/);
    assert.is(object.Level as unknown, 'wrong');
    (object as { Level: unknown }).Level = 5;
    attach();
  }
});

test('fields that a constructor defines after an export are noticed', async () => {
  const outlet = new RecordingOutlet();
  class Early extends ServiceInterface {
    static override readonly interfaceName: string = 'org.example.Early';
    constructor() {
      super();
      exportableOf(this).prepare();
    }
  }
  class Late extends Early {
    Level = 1;
  }
  legacy(property({ type: 'u' }), Late, 'Level');
  const object = new Late();
  outlet.attachTo(object);
  object.Level = 2;
  assert.equal(await outlet.settled(), changed({ Level: 2 }));
});

test('a first value that a constructor stores after an export is checked once it is there, in each dialect', () => {
  class Early extends ServiceInterface {
    static override readonly interfaceName: string = 'org.example.Early';
    /** Refused while the constructor ran. */
    readonly refused: string[] = [];
    constructor() {
      super();
      exportableOf(this).prepare((error) => this.refused.push((error as Error).message));
    }
  }
  class LateAccessor extends Early {
    @property({ type: 'u' })
    accessor Level: number = 'wrong' as never;
    @property({ type: 's' })
    accessor Name: string = 5 as never;
  }
  class LateField extends Early {
    Level = 'wrong' as unknown;
    Name = 5 as unknown;
  }
  legacy(property({ type: 'u' }), LateField, 'Level');
  legacy(property({ type: 's' }), LateField, 'Name');
  for (const object of [new LateAccessor(), new LateField()]) {
    const exportable = exportableOf(object);
    assert.equal(object.refused, []);
    assert.ok(exportable.isUnsettled);
    const refused: string[] = [];
    exportable.prepare((error) => refused.push((error as Error).message));
    assert.is(refused.length, 2);
    assert.match(refused[0] as string, /property Level: expected u/);
    assert.match(refused[1] as string, /property Name: expected s/);
    // Once.
    exportable.prepare();
  }
});

test('a signal that is replaced by a field is refused, at any time', () => {
  class Hiding extends Base {
    override Born = ((id: number) => id) as never;
  }
  const attach = (object: Base) => new RecordingOutlet().attachTo(object);
  const hiding = new Hiding();
  assert.match(
    refusal(() => attach(hiding)),
    /the signal Born is overridden by a field, which emits nothing: write a method/,
  );
  const later = new Base();
  attach(later);
  later.Born = (() => undefined) as never;
  assert.ok(exportableOf(later).isUnsettled);
  assert.match(
    refusal(() => exportableOf(later).prepare()),
    /the signal Born is overridden by a field/,
  );
});

test('a signal that is bound to the instance is emitted as before', async () => {
  class Bound extends Base {
    constructor() {
      super();
      this.Born = this.Born.bind(this);
    }
  }
  const object = new Bound();
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.Born(3);
  assert.equal(await outlet.settled(), [{ signal: 'Born', values: [3] }]);
});

test('a field of a sealed object cannot be noticed, and is refused', () => {
  const object = Object.seal(new Fields());
  assert.match(
    refusal(() => new RecordingOutlet().attachTo(object)),
    /sealed/,
  );
  // The prototype may have it.
  new RecordingOutlet().attachTo(Object.seal(new Base()));
});

// Values.

test('a variant of another type is another value', async () => {
  const Any = defineInterface('org.example.Any', { properties: { Any: { type: 'v' } } });
  class AnyObject extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Any';
    @property({ type: 'v' })
    accessor Any: unknown = '';
  }
  for (const object of [implement(Any, { Any: '' }), new AnyObject()]) {
    const outlet = new RecordingOutlet();
    outlet.attachTo(object);
    const { properties } = exportableOf(object);
    for (const [value, times] of [
      [variant.s('/a'), 1],
      [variant.o('/a'), 1],
      [variant.o('/a'), 0],
      [variant.s('/a'), 1],
    ] as const) {
      properties.set('Any', value);
      assert.is((await outlet.settled()).length, times, `${value.signature}`);
    }
  }
});

for (const getter of ['at once', 'later'] as const) {
  for (const [first, last] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const how = `with a getter that answers ${getter}, the ${['first', 'second'][first]} one done first`;
    test(`setters that overlap do not mix the types of their values, ${how}`, async () => {
      const Any = defineInterface('org.example.Any', { properties: { Any: { type: 'a{sv}' } } });
      const done: (() => void)[] = [];
      let any: Record<string, unknown> = {};
      const object = implement(Any, {
        Any: {
          get: () => (getter === 'at once' ? any : Promise.resolve(any)),
          set: (value) => {
            any = value;
            return new Promise<void>((resolve) => done.push(resolve));
          },
        },
      });
      const { properties } = exportableOf(object);
      const both = [variant.y(1), variant.u(1)].map((level) => properties.set('Any', { level }));
      for (const each of [first, last]) {
        // While both run, it is already the second one.
        assert.equal(await properties.get('Any'), { level: variant.u(1) });
        done[each]?.();
        await both[each];
      }
      assert.equal(await properties.get('Any'), { level: variant.u(1) });
    });
  }
}

test('a getter whose value is of another type has changed even so', async () => {
  let level: unknown = 1;
  const object = implement(Level, {
    Level: {
      get: () => level as number,
      set: () => {
        level = 'wrong';
      },
    },
  });
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  const problems = await problemsDuring(async () => {
    object.properties.Level = 2;
    assert.equal(await outlet.settled(), changed({}, 'Level'));
    object.emitPropertiesChanged(['Level']);
    assert.equal(await outlet.settled(), changed({}, 'Level'));
  });
  assert.is(problems.length, 2);
});

test('a change that a getter makes while changes are collected is sent', async () => {
  class Counting extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Counting';
    @property({ type: 'u' })
    accessor Reads = 0;
    @property({ type: 'u' })
    get Level(): number {
      this.Reads++;
      return 7;
    }
  }
  const object = new Counting();
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.emitPropertiesChanged(['Level']);
  const told = [...(await outlet.settled()), ...(await outlet.settled())];
  assert.equal(told, [...changed({ Level: 7 }), ...changed({ Reads: 1 })]);
});

test('descriptors that were handed over are closed after the last path, or at once if there is none', async () => {
  const Files = defineInterface('org.example.Files', {
    signals: { Opened: { args: 'h' } },
    properties: { File: { type: 'h' } },
  });
  const opened = () => FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
  for (const places of [0, 1, 3]) {
    let kept = FileDescriptor.adopt(openSync('/dev/null', 'r'));
    const object = implement(Files, { File: kept });
    const outlets = Array.from({ length: places }, () => new RecordingOutlet());
    for (const outlet of outlets) outlet.attachTo(object);
    const file = opened();
    object.emit.Opened(file);
    // With one path, the message closes them, which a recording outlet does not send.
    if (places !== 1) assert.ok(file.closed, `${places} places`);
    else file.close();
    const value = opened();
    object.properties.File = value;
    for (const outlet of outlets) await outlet.settled();
    if (places > 0) assert.ok(value.closed, `${places} places, as a property`);
    else value.close();
    kept.close();
    kept = value;
  }
  const bare = openSync('/dev/null', 'r');
  closeSync(bare);
});

// What is asked for.

test('a signal is checked even if the object is not exported', () => {
  assert.match(
    refusal(() => new Base().Born('no' as never)),
    /expected u/,
  );
  const Said = defineInterface('org.example.Said', { signals: { Said: { args: 'u' } } });
  assert.match(
    refusal(() => implement(Said, {}).emit.Said('no' as never)),
    /expected u/,
  );
});

test('a generator cannot be a method or a signal', () => {
  const define = [
    () =>
      class extends ServiceInterface {
        @(method() as (value: unknown, context: unknown) => void)
        *Heat(): Generator {
          yield 1;
        }
      },
    () => {
      class Legacy extends ServiceInterface {
        async *Heat(): AsyncGenerator {
          yield 1;
        }
      }
      legacy(method(), Legacy, 'Heat');
    },
    () => {
      class Signal extends ServiceInterface {
        static override readonly interfaceName = 'org.example.Signal';
        @(signal() as (value: unknown, context: unknown) => void)
        *Said(): Generator {
          yield 1;
        }
      }
      new Signal();
    },
    () => {
      const Heat = defineInterface('org.example.Heat', { methods: { Heat: {} } });
      implement(Heat, {
        *Heat() {
          yield 1;
        },
      } as never);
    },
  ];
  for (const each of define) assert.match(refusal(each), /it is a generator/);
});

test('annotations and flags of the wrong type are refused', () => {
  for (const options of [
    { annotations: 5 },
    { annotations: 'text' },
    { annotations: null },
    { annotations: { 'org.example.Note': 5 } },
    { deprecated: 'no' },
    { deprecated: 1 },
    { noReply: 'yes' },
  ]) {
    refusal(() => defineInterface('org.example.Any', { methods: { Any: options as never } }));
    refusal(() =>
      legacy(
        method(options as never),
        class {
          Any(): void {}
        },
        'Any',
      ),
    );
  }
});

test('missing arguments are refused by name', () => {
  assert.match(
    refusal(() => new Base().emitPropertiesChanged([5] as never)),
    /expected names of properties/,
  );
  class Numbered extends ServiceInterface {
    constructor() {
      super(5 as never);
    }
  }
  assert.match(
    refusal(() => new Numbered()),
    /super\(…\) takes the interface's name/,
  );
  const half = { path: '/', interfaces: new Map([['a.b', { name: 'a.b' }]]), children: new Map() };
  assert.match(
    refusal(() => introspectionXml(half as never)),
    /description of an interface is incomplete/,
  );
});

test('a name that is passed to super overrides an inherited one, for proxies and for services', () => {
  class A extends ServiceInterface {
    static override readonly interfaceName: string = 'st.A';
  }
  class B extends A {
    constructor() {
      super('st.B' as never);
    }
  }
  class NotPassed extends A {}
  assert.is(describe(B).name, 'st.B');
  assert.is(describe(new B()).name, 'st.B');
  assert.is(describe(NotPassed).name, 'st.A');
});

test('a class with annotations is described once', () => {
  class Noted extends ServiceInterface {
    constructor(note = 'yes') {
      super({ name: 'org.example.Noted', annotations: { 'org.example.Note': note } });
    }
  }
  assert.is(describe(new Noted()), describe(new Noted()));
  assert.equal([...describe(new Noted('no')).annotations], [['org.example.Note', 'no']]);
});

test('a field that is to be a method, and a Proxy around a service, have an error that says so', () => {
  const standard = () =>
    class extends ServiceInterface {
      @(method() as (value: unknown, context: unknown) => void)
      Heat = () => {};
    };
  class Legacy extends ServiceInterface {}
  const texts = [refusal(standard), refusal(() => legacy(method(), Legacy, 'Heat'))];
  assert.is(texts[0], texts[1]);
  assert.match(texts[0] ?? '', /a field is not a method: write "Heat\(…\)/);
  const proxied = new Proxy(new Base(), {});
  assert.match(
    refusal(() => exportableOf(proxied)),
    /this is a Proxy/,
  );
});

test.run();
