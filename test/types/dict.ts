/** Type tests of dict(), arrayOf() and structOf(): the types of values on both sides, and what does not compile. */
import {
  arrayOf,
  defineInterface,
  dict,
  type Emits,
  type FileDescriptor,
  implement,
  type MessageBus,
  method,
  property,
  type ReadValue,
  ServiceInterface,
  signal,
  structOf,
  type Variant,
  type WriteValue,
} from 'busbar';
import { type Equal, is } from './is.js';

declare const bus: MessageBus;

const point = dict({ Name: 's', Strength: 'y', 'Flags?': 'au' });
interface Point {
  Name: string;
  Strength: number;
  Flags?: number[];
}
is<Equal<ReadValue<typeof point>, Point>>();
declare const written: WriteValue<typeof point>;
is<Equal<typeof written.Name, string>>();
is<Equal<typeof written.Flags, readonly number[] | Uint32Array | undefined>>();
// A value that was read can be written, and a signature with dict() is one.
export const again: WriteValue<typeof point> = {} as ReadValue<typeof point>;
export const signature: string = point;
export const least: WriteValue<typeof point> = { Name: '', Strength: 1 };
export const absent: WriteValue<typeof point> = { Name: '', Strength: 1, Flags: undefined };
// @ts-expect-error a required entry is missing
export const missing: WriteValue<typeof point> = { Name: '' };
// @ts-expect-error an entry of another type
export const other: WriteValue<typeof point> = { Name: 5, Strength: 1 };
// @ts-expect-error an entry that is not described
export const unknownKey: WriteValue<typeof point> = { Name: '', Strength: 1, Nmae: '' };

// Other keys.
const open = dict({ 'Level?': 'u', Id: 'x', '...': 'v' });
declare const opened: ReadValue<typeof open>;
is<Equal<typeof opened.Level, number | undefined>>();
is<Equal<typeof opened.Id, bigint>>();
is<Equal<(typeof opened)['any'], unknown>>();
export const more: WriteValue<typeof open> = { Id: 5, any: 'value' };
// @ts-expect-error the described entries keep their types
export const wrongLevel: WriteValue<typeof open> = { Id: 5n, Level: 'high' };
const numbers = dict({ '...': 'u' });
declare const counted: ReadValue<typeof numbers>;
is<Equal<(typeof counted)['any'], number>>();
// @ts-expect-error all keys have the type of '...'
export const text: WriteValue<typeof numbers> = { any: 'x' };

// Nesting.
const place = dict({ Title: 's', 'Place?': dict({ Lat: 'd', Lon: 'd' }), 'End?': 'h' });
declare const placed: ReadValue<typeof place>;
is<Equal<NonNullable<typeof placed.Place>, { Lat: number; Lon: number }>>();
is<Equal<typeof placed.End, FileDescriptor | undefined>>();
const list = arrayOf(place);
is<Equal<ReadValue<typeof list>, ReadValue<typeof place>[]>>();
const bytes = arrayOf('y', 'data');
is<Equal<ReadValue<typeof bytes>, ReadValue<'ay'>>>();
const pair = structOf(['i', point]);
is<Equal<ReadValue<typeof pair>, [number, Point]>>();
const deep = arrayOf(structOf(['s', arrayOf(point)]));
is<Equal<ReadValue<typeof deep>, [string, Point[]][]>>();
const settings = dict(
  { connection: dict({ id: 's' }), 'ipv4?': dict({ 'dns?': 'au', '...': 'v' }), '...': 'a{sv}' },
  'settings:a{sa{sv}}',
);
declare const read: ReadValue<typeof settings>;
is<Equal<typeof read.connection, { id: string }>>();
is<Equal<NonNullable<typeof read.ipv4>['dns'], number[] | undefined>>();
const byPath = dict({ '...': point }, 'a{oa{sv}}');
declare const paths: ReadValue<typeof byPath>;
is<Equal<(typeof paths)['/a'], Point>>();

// What is not valid.
// @ts-expect-error not a signature
dict({ Name: 'z' });
// @ts-expect-error more than one type
dict({ Name: 'ss' });
// @ts-expect-error the key occurs twice
dict({ Name: 's', 'Name?': 's' });
// @ts-expect-error the keys are no texts
dict({ Name: 's' }, 'a{us}');
// @ts-expect-error not a dictionary
dict({ Name: 's' }, 'as');
// @ts-expect-error the values of the dictionary have another type
dict({ Name: 's' }, 'a{su}');
// @ts-expect-error the entries of such a dictionary are dictionaries
dict({ connection: 's' }, 'settings:a{sa{sv}}');
// @ts-expect-error not a signature
arrayOf('z');
// @ts-expect-error not a signature
structOf(['i', 'z']);

const Points = defineInterface('org.example.Points1', {
  methods: {
    Echo: { in: [point, dict({ 'Limit?': 'u' }, 'options:a{sv}')], out: point },
    Tracks: { out: [arrayOf(place, 'places'), 's'] },
    Wrapped: { in: [open], variants: 'wrap' },
  },
  signals: { Moved: { args: ['s', point] } },
  properties: { Point: { type: point }, Level: { type: open, access: 'read' } },
});

export async function uses(): Promise<void> {
  const proxy = bus.proxy(Points, 'org.example', '/');
  is<Equal<Awaited<ReturnType<typeof proxy.call.Echo>>, Point>>();
  is<Equal<Awaited<ReturnType<typeof proxy.call.Tracks>>, [ReadValue<typeof place>[], string]>>();
  proxy.call.Echo({ Name: '', Strength: 1 }, {});
  // @ts-expect-error a required entry is missing
  proxy.call.Echo({ Name: '' }, {});
  // @ts-expect-error an option that does not exist
  proxy.call.Echo({ Name: '', Strength: 1 }, { Limti: 5 });
  proxy.on.Moved((name, at) => is<Equal<[typeof name, typeof at], [string, Point]>>());
  for await (const [, at] of proxy.watch.Moved()) is<Equal<typeof at, Point>>();
  is<Equal<Awaited<ReturnType<typeof proxy.get.Point>>, Point>>();
  proxy.set.Point({ Name: '', Strength: 1 });
  // @ts-expect-error a required entry is missing
  proxy.set.Point({ Strength: 1 });
  proxy.onChange(({ Point }) => is<Equal<typeof Point, Point | undefined>>());

  const wrap = proxy.with({ variants: 'wrap' });
  is<Equal<Awaited<ReturnType<typeof wrap.call.Echo>>, Point>>();
  const level = await wrap.get.Level();
  is<Equal<typeof level.Level, number | undefined>>();
  is<Equal<(typeof level)['any'], number | bigint | Variant>>();
  const keep = proxy.with({ variants: 'keep' });
  is<Equal<Awaited<ReturnType<typeof keep.call.Echo>>, Point>>();
  const typed = await proxy.with({ typedArrays: true }).call.Echo({ Name: '', Strength: 1 }, {});
  is<Equal<typeof typed.Name, string>>();
  is<typeof typed.Flags extends Uint32Array | undefined ? true : false>();
  const map = await proxy.with({ dictionaries: 'map' }).call.Echo({ Name: '', Strength: 1 }, {});
  is<Equal<typeof map, Map<string, string | number | number[]>>>();

  using view = bus.objects('org.example');
  for (const each of view.of(Points)) is<Equal<typeof each.values.Point, Point | undefined>>();
}

implement(Points, {
  Echo: (at, { Limit }) => {
    is<Equal<[typeof at, typeof Limit], [Point, number | undefined]>>();
    return at;
  },
  Tracks: () => [[{ Title: '' }], ''],
  Wrapped: (given) => {
    is<Equal<typeof given.Level, number | undefined>>();
  },
  Point: { Name: '', Strength: 1 },
  Level: { Id: 5 },
}).emit.Moved('', { Name: '', Strength: 1 });

export class Service extends ServiceInterface {
  constructor() {
    super('org.example.Points1');
  }

  @method({ in: [point], out: point })
  Echo(at: Point): Point {
    return at;
  }

  // @ts-expect-error the method requires an entry that callers need not send
  @method({ in: [point] })
  Wrong(at: { Name: string; Flags: number[] }): void {
    void at;
  }

  // @ts-expect-error the result lacks an entry
  @method({ out: point })
  Less(): { Name: string } {
    return { Name: '' };
  }

  @signal({ args: point })
  Moved(at: Point): Emits<Point> {
    return at;
  }

  @property({ type: point })
  accessor Point: Point = { Name: '', Strength: 1 };
}

const own = bus.proxy(Service, 'org.example', '/');
is<Equal<Awaited<ReturnType<typeof own.call.Echo>>, Point>>();
