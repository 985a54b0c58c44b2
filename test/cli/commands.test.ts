// time limit: 180 s
// The commands for values and objects, beside busctl and gdbus on the same service: equal answers.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus } from '../../src/index.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { busbar, printed, printedJson } from './command-line.js';
import { exportSample, sampleInterface, samplePath, serviceName } from './sample-service.js';

const test = suite('busbar: commands');
const missing = (...programs: string[]) => PrivateBus.missing() ?? missingPrograms(...programs);
const where = [serviceName, samplePath] as const;

let daemon: PrivateBus;
let bus: MessageBus;

test.before(async () => {
  if (PrivateBus.missing() !== undefined) return;
  daemon = await PrivateBus.start();
  bus = await connect({ address: daemon.address });
  await exportSample(bus);
});

test.after(async () => {
  await bus?.close();
  await daemon?.stop();
});

/** Negative numbers are no options. */
const busctl = (...args: string[]) =>
  outputOf('busctl', ['--user', '--json=short', '--', ...args], { env: daemon.env });
const gdbus = (...args: string[]) => outputOf('gdbus', args, { env: daemon.env });
/** Without white space; busctl writes doubles with an exponent. */
const compact = (json: string) =>
  json.replace(/\s+/g, '').replace(/\d\.\d+e[-+]\d+/g, (double) => String(Number(double)));

const basics = ['255', 'true', '-32768', '65535', '-5', '4294967295', '-9223372036854775808', '18446744073709551615'];
const basicWords = [...basics, '0.25', 'hello', '/a/b', 'a{sv}'];

testUnless(missing('busctl'), test, 'call prints what busctl prints, with all digits', async () => {
  const ours = await printed(daemon, 'call', ...where, 'Basic', ...basicWords, '--json');
  const theirs = await busctl('call', ...where, sampleInterface, 'Basic', 'ybnqiuxtdsog', ...basicWords);
  assert.is(compact(ours), compact(theirs));
});

testUnless(missing('busctl'), test, 'call sends containers as busctl sends them', async () => {
  const words = [
    '["a", "b"]',
    '[1, 2, 255]',
    '[-7, "x", {"k": "v"}]',
    '{"count": u 5, "list": as ["a"], "long": t 18446744073709551615, "text": "plain"}',
    // busctl has no JSON for keys that are not strings.
    '{}',
  ];
  const flat = '2 a b 3 1 2 255 -7 x 1 k v 4 count u 5 list as 1 a long t 18446744073709551615 text s plain 0'.split(
    ' ',
  );
  const signature = 'asay(isa{ss})a{sv}a{tay}';
  const ours = await printed(daemon, 'call', ...where, 'Containers', ...words, '--json');
  const theirs = await busctl('call', ...where, sampleInterface, 'Containers', signature, ...flat);
  assert.is(compact(ours), compact(theirs));
  // The words of busctl are understood too, with and without introspection.
  const known = await printed(daemon, 'call', ...where, 'Containers', signature, ...flat, '--json');
  const given = await printed(
    ...[daemon, 'call', ...where, sampleInterface, 'Containers', '--signature', signature, ...flat, '--json'],
  );
  assert.is(known, ours);
  assert.is(given, ours);
  const numbers = await printed(
    daemon,
    ...['call', ...where, 'Containers', ...words.slice(0, 4), '{"18446744073709551615": 0x00ff}'],
  );
  assert.match(numbers, /\n\{"18446744073709551615": 0x00ff\}\n$/);
});

testUnless(missing('gdbus'), test, 'call and get print what gdbus prints', async () => {
  const theirs = await gdbus(
    'call',
    '--session',
    '-d',
    serviceName,
    '-o',
    samplePath,
    '-m',
    `${sampleInterface}.Text`,
    'hé',
  );
  const ours = await printed(daemon, 'call', ...where, `${sampleInterface}.Text`, 'hé');
  assert.is(theirs, "('hé',)\n");
  assert.is(ours, '"hé"\n');
  assert.is(await printed(daemon, 'call', ...where, 'Text', 'hé', '--raw'), 'hé\n');
});

testUnless(missing('busctl'), test, 'get prints what busctl prints, for several properties', async () => {
  for (const name of ['Longest', 'Blob', 'Settings', 'Fixed', 'dash-name']) {
    const ours = await printed(daemon, 'get', ...where, name, '--json');
    assert.is(compact(ours), compact(await busctl('get-property', ...where, sampleInterface, name)), name);
  }
  const both = await printed(daemon, 'get', ...where, sampleInterface, 'Longest', 'Fixed');
  assert.is(both, '18446744073709551615\n"fixed"\n');
});

testUnless(missing('busctl'), test, 'set writes what busctl reads', async () => {
  assert.is(await printed(daemon, 'set', ...where, 'Longest', '18446744073709551614'), '');
  assert.is(
    await busctl('get-property', ...where, sampleInterface, 'Longest'),
    '{"type":"t","data":18446744073709551614}\n',
  );
  await printed(daemon, 'set', ...where, sampleInterface, 'Blob', 'ay', '2', '7', '8');
  assert.is(await printed(daemon, 'get', ...where, 'Blob'), '0x0708\n');
  await printed(daemon, 'set', ...where, sampleInterface, 'Longest', '--signature', 't', '18446744073709551615');
  await printed(daemon, 'set', ...where, 'Blob', '0x00ff0a');
});

testUnless(missing('busctl'), test, 'tree finds the objects that busctl finds', async () => {
  const theirs = await outputOf('busctl', ['--user', 'tree', '--list', serviceName], { env: daemon.env });
  assert.is(await printed(daemon, 'tree', '--list', serviceName), theirs);
  const part = await printed(daemon, 'tree', serviceName, '--path', `${samplePath}/b`);
  const other = 'org.example.Sample.Other';
  assert.is(part, `${samplePath}/b  ${other}\n└─ ${samplePath}/b/c  ${other}\n`);
});

interface Shown {
  readonly interfaces: readonly {
    readonly name: string;
    readonly methods: readonly { readonly name: string; readonly in: readonly { readonly type: string }[] }[];
    readonly properties: readonly { readonly name: string; readonly type: string; readonly value?: unknown }[];
    readonly signals: readonly { readonly name: string; readonly args: readonly { readonly type: string }[] }[];
  }[];
}

testUnless(missing('busctl'), test, 'introspect lists the members that busctl lists', async () => {
  const { interfaces } = (await printedJson(daemon, 'introspect', ...where)) as Shown;
  const types = (all: readonly { readonly type: string }[]) => all.map(({ type }) => type).join('') || '-';
  const ours = interfaces.flatMap(({ name, methods, properties, signals }) => [
    ...methods.map((each) => `${name} ${each.name} method ${types(each.in)}`),
    ...properties.map((each) => `${name} ${each.name} property ${each.type}`),
    ...signals.map((each) => `${name} ${each.name} signal ${types(each.args)}`),
  ]);
  const text = await outputOf('busctl', ['--user', 'introspect', ...where], { env: daemon.env });
  let current = '';
  const theirs = text.split('\n').flatMap((line) => {
    const [name = '', kind, signature] = line.trim().split(/\s+/);
    if (kind === 'interface') current = name;
    return name.startsWith('.') ? [`${current} ${name.slice(1)} ${kind} ${signature}`] : [];
  });
  assert.ok(theirs.length > 20);
  assert.equal(ours.sort(), theirs.sort());
});

testUnless(missing('gdbus'), test, 'introspect --xml prints the data as gdbus does', async () => {
  const ours = await printed(daemon, 'introspect', ...where, '--xml');
  assert.is(ours, await gdbus('introspect', '--session', '-d', serviceName, '-o', samplePath, '--xml'));
});

testUnless(missing(), test, 'introspect shows values, arguments and flags', async () => {
  const text = await printed(daemon, 'introspect', ...where, sampleInterface);
  assert.match(text, /^org\.example\.Sample\.Values\n/);
  assert.match(text, /\n {2}method {4}Text\(text: s\) → text: s\n/);
  assert.match(text, /\n {2}property {2}Longest t = 18446744073709551615 {2}writable\n/);
  assert.match(text, /\n {2}property {2}Secret s {2}write-only, no signal\n/);
  assert.match(
    text,
    /\n {2}property {2}Settings a\{sv\} = \{"count": u 5, "name": s "disk", "blob": ay "sda\\u0000"\}\n/,
  );
  assert.match(text, /\n {2}signal {4}Moved\(x: i, where: s\)\n$/);
});

testUnless(missing(), test, 'emit sends signals to all, or to one connection', async () => {
  const received: unknown[] = [];
  using subscription = bus.subscribe({ interface: 'org.example.Signals' }, ({ member, body }) => {
    received.push([member, ...body]);
  });
  await subscription.ready;
  await printed(daemon, 'emit', '/a', 'org.example.Signals', 'One', 'su', 'text', '5');
  await printed(daemon, 'emit', '/a', 'org.example.Signals', 'Two', '--signature', 'as', '["a"]');
  await printed(daemon, 'emit', '/a', 'org.example.Signals', 'Three', '--to', bus.uniqueName as string);
  await bus.nameOwner(serviceName);
  assert.equal(received, [['One', 'text', 5], ['Two', ['a']], ['Three']]);
});

/** Command lines that fail: the words, the exit code, and what the error says. */
const failures: readonly (readonly [words: readonly string[], code: number, error: RegExp])[] = [
  [['lits'], 2, /there is no command "lits"\n {2}did you mean list\?/],
  [['help', 'lits'], 2, /there is no command "lits"\n {2}did you mean list\?/],
  [['completion', 'constructor'], 2, /there is no completion for "constructor"/],
  [['generate', 'org.example.Sampel', samplePath], 1, /no service.*\n {2}did you mean org.example.Sample\?/],
  [['call', 'x'], 2, /missing required argument 'PATH'/],
  [['call', 'org.example', '/'], 2, /the method is missing/],
  [['call', 'org', '/', 'A'], 2, /"org" is not the name of a service/],
  [['call', '/org', 'org.example', 'A'], 2, /the name of the service comes first/],
  [['call', 'org.example.Sampel', samplePath, 'Text', 'a'], 1, /no service.*\n {2}did you mean org.example.Sample\?/],
  [['call', serviceName, '/org/example/sampel', 'Text'], 1, /no object.*\n {2}did you mean \/org\/example\/sample\?/],
  [['call', ...where, 'Txt', 'a'], 1, /no method "Txt"\n {2}did you mean Text\?/],
  [
    ['call', ...where, 'org.example.Sample.Value', 'Text', 'a'],
    1,
    /no interface.*\n {2}did you mean org.example.Sample.Values\?/,
  ],
  [['call', ...where, 'Fixed'], 1, /Fixed is a property: busbar get reads it/],
  [['call', ...where, 'Both'], 2, /choose one: org.example.Sample.Values Both, org.example.Sample.Other Both/],
  [['call', ...where, 'Text'], 2, /Text takes one argument, got 0\n {2}expected: text \(s\)/],
  [['call', ...where, 'Basic', '256', ...basicWords.slice(1)], 2, /argument 1, byte \(y\): .*\n {2}256\n {2}\^/],
  [['call', ...where, 'Fail', 'as wanted'], 1, /^busbar: org.example.Error.Wanted: as wanted\n$/],
  [['call', ...where, 'Never', '--timeout', '100ms'], 124, /no reply within 100 ms/],
  [['call', ...where, 'Text', 'a', '--timeout', 'soon'], 2, /--timeout soon: expected a number of seconds/],
  [['call', ...where, 'Text', '--signature', 'su', 'a'], 2, /the words end after "a": expected a value of type u/],
  [['call', ...where, 'Text', '-x'], 2, /unknown option '-x'\n {2}write -- before values/],
  [['get', ...where, 'fixed'], 1, /did you mean Fixed\?/],
  [['get', ...where, 'Secret'], 1, /the property Secret is write-only/],
  [['set', ...where, 'Fixed', 'a'], 1, /Fixed is read-only/],
  [['set', ...where, 'Longest', '-1'], 2, /from 0 to 18446744073709551615 \(t\)\n {2}-1\n {2}\^/],
  [['introspect', ...where, 'org.example.Sample.Value'], 1, /did you mean org.example.Sample.Values\?/],
  [['tree', 'org.example.Nothing'], 1, /there is no service org.example.Nothing/],
  [['emit', '/a', 'org', 'A'], 2, /"org" is not an interface name/],
  [['emit', '/a', 'org.a', 'A', '--to', 'org.example.Nothing'], 1, /NameHasNoOwner/],
  [['list', '--session', '--system'], 2, /name two buses/],
  [['list', '--address', 'nonsense'], 2, /nonsense/],
  [['list', '--address', 'unix:path=/a', '--host', 'b'], 2, /--address and --host name two buses/],
  [['list', '--address', 'unix:path=/a', '-M', 'b'], 2, /--address and --machine name two buses/],
  [
    ['call', ...where, 'Text', '-s', 'a{sv}', ...['2', 'a', 'u', '1', 'a', 'u', '2']],
    2,
    /word 5 of the values \(a\{sv\}\): the key occurs twice\n {2}a\n {2}\^/,
  ],
  [['list', '--address', 'unix:path=/nonexistent'], 3, /does not exist/],
];

testUnless(missing(), test, 'every failure has its exit code, and an error with the cure', async () => {
  // Several at a time: each is a process.
  const left = [...failures];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [words, code, error] = next;
      const run = await busbar(daemon, words);
      assert.match(run.stderr, error, words.join(' '));
      assert.is(run.code, code, words.join(' '));
      assert.is(run.stdout, '');
    }
  };
  await Promise.all([work(), work(), work()]);
});

test.run();
