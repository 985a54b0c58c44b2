/**
 * Type tests of proxies made from classes: their results have the types of values that are read, and their
 * parameters those of values that may be written. class-refusals.ts has the types that decorators refuse.
 */
import {
  type AnyProxy,
  type CallContext,
  type Emits,
  type MessageBus,
  method,
  type ProxyOf,
  type ProxyOptions,
  property,
  ServiceInterface,
  type SignalContext,
  signal,
  type Variant,
  variant,
  type WriteValue,
} from 'busbar';
import { type Equal, is } from './is.js';

type Bytes = ReturnType<typeof Buffer.alloc>;
type Int32s = ReturnType<typeof Int32Array.of>;
type Numbers =
  | Int32s
  | ReturnType<typeof Int16Array.of>
  | ReturnType<typeof Uint16Array.of>
  | ReturnType<typeof Uint32Array.of>
  | ReturnType<typeof Float64Array.of>;

class Store extends ServiceInterface {
  constructor() {
    super('org.example.Store');
  }

  // Results: types of sent and of read values differ.
  @method({ out: 'v' })
  SendsVariant(): Variant {
    return variant.u(5);
  }

  @method({ out: 'a{su}' })
  SendsMap(): Map<string, number> {
    return new Map();
  }

  @method({ out: 'a{sv}' })
  async SendsVariants(): Promise<Record<string, Variant>> {
    return { size: variant.u(5) };
  }

  @method({ out: 'ai' })
  SendsTypedArray(): Int32Array {
    return new Int32Array(2);
  }

  @method({ out: 'ay' })
  SendsBytes(): Uint8Array {
    return new Uint8Array(2);
  }

  @method({ out: '(sx)' })
  SendsStruct(): [string, bigint] {
    return ['', 5n];
  }

  @method({ out: 's' })
  SendsOneOfTwo(): 'on' | 'off' {
    return 'on';
  }

  @method({ out: ['list:as', 'any:v'] })
  SendsReadonly(): readonly [readonly string[], unknown] {
    return [[], 5];
  }

  @method({ out: 's' })
  Throws(): never {
    throw new Error();
  }

  // Parameters.
  @method({ in: 'xayaia{su}hv(s)at' })
  Takes(
    _long: bigint,
    _bytes: Buffer,
    _list: number[],
    _ages: Record<string, number>,
    _file: WriteValue<'h'>,
    _any: unknown,
    _struct: [string],
    _longs: bigint[],
  ): void {}

  @method({ in: 's' })
  TakesOptional(_text?: string): void {}

  @method({ in: 's' })
  TakesDefault(_text = ''): void {}

  @method({ in: 'su' })
  TakesRest(..._all: [string, number]): void {}

  @method({ in: 'as' })
  TakesReadonly(_list: readonly string[]): void {}

  @method({ in: 'su' })
  // biome-ignore lint/suspicious/noExplicitAny: it is what is tested
  TakesAny(_first: any, _second: number): void {}

  @method({ in: 'v', variants: 'wrap' })
  TakesVariant(_value: Variant): void {}

  @method({ in: 'a{sv}', variants: 'keep' })
  TakesKept(_options: Record<string, unknown>): void {}

  // Names of which all values are known.
  @method({ in: 'a{sv}', out: 'a{ss}' })
  TakesNames(_given: { x?: unknown }): { x?: string } {
    return {};
  }

  @method({ in: 'a{sa{ss}}' })
  TakesNamesWithin(_given: { x?: { y?: string } }): void {}

  // The context, in its usual forms.
  @method({ in: 's', context: true })
  WithContext(_text: string, _context: CallContext): void {}

  @method({ in: 's', context: true })
  WithOptionalContext(_text: string, _context?: CallContext): void {}

  @method({ in: 's', context: true })
  WithPickedContext(_text: string, { sender }: Pick<CallContext, 'sender'>): void {
    void sender;
  }

  @method({ in: 's', context: true })
  WithDestructuredContext(_text: string, { signal }: { signal: AbortSignal }): void {
    void signal;
  }

  @method({ context: true })
  WithContextAlone(_context: CallContext | undefined): void {}

  @method({ in: 's', context: true })
  WithoutContext(_text: string): void {}

  // Signals.
  @signal()
  None(): Emits {
    return;
  }

  @signal()
  async NoneLater(): Promise<Emits> {
    return;
  }

  @signal({ args: ['ages:a{su}', 'any:v'] })
  Changed(): Emits<[ages: Map<string, number>, any: Variant]> {
    return [new Map(), variant.u(5)];
  }

  // Properties.
  @property({ type: 'x' })
  accessor Long: bigint | number = 5;

  @property({ type: 's' })
  // biome-ignore lint/suspicious/noExplicitAny: it is what is tested
  accessor Loose: any = '';

  @property({ type: 'a{sv}', variants: 'wrap' })
  accessor Wrapped: Record<string, Variant> = {};

  @property({ type: 's' })
  get Later(): Promise<string> {
    return Promise.resolve('');
  }

  @property({ type: 's' })
  get Narrow(): 'on' | 'off' {
    return 'on';
  }
}

declare const bus: MessageBus;
const store = bus.proxy(Store, 'org.example.Store', '/');

is<Equal<ReturnType<typeof store.call.SendsVariant>, Promise<unknown>>>();
is<Equal<ReturnType<typeof store.call.SendsMap>, Promise<Record<string, number>>>>();
is<Equal<ReturnType<typeof store.call.SendsVariants>, Promise<Record<string, unknown>>>>();
is<Equal<ReturnType<typeof store.call.SendsTypedArray>, Promise<number[]>>>();
is<Equal<ReturnType<typeof store.call.SendsBytes>, Promise<Bytes>>>();
is<Equal<ReturnType<typeof store.call.SendsStruct>, Promise<[string, bigint]>>>();
is<Equal<ReturnType<typeof store.call.SendsOneOfTwo>, Promise<'on' | 'off'>>>();
is<Equal<ReturnType<typeof store.call.Throws>, Promise<never>>>();
is<Equal<ReturnType<typeof store.get.Long>, Promise<bigint | number>>>();
is<Equal<ReturnType<typeof store.get.Wrapped>, Promise<Record<string, unknown>>>>();
is<Equal<ReturnType<typeof store.get.Later>, Promise<string>>>();
is<Equal<ReturnType<typeof store.get.Narrow>, Promise<'on' | 'off'>>>();
is<Equal<keyof typeof store.get, 'Long' | 'Loose' | 'Wrapped' | 'Later' | 'Narrow'>>();
is<Equal<keyof typeof store.set, 'Long' | 'Loose' | 'Wrapped'>>();
is<Equal<keyof typeof store.on, 'None' | 'NoneLater' | 'Changed'>>();
store.on.Changed((ages, any) => is<Equal<[typeof ages, typeof any], [Record<string, number>, unknown]>>());
store.on.None((...args) => is<Equal<typeof args, []>>());
store.on.NoneLater((...args) => is<Equal<typeof args, []>>());
store.on.Changed(
  (ages, any, { sender, path }) =>
    is<
      Equal<
        [typeof ages, typeof any, typeof sender, typeof path],
        [Record<string, number>, unknown, string | undefined, string]
      >
    >(),
  { context: true },
);
store.on.None((...args) => is<Equal<typeof args, [context: SignalContext]>>(), { context: true });
is<Equal<Awaited<ReturnType<typeof onceInContext>>, [context: SignalContext]>>();
const onceInContext = () => store.once.None({ context: true });
// @ts-expect-error the context is given where it is asked for
store.on.None((context: SignalContext) => context);
// @ts-expect-error whether there is a context is known when it is compiled
store.on.None(() => {}, { context: Math.random() > 1 });

// Everything in the table of values may be written.
store.call.Takes(5n, Buffer.from(''), [1], { Ada: 36 }, 1, 5, ['a'], [1n]);
store.call.Takes(5, new Uint8Array(2), new Int32Array(2), new Map([['Ada', 36]]), 1, variant.u(5), ['a'] as const, [1]);
store.call.Takes(5, [1, 2], [1, 2] as const, {}, 1, {}, ['a'], new BigUint64Array(2));
store.set.Long(5);
store.set.Long(5n);
store.set.Wrapped({ plain: 5, chosen: variant.u(5) });
store.call.TakesVariant('plain');
store.call.TakesReadonly(['a']);
store.call.TakesAny({}, 5);
store.call.WithContext('a');
store.call.WithOptionalContext('a');
store.call.WithPickedContext('a');
store.call.WithDestructuredContext('a');
store.call.WithContextAlone();
store.call.WithoutContext('a');
is<Equal<Parameters<typeof store.call.TakesRest>, [string, number]>>();
is<Equal<Parameters<typeof store.call.TakesOptional>, [_text: string]>>();

// @ts-expect-error an argument that may be left out in the class is missing in the message
store.call.TakesOptional();
// @ts-expect-error one with a default, too
store.call.TakesDefault();
// @ts-expect-error any is one argument
store.call.TakesAny(5);
// @ts-expect-error clients do not pass the context
store.call.WithContextAlone({});
// @ts-expect-error a property without a setter
store.set.Narrow('on');
// @ts-expect-error a string is not a number
store.call.Takes('5', [], [], {}, 1, 5, ['a'], []);
// @ts-expect-error a dictionary of texts
store.call.Takes(5, [], [], { Ada: '36' }, 1, 5, ['a'], []);

// Options change the types that are read.
const wrapping = store.with({ variants: 'wrap' });
is<Equal<ReturnType<typeof wrapping.call.SendsVariant>, Promise<Variant>>>();
is<Equal<ReturnType<typeof wrapping.call.SendsVariants>, Promise<Record<string, Variant>>>>();
is<Equal<ReturnType<typeof wrapping.call.SendsMap>, Promise<Record<string, number>>>>();
is<Equal<ReturnType<typeof wrapping.get.Wrapped>, Promise<Record<string, Variant>>>>();
wrapping.on.Changed((ages, any) => is<Equal<[typeof ages, typeof any], [Record<string, number>, Variant]>>());
const typed = store.with({ typedArrays: true });
is<Equal<ReturnType<typeof typed.call.SendsTypedArray>, Promise<Numbers>>>();
is<Equal<ReturnType<typeof typed.call.SendsBytes>, Promise<Bytes>>>();
const mapping = store.with({ dictionaries: 'map' });
is<Equal<ReturnType<typeof mapping.call.SendsMap>, Promise<Map<string, number>>>>();
is<Equal<ReturnType<typeof mapping.get.Wrapped>, Promise<Map<string, unknown>>>>();
const mappingAll = mapping.with({ variants: 'wrap', typedArrays: true });
is<Equal<ReturnType<typeof mappingAll.call.SendsVariants>, Promise<Map<string, Variant>>>>();
is<Equal<ReturnType<typeof mappingAll.call.SendsTypedArray>, Promise<Numbers>>>();
const patient = wrapping.with({ timeout: 5 });
is<Equal<typeof patient, typeof wrapping>>();
const plainAgain = wrapping.with({ variants: 'plain' });
is<Equal<typeof plainAgain, typeof store>>();
const keepingTypes = wrapping.with({ variants: 'keep' });
is<Equal<typeof keepingTypes, typeof store>>();
const keepingMaps = keepingTypes.with({ dictionaries: 'map', typedArrays: true });
is<Equal<ReturnType<typeof keepingMaps.get.Wrapped>, Promise<Map<string, unknown>>>>();
is<Equal<ReturnType<typeof keepingMaps.call.SendsTypedArray>, Promise<Numbers>>>();
// @ts-expect-error no choice of variants
store.with({ variants: 'kept' });
declare const flag: boolean;
declare const anyOptions: ProxyOptions;
const either = store.with({ typedArrays: flag });
is<Equal<ReturnType<typeof either.call.SendsTypedArray>, Promise<number[] | Numbers>>>();
const unanswered = store.with({ noReply: true });
is<Equal<ReturnType<typeof unanswered.call.SendsOneOfTwo>, Promise<void>>>();
is<Equal<ReturnType<typeof unanswered.get.Narrow>, Promise<'on' | 'off'>>>();
is<Equal<Parameters<typeof unanswered.call.TakesRest>, [string, number]>>();
const perhaps = store.with({ noReply: flag });
is<Equal<ReturnType<typeof perhaps.call.SendsStruct>, Promise<[string, bigint] | undefined>>>();
const answeredAgain = unanswered.with({ timeout: 5 }).with({ noReply: false });
is<Equal<typeof answeredAgain, typeof store>>();
const taking = store.with({ loose: true });
is<Equal<ReturnType<typeof taking.call.SendsStruct>, Promise<unknown>>>();
is<Equal<ReturnType<typeof taking.get.Narrow>, Promise<unknown>>>();
is<Equal<Awaited<ReturnType<typeof taking.getAll>>['Narrow'], unknown>>();
taking.on.Changed((...args) => is<Equal<typeof args, unknown[]>>());
taking.set.Long(5n);
// @ts-expect-error what is written is still as described
taking.set.Long('5');
const strictAgain = taking.with({ loose: false });
is<Equal<typeof strictAgain, typeof store>>();
const whoKnows = store.with(anyOptions);
is<Equal<ReturnType<typeof whoKnows.call.SendsTypedArray>, Promise<unknown>>>();
const fireAndForget = taking.with({ noReply: true });
is<Equal<ReturnType<typeof fireAndForget.call.SendsStruct>, Promise<void>>>();
// @ts-expect-error nothing comes back
const sent: Promise<string> = unanswered.call.SendsOneOfTwo();
// @ts-expect-error anything may come
const taken: typeof store = taking;
// @ts-expect-error what is in a variant is no Variant
const notWrapping: typeof wrapping = store;
// @ts-expect-error arrays are
const notTyped: typeof typed = store;

// A setter may accept more than the getter returns; clients set what is described.

class Pairs extends ServiceInterface {
  @property({ type: 'u' })
  get Level(): number {
    return 1;
  }
  set Level(_level: number | string) {}
}
declare const pairs: ProxyOf<typeof Pairs>;
is<Equal<ReturnType<typeof pairs.get.Level>, Promise<number>>>();
pairs.set.Level(5);
// @ts-expect-error a string is not a number
pairs.set.Level('5');

// Classes of all kinds, and functions for the proxies of many.

class Base extends ServiceInterface {
  @method({ in: 's', out: 's' })
  Echo(text: string): string {
    return text;
  }

  @property({ type: 's' })
  accessor Name = '';
}

class Derived extends Base {
  @method({ out: 'u' })
  Count(): number {
    return 1;
  }

  @property({ type: 'u' })
  accessor Size = 0;

  @signal({ args: 's' })
  Told(text: string): Emits<string> {
    return text;
  }
}

class Single extends ServiceInterface {
  static readonly instance = new Single();

  private constructor() {
    super('org.example.Single');
  }

  @method({ out: 's' })
  Name(): string {
    return '';
  }
}

const single = bus.proxy(Single, 'org.example.Single', '/');
is<Equal<keyof typeof single.call, 'Name'>>();
is<Equal<typeof single, ProxyOf<typeof Single>>>();
declare const derived: ProxyOf<typeof Derived>;
const base: ProxyOf<typeof Base> = derived;
// @ts-expect-error not the other way round
const wrong: ProxyOf<typeof Derived> = base;

// Options of decorators, present or absent, that the types of a class do not contain.

declare const textOfSignature: string;

class Unseen extends Derived {
  @method({ disabled: true, in: 's', out: 's' })
  override Echo(text: string): string {
    return text;
  }

  override Told(_text: 'a' | string): Emits<'a'> {
    return 'a';
  }

  @method({ out: textOfSignature })
  // biome-ignore lint/suspicious/noExplicitAny: it is what is tested
  AtRunTime(): any {
    return 5;
  }
}
const unseen = bus.proxy(Unseen, 'org.example.Unseen', '/').with({ variants: 'wrap' });
is<Equal<ReturnType<typeof unseen.call.Echo>, Promise<string>>>();
is<Equal<0 extends 1 & Awaited<ReturnType<typeof unseen.call.AtRunTime>> ? true : false, true>>();
unseen.on.Told((text) => is<Equal<typeof text, 'a'>>());

async function state(proxy: AnyProxy): Promise<unknown[]> {
  const values: unknown[] = [await proxy.getAll()];
  for (const read of Object.values(proxy.get)) values.push(await read());
  for (const listen of Object.values(proxy.on)) listen((...args) => void values.push(args)).end();
  proxy.onChange((changed, invalidated) => void values.push(changed, invalidated));
  return values.concat(proxy.path, proxy.with({ timeout: 5 }).interface);
}
void state(derived);
void state(base);
void state(store);
void state(wrapping);
void state(single);
store.once.None({ signal: undefined });

void state(unanswered);
void state(taking);

export { base, notTyped, notWrapping, Pairs, sent, single, taken, wrong };
