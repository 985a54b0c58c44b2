// What decorators do to a class: its description, its members in use, and the mistakes that they refuse.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DBusError, InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../../src/base/errors.js';
import type { CallContext } from '../../src/service/calls/call-context.js';
import { describe, memberAliases } from '../../src/service/class/describe.js';
import type { Emits } from '../../src/service/class/emits.js';
import { method } from '../../src/service/class/method.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface, type ServiceInterfaceClass } from '../../src/service/class/service-interface.js';
import { signal } from '../../src/service/class/signal.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { callContext, RecordingOutlet } from '../helpers/recording-outlet.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('decorators');

/** The message of the InvalidArgumentError that `act` throws. */
function refusal(act: () => unknown): string {
  const error = thrown(act);
  assert.instance(error, InvalidArgumentError);
  return error.message;
}

/** A decorator where the compiler would rightly refuse it. */
const untyped = (decorator: unknown) => decorator as (value: unknown, context: unknown) => void;

class Module extends ServiceInterface {
  constructor() {
    super('org.example.Module');
  }

  @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
  async TestMethod(kind: string, devices: Record<string, string[]>): Promise<string> {
    return kind + Object.keys(devices).join();
  }

  @method({ in: 'u', out: 'us', context: true })
  WhoAsks(number: number, context: CallContext): [number, string] {
    return [number, context.sender ?? 'no sender'];
  }

  @method()
  Fail(): void {
    throw new DBusError('org.example.Error.Busy', 'busy');
  }

  @signal({ args: ['vms:a{ss}'], deprecated: true })
  TestSignal(vms: Record<string, string>): Emits<Record<string, string>> {
    return vms;
  }

  @signal({ args: ['a:s', 'b:u'] })
  Pair(b: number): Emits<[a: string, b: number]> {
    return ['pair', b];
  }

  @signal({ args: 'as' })
  List(...list: string[]): Emits<string[]> {
    return list;
  }

  @signal()
  Nothing(): Emits {}

  @property({ type: 'a{ss}', access: 'readwrite' })
  accessor TestProperty: Record<string, string> = {};

  @property({ type: 's', access: 'read', emits: 'const', name: 'with-dash', annotations: { 'org.example.Note': 'x' } })
  accessor dashed = 'constant';

  plain(): void {}
}

test('the description of a class has its decorated members', () => {
  const { name, methods, signals, properties } = describe(Module);
  assert.is(name, 'org.example.Module');
  assert.equal([...methods.keys()], ['TestMethod', 'WhoAsks', 'Fail']);
  assert.is(methods.get('TestMethod')?.inSignature, 'sa{sas}');
  assert.equal(methods.get('TestMethod')?.in, [
    { name: 'kind', signature: 's' },
    { name: 'devices', signature: 'a{sas}' },
  ]);
  assert.is(methods.get('WhoAsks')?.outSignature, 'us');
  assert.equal([...signals.keys()], ['TestSignal', 'Pair', 'List', 'Nothing']);
  assert.is(signals.get('TestSignal')?.deprecated, true);
  assert.is(properties.get('TestProperty')?.access, 'readwrite');
  assert.is(properties.get('TestProperty')?.emits, true);
  assert.equal([...(properties.get('with-dash')?.annotations ?? [])], [['org.example.Note', 'x']]);
  assert.is(properties.get('with-dash')?.access, 'read');
});

test('a class and its instances share one description', () => {
  assert.is(describe(Module), describe(Module));
  assert.is(describe(new Module()), describe(Module));
  assert.is(exportableOf(new Module()).description, describe(Module));
});

test('the names of members in the class are known where they differ', () => {
  assert.equal([...memberAliases(Module)], [['property dashed', 'with-dash']]);
  assert.is(exportableOf(new Module()).properties.get('with-dash'), 'constant');
});

test('methods are called with their arguments, and with the context only on request', async () => {
  const exportable = exportableOf(new Module());
  assert.is(await exportable.callMethod('TestMethod', ['vm', { a: [], b: [] }], callContext(':1.5')), 'vma,b');
  assert.equal(exportable.callMethod('WhoAsks', [5], callContext(':1.5')), [5, ':1.5']);
});

test('an error that a method throws reaches the caller unchanged', () => {
  const exportable = exportableOf(new Module());
  const error = thrown(() => exportable.callMethod('Fail', [], callContext()));
  assert.is((error as DBusError).dbusName, 'org.example.Error.Busy');
});

test('only decorated members are accessible', () => {
  const exportable = exportableOf(new Module());
  for (const name of ['plain', 'constructor', 'toString', 'TestProperty', 'TestSignal', 'emitPropertiesChanged']) {
    assert.instance(
      thrown(() => exportable.callMethod(name, [], callContext())),
      UnknownMethodError,
    );
  }
  for (const name of ['dashed', 'TestMethod', '__proto__', 'constructor']) {
    assert.instance(
      thrown(() => exportable.properties.get(name)),
      UnknownPropertyError,
    );
    assert.instance(
      thrown(() => exportable.properties.set(name, '')),
      UnknownPropertyError,
    );
  }
});

test('a signal is sent at every path where the object is exported, and nowhere else', async () => {
  const module = new Module();
  const [first, second] = [new RecordingOutlet(), new RecordingOutlet()];
  assert.equal(module.TestSignal({ vm: 'unheard' }), { vm: 'unheard' });
  const detach = first.attachTo(module);
  second.attachTo(module);
  module.TestSignal({ vm: 'up' });
  detach();
  detach();
  module.Pair(5);
  module.List('a', 'b');
  module.Nothing();
  assert.equal(await first.settled(), [{ signal: 'TestSignal', values: [{ vm: 'up' }] }]);
  assert.equal(await second.settled(), [
    { signal: 'TestSignal', values: [{ vm: 'up' }] },
    { signal: 'Pair', values: ['pair', 5] },
    { signal: 'List', values: [['a', 'b']] },
    { signal: 'Nothing', values: [] },
  ]);
});

test('an outlet that fails does not keep a signal from the others, and the emitter gets the error', async () => {
  const module = new Module();
  const outlet = new RecordingOutlet();
  const refuse = () => {
    throw new InvalidArgumentError('refused');
  };
  new RecordingOutlet(refuse).attachTo(module);
  outlet.attachTo(module);
  assert.is(
    refusal(() => module.Pair(1)),
    'refused',
  );
  assert.equal(await outlet.settled(), [{ signal: 'Pair', values: ['pair', 1] }]);
});

test('the emitter of a signal of several arguments must return that many', () => {
  class Short extends ServiceInterface {
    @signal({ args: 'ss' })
    Two(): Emits<[string, string]> {
      return ['one'] as never;
    }
  }
  const short = new (class extends Short {
    static override readonly interfaceName = 'org.example.Short';
  })();
  assert.match(
    refusal(() => short.Two()),
    'must return its 2 arguments',
  );
});

// Inheritance.

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

// Names of interfaces.

test('the interface name of a class is found without running its constructor beyond super', () => {
  let ran = 0;
  class Effects extends ServiceInterface {
    readonly field = ++ran;
    constructor() {
      super('org.example.Effects');
      ran++;
    }
  }
  assert.is(describe(Effects).name, 'org.example.Effects');
  assert.is(ran, 0);
  new Effects();
  assert.is(ran, 2);
});

test('a class whose constructor needs arguments must declare its name', () => {
  class Needs extends ServiceInterface {
    constructor(options: { readonly name: string }) {
      super(options.name);
    }
  }
  assert.match(
    refusal(() => describe(Needs)),
    'static readonly interfaceName',
  );
  class Says extends Needs {
    static override readonly interfaceName = 'org.example.Says';
  }
  assert.is(describe(Says).name, 'org.example.Says');
  assert.is(describe(new Needs({ name: 'org.example.Given' })).name, 'org.example.Given');
});

test('the constructor of a class may create other instances before it calls super', () => {
  class Inner extends ServiceInterface {
    constructor() {
      super('org.example.Inner');
    }
  }
  class Outer extends ServiceInterface {
    constructor() {
      super(`${describe(new Inner()).name}.Outer`);
    }
  }
  assert.is(describe(Outer).name, 'org.example.Inner.Outer');
});

test('an interface may have annotations', () => {
  class Noted extends ServiceInterface {
    constructor() {
      super({ name: 'org.example.Noted', annotations: { 'org.example.Note': 'yes' } });
    }
  }
  assert.equal([...describe(Noted).annotations], [['org.example.Note', 'yes']]);
});

test('an invalid or missing interface name is refused', () => {
  class Named extends ServiceInterface {}
  assert.throws(() => new (Named as new (name: string) => Named)('no'), /interface name/);
  assert.match(
    refusal(() => new (Named as new () => Named)()),
    'has no interface name',
  );
});

// Refusals.

test('a class that cannot be exported or described is refused', () => {
  assert.match(
    refusal(() => exportableOf(Module as never)),
    'this is a class',
  );
  for (const value of [{}, null, undefined, 5, 'x', class {}]) {
    refusal(() => exportableOf(value as never));
    refusal(() => describe(value as never));
  }
});

test('an invalid signature, name or option is refused when the class is defined, with the member', () => {
  const definitions: [() => unknown, RegExp][] = [
    [
      () =>
        class extends ServiceInterface {
          @method({ in: ['x:z'] as never })
          Bad(): void {}
        },
      /@method "Bad".*z/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @method({ name: 'no-dash' as string })
          Bad(): void {}
        },
      /@method "Bad".*no-dash/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(signal({ args: ['x:a{vs}'] as never }))
          Bad(): never {
            throw new Error();
          }
        },
      /@signal "Bad"/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 'ss' as never }))
          accessor Bad = '';
        },
      /@property "Bad"/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @property({ type: 's', access: 'rw' as 'read' })
          accessor Bad = '';
        },
      /@property "Bad".*access/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 's', emits: 'sometimes' as never }))
          accessor Bad = '';
        },
      /@property "Bad".*emits/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method())
          static Bad(): void {}
        },
      /@method "Bad".*static/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 's' }))
          Bad = '';
        },
      /write "accessor Bad"/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 's' }))
          Bad(): void {}
        },
      /a method is not a property: write "get Bad\(\)", or @method/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method())
          accessor Bad = '';
        },
      /accessor is not a method/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method())
          [Symbol.iterator](): void {}
        },
      /symbol/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method)
          Bad(): void {}
        },
      /write @method\(/,
    ],
    [
      () => {
        class Plain {
          @untyped(method())
          Bad(): void {}
        }
        return new Plain();
      },
      /^@method "Bad": its class does not extend ServiceInterface$/,
    ],
    [
      () => (property as unknown as () => unknown)(),
      /^@property takes one object of options: write @property\({ type: 's' }\), with the signature/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({} as { type: 's' }))
          accessor Bad = '';
        },
      /^@property "Bad": "type" is missing: give the signature of its value, as in { type: 's' }$/,
    ],
    [
      () => {
        @untyped(method())
        class Bad extends ServiceInterface {}
        return Bad;
      },
      /members of a class/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @method()
          @method()
          Bad(): void {}
        },
      /decorated twice/,
    ],
  ];
  for (const [define, message] of definitions) assert.match(refusal(define), message);
});

test('two members of one name on D-Bus are refused, and so is access that a member does not have', () => {
  const describing = (define: ServiceInterfaceClass) => () => describe(define);
  class Twice extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Twice';
    @method()
    Same(): void {}
    @method({ name: 'Same' })
    other(): void {}
  }
  assert.match(refusal(describing(Twice)), '"Same" and "other" are both the method Same');
  assert.match(
    refusal(() => new Twice()),
    'are both the method Same',
  );
  class ReadOnly extends ServiceInterface {
    static override readonly interfaceName = 'org.example.ReadOnly';
    @untyped(property({ type: 's', access: 'readwrite' }))
    get Text(): string {
      return '';
    }
  }
  assert.match(refusal(describing(ReadOnly)), 'no setter');
  class Both extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Both';
    @property({ type: 's' })
    get Text(): string {
      return '';
    }
    @property({ type: 's', access: 'write' })
    set Text(_value: string) {}
  }
  assert.match(refusal(describing(Both)), 'decorated twice');
});

test('a method and a property may have the same name on D-Bus', () => {
  class Same extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Same';
    @method({ name: 'Name' })
    name(): void {}
    @property({ type: 's' })
    accessor Name = '';
  }
  assert.ok(describe(Same).methods.has('Name') && describe(Same).properties.has('Name'));
});

test('a decorator above @method that replaces the member is refused with advice', () => {
  const replace = (value: () => void, _context: ClassMethodDecoratorContext) => () => value();
  class Replaced extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Replaced';
    @replace
    @method()
    Above(): void {}
  }
  assert.match(
    refusal(() => new Replaced()),
    'above all others',
  );
  class Below extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Below';
    @method()
    @replace
    Fine(): void {}
  }
  assert.ok(exportableOf(new Below()).description.methods.has('Fine'));
});

test('the error for decorated members of a class that does not extend ServiceInterface says what is missing', () => {
  class Unrelated {
    @untyped(signal())
    Lonely(): void {}
  }
  assert.match(
    refusal(() => new Unrelated().Lonely()),
    'extend ServiceInterface',
  );
});

test.run();
