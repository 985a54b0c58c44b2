// Every form of a match rule and every limit, on both daemons: the bus accepts the rules that the library accepts, filters
// by them as the library does, and regards the same rules as equal.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatMatchRule, type MatchRule } from '../../src/bus/rules/match-rule.js';
import { connect, DBusError, InvalidArgumentError, type MessageBus, parseMatchRule } from '../../src/index.js';
import { isMet } from '../helpers/match-model.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('rule forms');
const BUS = 'org.freedesktop.DBus';

async function ask(bus: MessageBus, member: string, rule: string): Promise<string | undefined> {
  try {
    await bus.call({
      destination: BUS,
      path: '/org/freedesktop/DBus',
      interface: BUS,
      member,
      signature: 's',
      body: [rule],
    });
    return undefined;
  } catch (error) {
    assert.instance(error, DBusError);
    return (error as DBusError).dbusName;
  }
}

const everyArgument = (value: string) => Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`arg${i}`, value]));

/** Each form, as a program writes it. */
const forms: readonly MatchRule[] = [
  {},
  { sender: BUS },
  { sender: ':1.5' },
  { sender: 'org.example.Sender' },
  { interface: 'i.A' },
  { member: 'M' },
  { path: '/' },
  { path: '/a/b' },
  { pathNamespace: '/' },
  { pathNamespace: '/a' },
  { destination: ':1.5' },
  { destination: 'org.example.Receiver' },
  { arg0: 'x' },
  { arg0: '' },
  { arg0: "it's, a 'quoted' \\ = text" },
  // sd-bus sends no noncharacters.
  { arg0: process.env.BUSBAR_TRANSPORT === 'sd-bus' ? '\u{1f600}' : '\u{1f600}\ufdd0' },
  { arg63: 'x' },
  { arg0path: '/x/' },
  { arg0path: 'no path' },
  { arg63path: '/x/' },
  { arg0namespace: 'x' },
  { arg0namespace: 'x.y' },
  { arg0namespace: ':1.5' },
  { eavesdrop: false },
  { interface: 'i.A', member: 'M', path: '/a', arg0: 'x', arg1path: '/x', arg2: 'y' },
  everyArgument('a'),
  everyArgument(''),
];

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  const missing = PrivateBus.missing({ daemon });

  testUnless(missing, test, `the bus accepts what the library accepts, up to the same length: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: server.address });
    for (const form of forms) {
      const subscription = bus.subscribe(form, () => {});
      await subscription.ready;
      subscription.end();
      assert.is(
        await ask(bus, 'RemoveMatch', formatMatchRule({ ...form, type: 'signal' })),
        `${BUS}.Error.MatchRuleNotFound`,
      );
    }
    // `type='signal',arg0='…'`
    const longest = 'x'.repeat(1024 - "type='signal',arg0=''".length);
    await bus.subscribe({ arg0: longest }, () => {}).ready;
    const error = thrown(() => bus.subscribe({ arg0: `${longest}x` }, () => {}));
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, '1025 bytes; buses accept at most 1024');
    assert.is.not(await ask(bus, 'AddMatch', `type='signal',arg0='${longest}x'`), undefined);
    assert.is(formatMatchRule({ arg0: 'x'.repeat(1024 - "arg0=''".length) }).length, 1024);
  });

  testUnless(missing, test, `the bus refuses what the library refuses: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: server.address });
    for (const text of [
      "arg64='a'",
      "arg1namespace='a.b'",
      "arg0='a',arg0path='/a'",
      "path='/a',path_namespace='/a'",
      "arg0namespace='a.b.'",
      "type='signal',type='signal'",
      "path_namespace='/a/'",
      "member='a.b'",
      "interface='a'",
      "sender='a'",
      "sender=''",
      "type='sginal'",
      "unknown='a'",
      "arg0='a",
    ]) {
      assert.instance(
        thrown(() => parseMatchRule(text)),
        InvalidArgumentError,
        text,
      );
      assert.is.not(await ask(bus, 'AddMatch', text), undefined, text);
    }
  });

  testUnless(missing, test, `the bus regards rules as equal that the library regards as equal: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: server.address });
    const different: readonly [MatchRule, MatchRule][] = [
      [{ sender: 'a.b' }, { sender: 'a.c' }],
      [{ interface: 'a.b' }, { interface: 'a.c' }],
      [{ member: 'A' }, { member: 'B' }],
      [{ path: '/a' }, { path: '/b' }],
      [{ path: '/a' }, { pathNamespace: '/a' }],
      [{ pathNamespace: '/a' }, { pathNamespace: '/b' }],
      [{ pathNamespace: '/a' }, {}],
      [{ destination: 'a.b' }, { destination: 'a.c' }],
      [{ arg0: 'a' }, { arg0: 'b' }],
      [{ arg0: 'ab' }, { arg0: 'abc' }],
      [{ arg0: '' }, {}],
      [{ arg0: 'a' }, { arg1: 'a' }],
      [
        { arg0: 'a', arg1: 'b' },
        { arg0: 'a', arg1: 'c' },
      ],
      [{ arg0: '/a/' }, { arg0path: '/a/' }],
      [{ arg0path: '/a/' }, { arg0path: '/b/' }],
      [{ arg0: 'a' }, { arg0namespace: 'a' }],
      [{ arg0namespace: 'a' }, { arg0namespace: 'b' }],
      [{ arg63: 'a' }, { arg63: 'b' }],
    ];
    for (const [one, other] of different) {
      const [added, removed] = [one, other].map((rule) => formatMatchRule({ ...rule, type: 'signal' })) as [
        string,
        string,
      ];
      assert.is(await ask(bus, 'AddMatch', added), undefined);
      const isTakenAsEqual = (await ask(bus, 'RemoveMatch', removed)) === undefined;
      // The one key that dbus-daemon does not compare: `rule-group.ts`.
      const isGroup = 'pathNamespace' in one && 'pathNamespace' in other;
      assert.is(isTakenAsEqual, isGroup && daemon === 'dbus-daemon', `${added} and ${removed}`);
      if (!isTakenAsEqual) assert.is(await ask(bus, 'RemoveMatch', added), undefined);
    }
    // The order and the quoting of the keys have no meaning.
    assert.is(await ask(bus, 'AddMatch', "type='signal',member='M',interface='i.A'"), undefined);
    assert.is(await ask(bus, 'RemoveMatch', 'interface=i.A,type=signal,member=M'), undefined);
  });

  testUnless(missing, test, `the bus and the library deliver the same signals: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: server.address });
    await using sender = await connect({ address: server.address });
    const settle = async () => {
      await sender.listNames();
      await bus.listNames();
    };
    const bodies: readonly string[][] = [
      [],
      ['x'],
      ['x.y', '/x/'],
      ['xy'],
      [''],
      ['/x/y'],
      ['/'],
      ['a'.repeat(64)],
      [...'a'.repeat(64)],
    ];
    const signals = ['/', '/a', '/a/b', '/ab'].flatMap((path) =>
      ['i.A', 'i.B'].flatMap((name) => bodies.map((body) => ({ path, interface: name, member: 'M', body }))),
    );
    for (const form of forms.filter(
      ({ sender: from, destination }) => from === undefined && destination === undefined,
    )) {
      // What the bus delivers, without the filter of the library.
      const sent: string[] = [];
      const heard: string[] = [];
      const noteSent = bus.addMessageHandler(({ sender: from, path, interface: name, body }) => {
        if (from === sender.uniqueName) sent.push(`${path} ${name} ${body}`);
      });
      const subscription = bus.subscribe(form, ({ sender: from, path, interface: name, body }) => {
        if (from === sender.uniqueName) heard.push(`${path} ${name} ${body}`);
      });
      await subscription.ready;
      const expected: string[] = [];
      for (const { body, ...signal } of signals) {
        const signature = 's'.repeat(body.length);
        sender.emit({ ...signal, signature, body });
        const message = { ...signal, type: 4, signature, stringAt: (index: number) => body[index] as string };
        const { eavesdrop: _, ...conditions } = form;
        if (isMet(conditions, message)) expected.push(`${signal.path} ${signal.interface} ${body}`);
      }
      await settle();
      const what = formatMatchRule({ ...form, type: 'signal' }).slice(0, 100);
      assert.equal(sent, expected, what);
      assert.equal(heard, expected, what);
      subscription.end();
      noteSent[Symbol.dispose]();
    }
  });

  testUnless(missing, test, `a condition on an argument after one that is not a string: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: server.address });
    await using sender = await connect({ address: server.address });
    const heard: string[] = [];
    const rule = { interface: 'i.A', arg1: 'x' } as const;
    const subscription = bus.subscribe(rule, ({ signature }) => void heard.push(signature));
    await subscription.ready;
    for (const [signature, first] of [
      ['ss', 'a'],
      ['us', 1],
      ['(s)s', ['a']],
    ] as const) {
      sender.emit({ path: '/', interface: 'i.A', member: 'M', signature, body: [first, 'x'] });
    }
    await sender.listNames();
    await bus.listNames();
    // dbus-broker compares no argument behind the first one that is neither a string nor a path.
    assert.equal(heard, daemon === 'dbus-broker' ? ['ss'] : ['ss', 'us', '(s)s']);
  });
}

test.run();
