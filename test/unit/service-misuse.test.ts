// Mistakes in classes and definitions of services, and what the errors say.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  type Emits,
  implement,
  introspectionXml,
  method,
  ServiceInterface,
  signal,
} from '../../src/index.js';
import { describe } from '../../src/service/class/describe.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { legacy } from '../helpers/legacy-decorator.js';
import { refusal } from '../helpers/refusal.js';

const test = suite('misuse of services');

class Base extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Base';

  @signal({ args: 'u' })
  Born(level: number): Emits<number> {
    return level;
  }
}

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
