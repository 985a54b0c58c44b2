// What decorators do to a class: its description, its name, and its members in use.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DBusError, InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../../src/base/errors.js';
import type { CallContext } from '../../src/service/calls/call-context.js';
import { describe, memberAliases } from '../../src/service/class/describe.js';
import type { Emits } from '../../src/service/class/emits.js';
import { method } from '../../src/service/class/method.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface } from '../../src/service/class/service-interface.js';
import { signal } from '../../src/service/class/signal.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { callContext, RecordingOutlet } from '../helpers/recording-outlet.js';
import { refusal } from '../helpers/refusal.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('decorators');

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

// Names of interfaces.

test('the interface name of a class is found without running its constructor beyond super', () => {
  let ran = 0;
  let began = 0;
  const name = () => {
    began++;
    return 'org.example.Effects';
  };
  class Effects extends ServiceInterface {
    readonly field = ++ran;
    constructor() {
      super(name());
      ran++;
    }
  }
  assert.is(describe(Effects).name, 'org.example.Effects');
  assert.is(ran, 0);
  assert.is(began, 1);
  assert.is(describe(Effects).name, 'org.example.Effects');
  assert.is(began, 1);
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

test('the constructor of a class that declares its name is not run, and need not pass a name', () => {
  let ran = 0;
  class Injected extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Injected';
    constructor(name: { readonly text: string }) {
      ran += name.text.length;
      super();
    }
  }
  assert.is(describe(Injected).name, 'org.example.Injected');
  assert.is(ran, 0);
  assert.is(describe(new Injected({ text: 'abc' })).name, 'org.example.Injected');
  assert.is(ran, 3);
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

test.run();
