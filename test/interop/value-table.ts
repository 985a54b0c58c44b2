/**
 * Values of every D-Bus type at their limits, for tests that send them to a peer and compare the values that come back.
 * They are written as busbar reads them with `variants: 'wrap'`, so that a row can be compared with itself.
 *
 * Descriptors are not in the table: a descriptor that comes back has another number. Neither is -0 as the key of a
 * dictionary: the key of a JavaScript Map cannot be -0.
 */
import { Variant } from '../../src/index.js';

/** The values of one message body. */
export interface Row {
  /** The special property of these values; unique in the table. */
  readonly title: string;
  readonly signature: string;
  readonly values: readonly unknown[];
}

const row = (title: string, signature: string, ...values: readonly unknown[]): Row => ({ title, signature, values });
const v = (signature: string, value: unknown): Variant => new Variant(signature, value);

/** Own properties only: as an object literal, `__proto__` would be the prototype. */
const object = (...entries: readonly (readonly [string, unknown])[]) => Object.fromEntries(entries);

/** `levels` times `wrap`, from the inside out. */
function nested(levels: number, innermost: unknown, wrap: (value: unknown) => unknown): unknown {
  return levels === 0 ? innermost : wrap(nested(levels - 1, innermost, wrap));
}
const inArray = (value: unknown) => [value];
const inVariant = (value: unknown) => v(value instanceof Variant ? 'v' : 'y', value);
const structs = (levels: number, content: string) => '('.repeat(levels) + content + ')'.repeat(levels);
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const;
const UINT64_MAX = 2n ** 64n - 1n;
const LARGEST_SUBNORMAL = 2.225073858507201e-308;
const SMALLEST_NORMAL = 2.2250738585072014e-308;
const doubles = [
  ...[0, -0, 1, -1.5, 0.1, 1 / 3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53],
  ...[Number.MIN_VALUE, -Number.MIN_VALUE, LARGEST_SUBNORMAL, SMALLEST_NORMAL, Number.MAX_VALUE, -Number.MAX_VALUE],
];

/** Valid in D-Bus strings, although some libraries refuse them. */
const NONCHARACTERS = '\ufdd0\ufffe\uffff\u{1fffe}\u{10ffff}';

/** Signatures of the greatest length, and one byte shorter, which is the greatest that sd-bus reads. */
const longest = { flat: 'y'.repeat(255), struct: structs(1, 'q'.repeat(253)) } as const;
const long = { flat: 'y'.repeat(254), struct: structs(1, 'q'.repeat(252)) } as const;

const basics: readonly Row[] = [
  row('bytes', 'yy', 0, 255),
  row('booleans', 'bb', false, true),
  row('16-bit integers', 'nnnqq', -32768, -1, 32767, 0, 65535),
  row('32-bit integers', 'iiiuu', -(2 ** 31), -1, 2 ** 31 - 1, 0, 2 ** 32 - 1),
  row('64-bit integers', 'xxxxtt', INT64.min, -1n, 0n, INT64.max, 0n, UINT64_MAX),
  row('64-bit integers around the safe ones', 'xxt', -(2n ** 53n) - 1n, 2n ** 53n + 1n, 2n ** 53n + 1n),
  row('doubles', 'd'.repeat(doubles.length), ...doubles),
  row('strings', 'sss', '', 'a', 'quotes \' " and \\ backslash'),
  row('control characters in strings', 'ss', '\u0001\t\n\v\r\u001b\u007f', 'tab\tand line\nfeed'),
  row('control characters of two bytes', 's', '\u0080\u0085\u009f'),
  row('strings of 2, 3 and 4 bytes a character', 'ssss', 'größe', '∞ 漢字', '😀 👩‍👩‍👧', '\u{10fffd}\u{1f000}'),
  row('a byte order mark, a line separator, a combining character', 'sss', '\ufeffmark', 'a\u2028b', 'e\u0301'),
  row('the last characters before and after the surrogates', 's', '\ud7ff\ue000\ufffd'),
  row('Unicode noncharacters', 'ss', NONCHARACTERS, `within ${NONCHARACTERS} text`),
  row('a long string', 's', 'long '.repeat(20_000)),
  row('a long string of wide characters', 's', 'ü∞😀'.repeat(10_000)),
  row('object paths', 'ooo', '/', '/a', `/org/example/_0${'/Path_1'.repeat(1000)}`),
  row('signatures', 'gggg', '', 's', 'a{sv}(ii)x', long.flat),
  row('a signature of 255 bytes', 'g', longest.flat),
];

const arrays: readonly Row[] = [
  row('byte arrays', 'ayayay', Buffer.alloc(0), Buffer.from([0]), Buffer.from(range(256))),
  row('1 MiB of bytes', 'ay', Buffer.from(range(1 << 20).map((index) => (index * 167 + (index >> 8)) & 0xff))),
  row('byte arrays in containers', 'aaya{say}(yay)', [Buffer.of(1), Buffer.of()], { k: Buffer.of(2, 3) }, [
    4,
    Buffer.of(5),
  ]),
  row('arrays of booleans', 'abab', [], [true, false, true]),
  row('arrays of 16-bit integers', 'anaq', [-32768, 32767, 0], [65535, 0, 1]),
  row('arrays of 32-bit integers', 'aiau', [-(2 ** 31), 2 ** 31 - 1], [2 ** 32 - 1, 0]),
  row('arrays of 64-bit integers', 'axat', [INT64.min, INT64.max, -1n], [UINT64_MAX, 0n]),
  row('arrays of doubles', 'ad', doubles),
  row('arrays of strings', 'asaoag', ['', 'a', 'abc'], ['/', '/a/b'], ['', 'as', '(y)']),
  row('an array of strings of several bytes a character', 'as', ['ä', '∞∞', '😀']),
  row('a long array', 'au', range(20_000)),
  row(
    'a long array of structs',
    'a(ysx)',
    range(2_000).map((index) => [index & 0xff, `${index}`, BigInt(-index)]),
  ),
  row('empty arrays of everything', 'abanaiaxadasaoagavaayaasa(s)a{sv}', ...range(11).map(() => []), [], {}),
  row('an empty array of structs before a byte', 'a(i)y', [], 7),
  row('empty arrays of 8-byte integers before bytes', 'yaxyatyady', 1, [], 2, [], 3, [], 4),
  row('empty dictionaries before bytes', 'ya{sv}ya{ty}y', 1, {}, 2, new Map(), 3),
  row('empty arrays of structs in an array', 'aa(x)y', [[], [], [[5n]], []], 1),
  row('empty arrays of 8-byte integers in structs', 'a(yaxy)', [
    [1, [], 2],
    [3, [4n], 5],
  ]),
  row('empty arrays within arrays', 'aaaaiaaaai', [], [[[], [[]]], []]),
];

const structures: readonly Row[] = [
  row('structs', '(y)(yx)(s(nb)d)', [1], [2, -3n], ['four', [5, true], 6.5]),
  row('every type after a byte', 'ybynyqyiyuyxytydysyoygyvyayya(x)y(y)ya{yx}y', ...alignmentValues(), 17),
  row('every type in a struct', `(${'ynyqyiyuyxytydysyoygyvy'})`, [
    ...[1, -2, 3, 4, 5, -6, 7, 8, 9, -10n, 11, 12n, 13, 14.5, 15, 's', 16, '/o', 17, 'g', 18, v('t', 19n), 20],
  ]),
  row('a struct of 252 fields', long.struct, range(252)),
  row('a struct of 253 fields', longest.struct, range(253)),
  row('254 arguments', long.flat, ...range(254)),
  row('255 arguments', longest.flat, ...range(255)),
];

function alignmentValues(): unknown[] {
  const values = [true, -2, 3, -4, 5, -6n, 7n, 8.5, 'nine', '/ten', 'g', v('x', 12n)];
  const containers = [Buffer.of(13), [[14n]], [15], new Map([[16, -16n]])];
  return [...values, ...containers].flatMap((value, index) => [index, value]);
}

const dictionaries: readonly Row[] = [
  row('a dictionary by strings', 'a{ss}', { a: 'A', '': 'empty', ü: 'Ü', '😀': 'face' }),
  row('names that objects have already', 'a{sv}', namesOfObjects()),
  row(
    '__proto__ within dictionaries',
    'a{sa{sa{ss}}}',
    object(['__proto__', object(['__proto__', { polluted: 'no' }])]),
  ),
  row('strings that look like indices', 'a{ss}', {
    0: 'zero',
    7: 'seven',
    '-1': 'negative',
    '01': 'octal',
    '1e3': 'e',
  }),
  row('a dictionary by object paths', 'a{os}', { '/': 'root', '/a/b': 'b' }),
  row('a dictionary by signatures', 'a{gs}', { '': 'none', 'a{sv}': 'many' }),
  row('a dictionary by bytes', 'a{ys}', entries([0, 'min'], [255, 'max'])),
  row('a dictionary by booleans', 'a{bs}', entries([true, 'yes'], [false, 'no'])),
  row('dictionaries by 16-bit integers', 'a{ns}a{qs}', entries([-32768, 'min'], [1, 'one']), entries([65535, 'max'])),
  row(
    'dictionaries by 32-bit integers',
    'a{is}a{us}',
    entries([-(2 ** 31), 'min'], [0, '']),
    entries([2 ** 32 - 1, 'm']),
  ),
  row(
    'dictionaries by 64-bit integers',
    'a{xs}a{ts}',
    entries([INT64.min, 'min'], [-1n, '']),
    entries([UINT64_MAX, 'm']),
  ),
  row('a dictionary by doubles', 'a{ds}', entries(...doubles.slice(2).map((key, index) => [key, `${index}`] as const))),
  row(
    'dictionaries by numbers, of dictionaries',
    'a{ua{xay}}',
    entries([7, entries([-7n, Buffer.of(7)])], [8, new Map()]),
  ),
  row('a large dictionary', 'a{sv}', object(...range(1_000).map((index) => [`key ${index}`, v('u', index)] as const))),
];

function entries(...list: readonly (readonly [unknown, unknown])[]): Map<unknown, unknown> {
  return new Map(list);
}

function namesOfObjects(): object {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];
  return object(...names.map((name, index) => [name, v('i', index)] as const), ['then', v('s', 'no promise')]);
}

const variants: readonly Row[] = [
  row('variants of every basic type', 'vvvvvvvvvvvv', ...basicVariants()),
  row('an array of variants of different types', 'av', basicVariants()),
  row(
    'variants of containers',
    'vvvvv',
    v('as', ['a']),
    v('(yx)', [1, 2n]),
    v('ay', Buffer.of(1)),
    v('a{ux}', entries([1, 2n])),
    v('a(yd)', [[1, 2.5]]),
  ),
  row(
    'variants of empty containers',
    'vvvvvv',
    v('ay', Buffer.of()),
    v('a(xx)', []),
    v('ax', []),
    v('a{sv}', {}),
    v('a{tv}', new Map()),
    v('av', []),
  ),
  row('a variant of an empty array before a byte', '(vy)y', [v('a(t)', []), 1], 2),
  row('nested variants', 'vav', v('v', v('v', v('u', 5))), [v('v', v('s', 'in')), v('av', [v('v', v('y', 1))])]),
  row(
    'variants in all containers',
    'a{sv}(v)a{yv}',
    { k: v('a{sv}', { k: v('(v)', [v('n', -1)]) }) },
    [v('x', INT64.min)],
    entries([1, v('d', -0)]),
  ),
  row('a variant of a struct of 252 fields', 'v', v(long.struct, range(252))),
  row('a variant of a struct of 253 fields', 'v', v(longest.struct, range(253))),
];

function basicVariants(): Variant[] {
  return [
    ...[v('y', 255), v('b', true), v('n', -32768), v('q', 65535), v('i', -1), v('u', 2 ** 32 - 1)],
    ...[v('x', INT64.min), v('t', UINT64_MAX), v('d', Number.NaN), v('s', 's'), v('o', '/o'), v('g', 'a{sv}')],
  ];
}

const depths: readonly Row[] = [
  row('32 arrays within one another', `${'a'.repeat(32)}y`, nested(31, Buffer.of(1, 2), inArray)),
  row('32 arrays within one another, the innermost empty', `${'a'.repeat(32)}x`, nested(31, [], inArray)),
  row('32 structs within one another', structs(32, 'y'), nested(32, 1, inArray)),
  // 64 in all are valid between peers: dbus-broker accepts 63.
  row('31 arrays of 32 structs', 'a'.repeat(31) + structs(32, 't'), nested(63, UINT64_MAX, inArray)),
  row('63 variants within one another', 'v', nested(63, 1, inVariant)),
];

const common: readonly Row[] = [
  row('no values', ''),
  row('settings of a network connection', 'a{sa{sv}}', {
    connection: { id: v('s', 'home'), timestamp: v('t', 1_700_000_000n), autoconnect: v('b', true) },
    '802-11-wireless': { ssid: v('ay', Buffer.from('café')), mtu: v('u', 0), 'seen-bssids': v('as', []) },
    ipv4: { addresses: v('aau', [[16_820_416, 24, 0]]), 'address-data': v('aa{sv}', [{ prefix: v('u', 24) }]) },
    proxy: {},
  }),
  row('managed objects', 'a{oa{sa{sv}}}', {
    '/org/bluez/hci0': { 'org.bluez.Adapter1': { Class: v('u', 0x7c010c), UUIDs: v('as', ['1801']) } },
    '/org/bluez/hci0/dev_00': { 'org.freedesktop.DBus.Properties': {}, 'org.bluez.Device1': manufacturer() },
  }),
  row('a menu', 'u(ia{sv}av)', 7, [0, {}, [v('(ia{sv}av)', [1, { label: v('s', '_File') }, []])]]),
  row(
    'a notification',
    'susssasa{sv}i',
    'app',
    0,
    '',
    'title',
    '<b>body</b>',
    ['ok', 'OK'],
    { urgency: v('y', 1) },
    -1,
  ),
];

function manufacturer(): object {
  return { ManufacturerData: v('a{qv}', entries([0x004c, v('ay', Buffer.of(2, 0x15))])), RSSI: v('n', -70) };
}

/** The whole table. */
export const rows: readonly Row[] = [
  ...[...basics, ...arrays, ...structures, ...dictionaries],
  ...[...variants, ...depths, ...common],
];

/** A value with its variants replaced by their contents, as it is read by default. */
export function withoutVariants(value: unknown): unknown {
  if (value instanceof Variant) return withoutVariants(value.value);
  if (Array.isArray(value)) return value.map(withoutVariants);
  if (value instanceof Map) return new Map([...value].map(([key, content]) => [key, withoutVariants(content)]));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return object(...Object.entries(value).map(([key, content]) => [key, withoutVariants(content)] as const));
}

/** Whether a condition holds for a value or anything in it, including keys. */
export function contains(value: unknown, condition: (value: unknown) => boolean): boolean {
  const within = (inner: unknown) => contains(inner, condition);
  if (condition(value)) return true;
  if (value instanceof Variant) return within(value.value);
  if (Array.isArray(value)) return value.some(within);
  if (value instanceof Map) return [...value].some(within);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false;
  return Object.entries(value).some(within);
}

/** Whether a row contains a signature of 255 bytes: that of the body, of a variant, or as a value. */
export function hasLongestSignature({ signature, values }: Row): boolean {
  const isLongest = (text: unknown) => text === longest.flat || text === longest.struct;
  return (
    isLongest(signature) || contains(values, (value) => isLongest(value instanceof Variant ? value.signature : value))
  );
}

export function hasNoncharacters({ values }: Row): boolean {
  return contains(values, (value) => typeof value === 'string' && value.includes(NONCHARACTERS));
}
