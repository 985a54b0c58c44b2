// Decorated members of classes that extend each other.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describe } from '../../src/service/class/describe.js';
import type { Emits } from '../../src/service/class/emits.js';
import { method } from '../../src/service/class/method.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface } from '../../src/service/class/service-interface.js';
import { signal } from '../../src/service/class/signal.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { callContext, RecordingOutlet } from '../helpers/recording-outlet.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('inherited members');

/** A decorator where the compiler would rightly refuse it. */
const _untyped = (decorator: unknown) => decorator as (value: unknown, context: unknown) => void;

class Base extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Base';

  @method({ out: 's' })
  Who(): string {
    return 'base';
  }

  @method({ out: 's' })
  Gone(): string {
    return 'base';
  }

  @signal({ args: 's' })
  Said(text: string): Emits<string> {
    return text;
  }

  @property({ type: 's' })
  accessor Shared = 'base';
}

class Left extends Base {
  static override readonly interfaceName = 'org.example.Left';

  override Who(): string {
    return `left of ${super.Who()}`;
  }

  @method({ out: 's', disabled: true })
  override Gone(): string {
    return 'left';
  }

  @method()
  Own(): void {}
}

class Right extends Base {
  static override readonly interfaceName = 'org.example.Right';

  @method({ out: 'u', deprecated: true, name: 'Renamed' })
  override Who(): never {
    return 5 as never;
  }

  override Said(text: string): Emits<string> {
    return super.Said(`right: ${text}`);
  }
}

test('a subclass inherits members and adds its own, which its base and sibling classes do not get', () => {
  assert.equal([...describe(Base).methods.keys()], ['Who', 'Gone']);
  assert.equal([...describe(Left).methods.keys()], ['Who', 'Own']);
  assert.equal([...describe(Right).methods.keys()], ['Renamed', 'Gone']);
  assert.equal([...describe(Left).properties.keys()], ['Shared']);
  assert.is(describe(Left).name, 'org.example.Left');
});

test('an override answers, whether it is decorated again or not', () => {
  assert.is(exportableOf(new Left()).callMethod('Who', [], callContext()), 'left of base');
  assert.is(exportableOf(new Right()).callMethod('Renamed', [], callContext()), 5);
});

test('an overridden signal is emitted once when the base method is called', async () => {
  const right = new Right();
  const outlet = new RecordingOutlet();
  outlet.attachTo(right);
  right.Said('hello');
  assert.equal(await outlet.settled(), [{ signal: 'Said', values: ['right: hello'] }]);
});

test('an override that is of another kind, or removes access, is refused with advice', () => {
  class Parent extends ServiceInterface {
    constructor() {
      super('org.example.Parent');
    }
    @property({ type: 'u' })
    accessor Level = 1;
    @property({ type: 'u', access: 'read' })
    accessor Fixed = 1;
    @method({ out: 's' })
    Ask(): string {
      return '';
    }
    @signal()
    Told(): Emits {}
  }
  /** A subclass with the members of an object, unchanged. */
  const overriding = (members: object, decorate?: (prototype: object) => void) => {
    class Child extends Parent {}
    Object.defineProperties(Child.prototype, Object.getOwnPropertyDescriptors(members));
    decorate?.(Child.prototype);
    return () => new Child();
  };
  const refusals: [object, string][] = [
    [
      {
        get Level() {
          return 2;
        },
      },
      '@property "Level": a getter without a setter overrides it, so it no longer has a setter: override both, or decorate the ' +
        'getter with @property',
    ],
    [
      { set Level(_value: number) {} },
      '@property "Level": a setter without a getter overrides it, so it no longer has a getter: override both, or decorate the ' +
        'setter with @property',
    ],
    [{ Level() {} }, '@property "Level": it is overridden by a method: write "get Level() { … }"'],
    [
      {
        get Ask() {
          return () => '';
        },
      },
      '@method "Ask": its override is not a method: write "Ask(…) { … }", or remove it from D-Bus with ' +
        '@method({ disabled: true })',
    ],
    [
      { *Ask() {} },
      '@method "Ask": it is a generator, whose code does not run when it is called: write a function or an async function',
    ],
    [
      { Told: 5 },
      '@signal "Told": its override is not a method: write "Told(…) { … }", or remove it from D-Bus with ' +
        '@signal({ disabled: true })',
    ],
  ];
  for (const [members, text] of refusals) assert.is(thrown(overriding(members)).message, text);
  // An override needs only the access that the decorator names.
  overriding({
    get Fixed() {
      return 2;
    },
  })();
});

test('a field that is not a function in the place of a method is reported when it is called', () => {
  class Parent extends ServiceInterface {
    constructor() {
      super('org.example.Parent');
    }
    @method({ out: 's' })
    Ask(): string {
      return '';
    }
  }
  const child = Object.defineProperty(new Parent(), 'Ask', { value: 5 });
  assert.match(
    thrown(() => exportableOf(child).callMethod('Ask', [], callContext())).message,
    /^the method Ask is overridden by a field that is not a function: write a method/,
  );
});

test('a member that is disabled is not on D-Bus, and a subclass can decorate it again', async () => {
  class Parent extends ServiceInterface {
    constructor() {
      super('org.example.Parent');
    }
    @method({ out: 's' })
    Ask(): string {
      return 'parent';
    }
    @property({ type: 'u' })
    accessor Level = 1;
    @signal()
    Told(): Emits {}
  }
  class Without extends Parent {
    @method({ out: 's', disabled: true })
    override Ask(): string {
      return 'without';
    }
    @property({ type: 'u', disabled: true })
    override accessor Level = 2;
    @signal({ disabled: true })
    override Told(): Emits {}
  }
  class Inheriting extends Without {
    override Ask(): string {
      return 'inheriting';
    }
  }
  class Again extends Without {
    @method({ out: 's' })
    override Ask(): string {
      return 'again';
    }
  }
  const namesOf = (described: new () => ServiceInterface) => {
    const { methods, properties, signals } = describe(new described());
    return [methods, properties, signals].flatMap((members) => [...members.keys()]);
  };
  assert.equal(namesOf(Parent), ['Ask', 'Level', 'Told']);
  assert.equal(namesOf(Without), []);
  assert.equal(namesOf(Inheriting), []);
  assert.equal(namesOf(Again), ['Ask']);
  const without = new Without();
  const outlet = new RecordingOutlet();
  outlet.attachTo(without);
  without.Told();
  without.Level = 3;
  assert.equal(await outlet.settled(), []);
  assert.match(
    thrown(() => without.emitPropertiesChanged(['Level'])).message,
    /^org.example.Parent has no property "Level"/,
  );
  assert.match(thrown(() => method({ disabled: 'no' as never })).message, /^disabled: expected a boolean, got string$/);
});

test('using a class as a base first does not change it', () => {
  new Base();
  new Left();
  assert.equal([...describe(Base).methods.keys()], ['Who', 'Gone']);
});

test.run();
