/**
 * Type tests of interfaces: classes with decorators, definitions, and the proxies made from both. They compile under
 * the oldest supported TypeScript, the newest, and the newest 5, each with standard and with `experimentalDecorators`; nothing here
 * is ever run. A line under `@ts-expect-error` must not compile.
 */
import {
  type CallContext,
  defineInterface,
  describe,
  type Emits,
  type InterfaceDescription,
  implement,
  type Message,
  type MessageBus,
  type MethodCall,
  method,
  type ProxyOf,
  property,
  ServiceInterface,
  type SignalContext,
  type SignalWatch,
  type Subscription,
  signal,
  type WriteValue,
} from 'busbar';
import { type Equal, is } from './is.js';

// A class whose members fit their signatures.

class TestModule extends ServiceInterface {
  readonly #secrets: string[] = [];

  constructor() {
    super('org.example.dbustest.Module');
  }

  @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
  async TestMethod(kind: string, devices: Record<string, string[]>): Promise<string> {
    return kind + Object.keys(devices).length;
  }

  @method({ in: 'su', out: 'sb' })
  Several(name: string, count: number): [string, boolean] {
    return [name, count > 1];
  }

  @method({ in: 's', out: 's', context: true })
  WhoCalls(greeting: string, context: CallContext): string {
    return greeting + (context.sender ?? '');
  }

  @method({ out: 'x' })
  Big(): bigint | number {
    return 1;
  }

  @method({ in: ['a:s', 'b:s'] })
  IgnoresArguments(_a: string, _b: string): void {}

  @method()
  async Nothing() {}

  @method({ in: ['value:v'], out: 'v' })
  Any(value: unknown): unknown {
    return value;
  }

  @method({ deprecated: true, noReply: true, annotations: { 'org.example.Note': 'old' }, name: 'Renamed' })
  renamed(): void {}

  @signal({ args: ['vms:a{ss}'] })
  TestSignal(vms: Record<string, string>): Emits<Record<string, string>> {
    return vms;
  }

  @signal({ args: ['name:s', 'age:u'] })
  async TwoArguments(name: string): Promise<Emits<[name: string, age: number]>> {
    return [name, 5];
  }

  @signal()
  NoArguments(): Emits {}

  @signal({ args: ['pair:(ss)'] })
  OneStruct(a: string): Emits<[string, string], [[string, string]]> {
    return [a, a];
  }

  @signal({ args: 'as' })
  OneArray(list: string[]): Emits<string[]> {
    return list;
  }

  @property({ type: 'a{ss}', access: 'readwrite' })
  accessor TestProperty: Record<string, string> = {};

  @property({ type: 's', access: 'read', emits: 'const' })
  accessor Version = '1.0';

  @property({ type: 'u' })
  get Uptime(): number {
    return 1;
  }

  @property({ type: 's', emits: 'invalidates' })
  get Mood(): string {
    return this.#secrets.join();
  }
  set Mood(value: string) {
    this.#secrets.push(value);
  }

  @property({ type: 's', access: 'write' })
  set Secret(value: string) {
    this.#secrets.push(value);
  }

  protected internal(): void {}
}

// The proxy of a class.

declare const bus: MessageBus;
const module = bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest');

is<Equal<typeof module, ProxyOf<typeof TestModule>>>();
is<Equal<ProxyOf<typeof TestModule>['call'], ProxyOf<TestModule>['call']>>();

type Methods = 'TestMethod' | 'Several' | 'WhoCalls' | 'Big' | 'IgnoresArguments' | 'Nothing' | 'Any' | 'renamed';
type Signals = 'TestSignal' | 'TwoArguments' | 'NoArguments' | 'OneStruct' | 'OneArray';
is<Equal<keyof typeof module.call, Methods>>();
is<Equal<keyof typeof module.on, Signals>>();
is<Equal<keyof typeof module.once, Signals>>();
is<Equal<keyof typeof module.watch, Signals>>();
is<Equal<keyof typeof module.get, 'TestProperty' | 'Version' | 'Uptime' | 'Mood' | 'Secret'>>();
is<Equal<keyof typeof module.set, 'TestProperty' | 'Version' | 'Mood' | 'Secret'>>();

is<Equal<ReturnType<typeof module.call.TestMethod>, Promise<string>>>();
is<Equal<Parameters<typeof module.call.TestMethod>, [kind: string, devices: WriteValue<'a{sas}'>]>>();
is<Equal<ReturnType<typeof module.call.Several>, Promise<[string, boolean]>>>();
is<Equal<Parameters<typeof module.call.WhoCalls>, [greeting: string]>>();
is<Equal<ReturnType<typeof module.call.Nothing>, Promise<void>>>();
is<Equal<ReturnType<typeof module.get.TestProperty>, Promise<Record<string, string>>>>();
is<Equal<Parameters<typeof module.set.Mood>, [value: string]>>();
is<Equal<ReturnType<typeof module.set.Mood>, Promise<void>>>();

module.on.TestSignal((vms) => is<Equal<typeof vms, Record<string, string>>>());
module.on.TwoArguments((name, age) => is<Equal<[typeof name, typeof age], [string, number]>>());
module.on.OneStruct((pair) => is<Equal<typeof pair, [string, string]>>());
module.on.OneArray((list) => is<Equal<typeof list, string[]>>());
is<Equal<Parameters<Parameters<typeof module.on.NoArguments>[0]>, []>>();
is<Equal<Awaited<ReturnType<typeof module.once.TwoArguments>>, [name: string, age: number]>>();
is<Equal<ReturnType<typeof module.on.TestSignal>, Subscription>>();
is<Equal<Awaited<ReturnType<typeof module.getAll>>['Mood'], string | undefined>>();
module.onChange((changed, invalidated) => {
  is<Equal<typeof changed.Uptime, number | undefined>>();
  is<Equal<(typeof invalidated)[number], 'TestProperty' | 'Version' | 'Uptime' | 'Mood' | 'Secret'>>();
});

async function uses(signalToAbort: AbortSignal): Promise<void> {
  for await (const [vms] of module.watch.TestSignal({ signal: signalToAbort })) {
    is<Equal<typeof vms, Record<string, string>>>();
  }
  const fast = module.with({ timeout: 500, signal: signalToAbort, autoStart: false, interactive: true });
  is<Equal<typeof fast.call, typeof module.call>>();
  module.with({ noReply: true, variants: 'wrap', typedArrays: true, timeout: Number.POSITIVE_INFINITY });
  using subscription = module.on.NoArguments(() => {});
  is<Equal<typeof subscription.ready, Promise<void>>>();
  subscription.end();
}

// @ts-expect-error an argument of another type
module.call.TestMethod(5, {});
// @ts-expect-error a missing argument
module.call.TestMethod('vm');
// @ts-expect-error an extra argument
module.call.TestMethod('vm', {}, 1);
// @ts-expect-error an unknown method
module.call.TestMethodd('vm', {});
// @ts-expect-error a signal is not a method
module.call.TestSignal({});
// @ts-expect-error a property is not a method
module.call.Mood();
// @ts-expect-error a protected member is not on the proxy
module.call.internal();
// @ts-expect-error members of ServiceInterface are not on the proxy
module.call.emitPropertiesChanged([]);
// @ts-expect-error a method is not a signal
module.on.TestMethod(() => {});
// @ts-expect-error a listener with parameters of another type
module.on.TestSignal((_vms: number) => {});
// @ts-expect-error an unknown property
module.get.Modo();
// @ts-expect-error a getter without a setter cannot be set
module.set.Uptime(5);
// @ts-expect-error a property value of another type
module.set.TestProperty({ vm: 5 });
// @ts-expect-error an unknown option
module.with({ timeOut: 5 });
// @ts-expect-error an arbitrary object does not describe an interface
bus.proxy({}, 'org.example.dbustest', '/org/example/dbustest');
// @ts-expect-error a class that is not a service does not describe an interface
bus.proxy(Date, 'org.example.dbustest', '/org/example/dbustest');

// Awkward names are ordinary names.

class Awkward extends ServiceInterface {
  @method({ out: 's' })
  on(): string {
    return '';
  }

  @method({ in: 'u' })
  // biome-ignore lint/suspicious/noThenProperty: members may have any name
  then(_value: number): void {}

  @signal({ args: 's' })
  call(text: string): Emits<string> {
    return text;
  }
}
const awkward = bus.proxy(Awkward, 'org.example.Awkward', '/');
is<Equal<keyof typeof awkward.call, 'on' | 'then()'>>();
is<Equal<ReturnType<typeof awkward.call.on>, Promise<string>>>();
awkward.on.call((text) => is<Equal<typeof text, string>>());

// Subclasses inherit members.

class Extended extends TestModule {
  @method({ out: 'u' })
  More(): number {
    return 1;
  }
}
const extended = bus.proxy(Extended, 'org.example.dbustest', '/');
is<Equal<keyof typeof extended.call, Methods | 'More'>>();

// The same interface without decorators.

const Module = defineInterface('org.example.dbustest.Module', {
  methods: {
    TestMethod: { in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] },
    Several: { in: 'su', out: 'sb' },
    Big: { in: 'x', out: ['big:t'] },
    Nothing: {},
    constructor: { out: 's' },
  },
  signals: { TestSignal: { args: ['vms:a{ss}'] }, TwoArguments: { args: 'su' }, NoArguments: {} },
  properties: {
    TestProperty: { type: 'a{ss}', access: 'readwrite' },
    Mood: { type: 's' },
    Uptime: { type: 'u', access: 'read' },
    Secret: { type: 's', access: 'write', emits: false },
  },
});
is<Equal<typeof Module.name, 'org.example.dbustest.Module'>>();

const defined = bus.proxy(Module, 'org.example.dbustest', '/org/example/dbustest');
is<Equal<keyof typeof defined.call, 'TestMethod' | 'Several' | 'Big' | 'Nothing' | 'constructor'>>();
is<Equal<keyof typeof defined.on, 'TestSignal' | 'TwoArguments' | 'NoArguments'>>();
is<Equal<keyof typeof defined.get, 'TestProperty' | 'Mood' | 'Uptime'>>();
is<Equal<keyof typeof defined.set, 'TestProperty' | 'Mood' | 'Secret'>>();
is<Equal<ReturnType<typeof defined.call.TestMethod>, Promise<string>>>();
is<Equal<ReturnType<typeof defined.call.Several>, Promise<[string, boolean]>>>();
is<Equal<ReturnType<typeof defined.call.Big>, Promise<bigint>>>();
is<Equal<ReturnType<typeof defined.call.Nothing>, Promise<void>>>();
is<Equal<ReturnType<typeof defined.call.constructor>, Promise<string>>>();
is<Equal<ReturnType<typeof defined.get.Uptime>, Promise<number>>>();
defined.call.Big(5);
defined.call.Big(5n);
defined.on.TwoArguments((a, b) => is<Equal<[typeof a, typeof b], [string, number]>>());
is<Equal<Parameters<Parameters<typeof defined.on.NoArguments>[0]>, []>>();
defined.on.TwoArguments(
  (a, b, context) => is<Equal<[typeof a, typeof b, typeof context], [string, number, SignalContext]>>(),
  {
    context: true,
  },
);
const definedWatch = defined.watch.NoArguments({ context: true, limit: 5 });
is<Equal<typeof definedWatch, SignalWatch<[context: SignalContext]>>>();

// @ts-expect-error an argument of another type
defined.call.TestMethod('vm', { a: 'b' });
// @ts-expect-error an unknown method
defined.call.Other();
// @ts-expect-error a read-only property
defined.set.Uptime(5);
// @ts-expect-error a write-only property
defined.get.Secret();
// @ts-expect-error a value of another type
defined.set.Mood(5);
// @ts-expect-error an unknown signal
defined.on.TestMethod(() => {});

// @ts-expect-error an invalid signature of a method
defineInterface('org.example.Bad', { methods: { Bad: { in: ['bad:a{'] } } });
// @ts-expect-error an invalid signature of a signal
defineInterface('org.example.Bad', { signals: { Bad: { args: 'a' } } });
// @ts-expect-error an invalid signature of a property
defineInterface('org.example.Bad', { properties: { Bad: { type: 'ss' } } });
// @ts-expect-error an unknown access
defineInterface('org.example.Bad', { properties: { Bad: { type: 's', access: 'none' } } });

// @ts-expect-error an unknown option of a property
defineInterface('org.example.Bad', { properties: { Bad: { type: 's', acces: 'read' } } });
// @ts-expect-error another
defineInterface('org.example.Bad', { properties: { Bad: { type: 's', emit: false } } });
// @ts-expect-error an unknown option of a method
defineInterface('org.example.Bad', { methods: { Bad: { in: 's', noRepli: true } } });
// @ts-expect-error an unknown option alone
defineInterface('org.example.Bad', { methods: { Bad: { int: 's' } } });
// @ts-expect-error an unknown option of a signal
defineInterface('org.example.Bad', { signals: { Bad: { args: 's', foo: 1 } } });
// @ts-expect-error an unknown kind of members
defineInterface('org.example.Bad', { method: { Bad: {} } });

// Implementing it.

const implemented = implement(Module, {
  async TestMethod(kind, devices, context) {
    is<Equal<[typeof kind, typeof devices], [string, Record<string, string[]>]>>();
    is<Equal<typeof context, CallContext>>();
    return 'Success';
  },
  Several: (name, count) => [name, count > 1],
  Big: (value) => value + 1n,
  Nothing() {},
  constructor: () => '',
  TestProperty: {},
  Mood: { get: async () => 'fine', set: async (value) => is<Equal<typeof value, string>>() },
  Uptime: 5,
  Secret: {
    set(value) {
      is<Equal<typeof value, string>>();
    },
  },
});
implemented.emit.TestSignal({ vm: 'up' });
implemented.emit.TwoArguments('a', 5);
implemented.emit.NoArguments();
implemented.properties.TestProperty = { vm: 'up' };
implemented.properties.Uptime++;
is<Equal<(typeof implemented)['properties']['TestProperty'], WriteValue<'a{ss}'>>>();
bus.export('/org/example/dbustest', implemented, new TestModule());

// @ts-expect-error a signal's argument of another type
implemented.emit.TestSignal({ vm: 5 });
// @ts-expect-error an unknown signal
implemented.emit.Other();
// @ts-expect-error a property's value of another type
implemented.properties.Uptime = 'long';
// @ts-expect-error an unknown property
implemented.properties.Other = 5;

const Small = defineInterface('org.example.Small', {
  methods: { Echo: { in: ['text:s'], out: ['text:s'] } },
  properties: { Count: { type: 'u', access: 'read' } },
});
// @ts-expect-error a missing method
implement(Small, { Count: 1 });
// @ts-expect-error a missing property
implement(Small, { Echo: (text) => text });
// @ts-expect-error a result of another type
implement(Small, { Echo: () => 5, Count: 1 });
// @ts-expect-error a parameter of another type
implement(Small, { Echo: (text: number) => String(text), Count: 1 });
// @ts-expect-error a first value of another type
implement(Small, { Echo: (text) => text, Count: 'one' });
// @ts-expect-error a getter of another type
implement(Small, { Echo: (text) => text, Count: { get: () => 'one' } });
// @ts-expect-error a member that the interface does not have
implement(Small, { Echo: (text) => text, Count: 1, Other: 5 });
// @ts-expect-error a class is not exported, its instances are
bus.export('/', TestModule);

// Descriptions, and proxies of interfaces that are only known at run time.

is<Equal<ReturnType<typeof describe>, InterfaceDescription>>();
describe(TestModule);
describe(new TestModule());
describe(Module);
const loose = bus.proxy(describe(Module), 'org.example.dbustest', '/');
is<Equal<typeof loose, ProxyOf<InterfaceDescription>>>();
async function usesLoosely(): Promise<void> {
  const result = await loose.call.Anything('a', 5);
  is<Equal<typeof result, unknown>>();
  const text = await loose.call.Anything<string>();
  is<Equal<typeof text, string>>();
  loose.on.Something((...args) => is<Equal<typeof args, unknown[]>>());
  is<Equal<ReturnType<typeof loose.get.Anything>, Promise<unknown>>>();
  await loose.set.Anything(5);
}

export { uses, usesLoosely };

// The result of a call below proxies depends on the requested form.
declare const plainCall: MethodCall;
const values = await bus.call(plainCall);
is<Equal<typeof values, unknown[]>>();
const replied = await bus.call({ ...plainCall, reply: 'message' });
is<Equal<typeof replied, Message>>();
const overridden = await bus.call(plainCall, { reply: 'message', timeout: 5 });
is<Equal<typeof overridden, Message>>();
const chosen = await bus.call({ path: '/', member: 'M', reply: 'values' });
is<Equal<typeof chosen, unknown[]>>();
// @ts-expect-error no such form
bus.call({ path: '/', member: 'M', reply: 'body' });
