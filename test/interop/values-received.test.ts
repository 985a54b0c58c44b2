/**
 * Values that other implementations send to busbar, which echoes them: the whole table from dbus-next, dbus-fast, GLib and
 * busctl, which is sd-bus without busbar, and values as users type them for gdbus. The received values must be those of the
 * table, and the printed reply must be the values that were sent.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Variant } from '../../src/index.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf, type Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { type Row, rows, withoutVariants } from './value-table.js';
import { busctlArguments, busctlOutput } from './values-busctl.js';
import { EchoService } from './values-echo.js';
import { notation } from './values-notation.js';
import { echo, own, peers, reasonAgainst, sdbusReading, sdbusWriting, startEchoClient } from './values-peers.js';

const missingBus = PrivateBus.missing();

let daemon: PrivateBus | undefined;
let service: EchoService | undefined;

/** A suite with a bus, and busbar's echo service on it. */
function suiteWithService(title: string, missing: string | undefined, begin = () => {}, end = async () => {}) {
  const test = suite(title);
  test.before(async () => {
    if (missing !== undefined) return;
    daemon = await PrivateBus.start();
    service = await EchoService.start(daemon);
    begin();
  });
  test.after(async () => {
    await end();
    await service?.stop();
    await daemon?.stop();
    service = daemon = undefined;
  });
  return test;
}

/** Asserts that the last message that the service echoed is the row. */
function assertReceived({ signature, values }: Row): void {
  const received = service?.last;
  assert.is(received?.signature, signature);
  deepStrictEqual(received?.wrapped, values);
  deepStrictEqual(received?.body, values.map(withoutVariants));
}

for (const peer of peers) {
  const missing = missingBus ?? peer.missing;
  let client: Program | undefined;
  const test = suiteWithService(
    `values from ${peer.name}`,
    missing,
    () => {
      client = startEchoClient(peer, daemon as PrivateBus, service?.name as string);
    },
    async () => void (await client?.stop()),
  );
  for (const row of rows) {
    const unfit = reasonAgainst(row, peer.writing, peer.reading, own.reading, own.writing);
    testUnless(missing ?? unfit, test, `${peer.name} sends ${row.title}`, async () => {
      const values = notation(row.signature, row.values);
      client?.write(`{"signature":"${row.signature}","values":${values}}\n`);
      assert.is(await client?.line(/^(reply|failed) /), `reply ${values}`);
      assertReceived(row);
    });
  }
  test.run();
}

const target = () => [service?.name as string, echo.path, echo.interface] as const;

const missingBusctl = missingBus ?? missingPrograms('busctl');
const fromBusctl = suiteWithService('values from busctl', missingBusctl);

/** The limits of Linux for one argument, and for all together, with room for the environment. */
const ARGUMENT_BYTES = 128 * 1024;
const COMMAND_BYTES = 1024 * 1024;
const POINTER_BYTES = 8;

function reasonAgainstBusctl({ signature, values }: Row): string | undefined {
  const sizes = busctlArguments(signature, values).map((word) => Buffer.byteLength(word) + 1);
  const fits = sizes.every((size) => size <= ARGUMENT_BYTES);
  const total = sizes.reduce((sum, size) => sum + size + POINTER_BYTES, 0);
  return fits && total <= COMMAND_BYTES ? undefined : 'too long for a command line';
}

for (const row of rows) {
  const unfit = reasonAgainst(row, sdbusReading, sdbusWriting) ?? reasonAgainstBusctl(row);
  testUnless(missingBusctl ?? unfit, fromBusctl, `busctl sends ${row.title}`, async () => {
    const { env } = daemon as PrivateBus;
    const args = ['call', '--', ...target(), 'Echo', ...busctlArguments(row.signature, row.values)];
    const output = await outputOf('busctl', ['--user', '--no-pager', ...args], { env: { ...env, LC_ALL: 'C' } });
    assert.is(output, busctlOutput(row.signature, row.values));
    assertReceived(row);
  });
}
fromBusctl.run();

const missingGdbus = missingBus ?? missingPrograms('gdbus');
const fromGdbus = suiteWithService('values from gdbus', missingGdbus);

/** The text to type, the value that arrives, and the reply that gdbus prints, in GVariant's text format. */
const typed: readonly (readonly [string[], string, unknown[], string])[] = [
  [
    ['byte 255', 'true', 'int16 -32768', 'uint16 65535'],
    'ybnq',
    [255, true, -32768, 65535],
    '(byte 0xff, true, int16 -32768, uint16 65535)',
  ],
  [['-2147483648', 'uint32 4294967295'], 'iu', [-(2 ** 31), 2 ** 32 - 1], '(-2147483648, uint32 4294967295)'],
  [
    ['int64 -9223372036854775808', 'uint64 18446744073709551615'],
    'xt',
    [-(2n ** 63n), 2n ** 64n - 1n],
    '(int64 -9223372036854775808, uint64 18446744073709551615)',
  ],
  [
    ['-0.0', '@d nan', '@d -inf', '0.1', '1.7976931348623157e308'],
    'ddddd',
    [-0, Number.NaN, Number.NEGATIVE_INFINITY, 0.1, Number.MAX_VALUE],
    '(-0.0, nan, -inf, 0.10000000000000001, 1.7976931348623157e+308)',
  ],
  [
    ["'größe ∞ 😀'", "objectpath '/a/b'", "signature 'a{sv}'"],
    'sog',
    ['größe ∞ 😀', '/a/b', 'a{sv}'],
    "('größe ∞ 😀', objectpath '/a/b', signature 'a{sv}')",
  ],
  [['@a(xs) []', 'byte 1'], 'a(xs)y', [[], 1], '(@a(xs) [], byte 0x01)'],
  [
    ['<<(byte 1, [int64 2])>>'],
    'v',
    [new Variant('v', new Variant('(yax)', [1, [2n]]))],
    '(<<(byte 0x01, [int64 2])>>,)',
  ],
  [
    ["{'__proto__': <'own'>, 'n': <@ay []>}"],
    'a{sv}',
    [
      Object.fromEntries([
        ['__proto__', new Variant('s', 'own')],
        ['n', new Variant('ay', Buffer.of())],
      ]),
    ],
    "({'__proto__': <'own'>, 'n': <@ay []>},)",
  ],
  [
    ['{int64 -1: {byte 2: true}}', '@a{dv} {}'],
    'a{xa{yb}}a{dv}',
    [new Map([[-1n, new Map([[2, true]])]]), new Map()],
    '({int64 -1: {byte 0x02: true}}, @a{dv} {})',
  ],
  [['[byte 0, 255]', "b'text'"], 'ayay', [Buffer.of(0, 255), Buffer.from('text\0')], "([byte 0x00, 0xff], b'text')"],
  [['[[[@ai []]]]'], 'aaaai', [[[[[]]]]], '([[[@ai []]]],)'],
];

for (const [args, signature, values, output] of typed) {
  testUnless(missingGdbus, fromGdbus, `gdbus sends ${args.join(' ')}`, async () => {
    const [name, path, interfaceName] = target();
    const call = ['call', '--session', '--dest', name, '--object-path', path, '--method', `${interfaceName}.Echo`];
    const { env } = daemon as PrivateBus;
    const printed = await outputOf('gdbus', [...call, '--', ...args], { env: { ...env, LC_ALL: 'C.UTF-8' } });
    assert.is(printed, `${output}\n`);
    assertReceived({ title: output, signature, values });
  });
}
fromGdbus.run();
