/** Type tests of `implement`: its parameters, the types in its functions, and its result. */
import { defineInterface, implement, type MessageBus, type WriteValue } from 'busbar';
import { type Equal, is } from './is.js';

const Shelf = defineInterface('org.example.Shelf', {
  methods: { Count: { out: 'u' }, Find: { in: ['name:s'], out: 'u' }, Clear: {} },
  properties: {
    Long: { type: 'x' },
    Bytes: { type: 'ay' },
    Ages: { type: 'a{su}' },
    Numbers: { type: 'ai' },
    Any: { type: 'v' },
    Options: { type: 'a{sv}' },
    Point: { type: '(ii)' },
    Model: { type: 's', access: 'read', emits: 'const' },
    Mood: { type: 's' },
    Secret: { type: 's', access: 'write', emits: false },
  },
});

interface Described {
  readonly Name: string;
}
declare const described: Described;

// All values that may be written, as first values and assigned ones.
const shelf = implement(Shelf, {
  // `this` has the given members.
  Count() {
    const long: unknown = this.Long;
    return long === undefined ? 0 : 1;
  },
  async Find(name) {
    return (await this.Count()) + name.length;
  },
  async Clear() {
    await this.Find('all');
    // @ts-expect-error an argument of another type
    await this.Find(5);
  },
  Long: 5,
  Bytes: [1, 2],
  Ages: new Map([['Ada', 36]]),
  Numbers: new Int32Array(2),
  Any: 5,
  Options: described,
  Point: [1, 2],
  Model: 'T1',
  Mood: { get: async () => 'fine', set: async (mood) => is<Equal<typeof mood, string>>() },
  Secret: { set: (secret) => is<Equal<typeof secret, string>>() },
});
shelf.properties.Long = 5;
shelf.properties.Long = 5n;
shelf.properties.Bytes = new Uint8Array(2);
shelf.properties.Bytes = [1, 2];
shelf.properties.Bytes = Buffer.from('');
shelf.properties.Ages = { Ada: 36 };
shelf.properties.Ages = new Map([['Ada', 36]]);
shelf.properties.Numbers = [1, 2];
shelf.properties.Numbers = new Int32Array(2);
shelf.properties.Options = described;
shelf.properties.Point = [1, 2] as const;
shelf.properties.Mood = 'better';
type Held = (typeof shelf)['properties'];
is<Equal<Held['Long'], bigint | number>>();
is<Equal<Held['Ages'], WriteValue<'a{su}'>>>();
// A getter's promise is read; a text is assigned.
is<Equal<Held['Mood'], string | Promise<string>>>();
// A property with only a setter cannot be read.
is<Equal<Held['Secret'], string | undefined>>();

// @ts-expect-error a value of another type
shelf.properties.Long = 'long';
// @ts-expect-error a typed array that does not match
shelf.properties.Numbers = new Uint8Array(2);

shelf.emitPropertiesChanged(['Long', 'Mood']);
shelf.emitPropertiesChanged({ Long: 5, Ages: new Map() });
// @ts-expect-error a slip
shelf.emitPropertiesChanged(['Lang']);
// @ts-expect-error another
shelf.emitPropertiesChanged({ Lang: 5 });
// @ts-expect-error a value of another type
shelf.emitPropertiesChanged({ Long: 'long' });
// @ts-expect-error it never changes
shelf.emitPropertiesChanged(['Model']);
// @ts-expect-error it is not announced
shelf.emitPropertiesChanged(['Secret']);

const Small = defineInterface('org.example.Small', {
  properties: { Level: { type: 'u' }, Name: { type: 's', access: 'read' } },
});
implement(Small, { Level: { get: () => 5, set: () => {} }, Name: { get: () => '' } });
// @ts-expect-error a function that takes another type than others set
implement(Small, { Level: { get: () => 5, set: (_level: string) => {} }, Name: '' });
// @ts-expect-error one that takes less than others may set
implement(Small, { Level: { get: () => 5, set: (_level: 1 | 2) => {} }, Name: '' });
// @ts-expect-error a getter's promise of another type
implement(Small, { Level: { get: async () => '5', set: () => {} }, Name: '' });
// @ts-expect-error nothing to read
implement(Small, { Level: { set: () => {} }, Name: '' });
// @ts-expect-error clients may not set it
implement(Small, { Level: 5, Name: { get: () => '', set: () => {} } });
// @ts-expect-error a member that the interface does not have
implement(Small, { Level: 5, Name: '', Other: 5 });

// An answer of the object itself has its type.
const Counter = defineInterface('org.example.Counter', {
  methods: { Read: { out: 'u' } },
  properties: { Count: { type: 'u' } },
});
const counter = implement(Counter, { Read: (): number => counter.properties.Count, Count: 0 });
is<Equal<(typeof counter)['properties']['Count'], number>>();

// Proxies of definitions: options change the types that are read.
declare const bus: MessageBus;
const proxy = bus.proxy(Shelf, 'org.example.Shelf', '/');
is<Equal<ReturnType<typeof proxy.get.Numbers>, Promise<number[]>>>();
const typed = proxy.with({ typedArrays: true });
is<Equal<ReturnType<typeof typed.get.Numbers>, Promise<ReturnType<typeof Int32Array.of>>>>();
const wrapping = typed.with({ variants: 'wrap' });
is<Equal<ReturnType<typeof wrapping.get.Numbers>, Promise<ReturnType<typeof Int32Array.of>>>>();
is<Equal<ReturnType<typeof proxy.get.Any>, Promise<unknown>>>();
wrapping.get.Any().then((any) => is<Equal<typeof any.signature, string>>());
const mapping = wrapping.with({ dictionaries: 'map' });
is<Equal<ReturnType<typeof mapping.get.Options>, Promise<Map<string, typeof wrapped>>>>();
is<Equal<ReturnType<typeof mapping.get.Ages>, Promise<Map<string, number>>>>();
is<Equal<ReturnType<typeof mapping.get.Numbers>, Promise<ReturnType<typeof Int32Array.of>>>>();
declare const wrapped: Awaited<ReturnType<typeof wrapping.get.Any>>;
declare const maybe: boolean;
const either = proxy.with({ typedArrays: maybe });
is<Equal<ReturnType<typeof either.get.Numbers>, Promise<number[] | ReturnType<typeof Int32Array.of>>>>();
const same = typed.with({ typedArrays: undefined, timeout: 5 });
is<Equal<typeof same, typeof typed>>();
const counting = bus.proxy(Counter, 'org.example.Counter', '/');
const unanswered = counting.with({ noReply: true });
is<Equal<ReturnType<typeof unanswered.call.Read>, Promise<void>>>();
const perhaps = counting.with({ noReply: maybe });
is<Equal<ReturnType<typeof perhaps.call.Read>, Promise<number | undefined>>>();
const taking = counting.with({ loose: true });
is<Equal<ReturnType<typeof taking.call.Read>, Promise<unknown>>>();
is<Equal<ReturnType<typeof taking.get.Count>, Promise<unknown>>>();
taking.onChange((changed) => is<Equal<typeof changed.Count, unknown>>());
proxy.set.Long(5);
proxy.set.Bytes([1, 2]);
proxy.set.Ages(new Map());
proxy.set.Numbers(new Int32Array(2));
proxy.set.Options(described);
// @ts-expect-error an unknown option
proxy.with({ timeOut: 5, timeout: 5 });

export { counter, either, same };
