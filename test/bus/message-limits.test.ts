// time limit: 180 s
// Every limit of a message, at the limit and beyond it, against both daemons: messages that busbar sends arrive, and
// messages for which a bus would disconnect are refused here. The exception is the size limit of the system bus: it is
// configured, and the reason of the loss names it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  type OutgoingMessage,
  Variant,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { peers } from '../helpers/peers.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('limits of messages');

type Message = Omit<OutgoingMessage, 'type'>;

interface Case {
  readonly what: string;
  readonly message: Message;
  /** The outcome at each bus, and differences between peers. */
  readonly outcome: 'arrives' | 'is refused here';
  readonly betweenPeers?: 'arrives' | 'is refused here';
}

const SIGNAL = { path: '/', interface: 'org.example.Limits', member: 'Sent' };
const MIB = 2 ** 20;

const signal = (what: string, outcome: Case['outcome'], message: Partial<Message>, betweenPeers = outcome): Case => ({
  what,
  outcome,
  betweenPeers,
  message: { ...SIGNAL, ...message } as Message,
});

/** `levels` variants, nested. */
function variants(levels: number): Variant {
  let value: Variant = new Variant('y', 1);
  for (let i = 1; i < levels; i++) value = new Variant('v', value as never);
  return value;
}

/** One value nested in this many arrays or structs. */
const inside = (levels: number, value: unknown = 1): unknown => (levels === 0 ? value : [inside(levels - 1, value)]);
const structs = (levels: number, content: string) => '('.repeat(levels) + content + ')'.repeat(levels);
const dictionaries = (levels: number): string => (levels === 0 ? 's' : `a{s${dictionaries(levels - 1)}}`);
const dictionary = (levels: number): unknown => (levels === 0 ? 'x' : { key: dictionary(levels - 1) });

const REFUSED = 'is refused here';

const CASES: readonly Case[] = [
  signal('63 variants', 'arrives', { signature: 'v', body: [variants(63)] }),
  // libdbus accepts 64, as the specification says; dbus-broker disconnects.
  signal('64 variants', REFUSED, { signature: 'v', body: [variants(64)] }, 'arrives'),
  signal('65 variants', REFUSED, { signature: 'v', body: [variants(65)] }),
  signal('32 arrays', 'arrives', { signature: `${'a'.repeat(32)}u`, body: [inside(32)] }),
  signal('33 arrays', REFUSED, { signature: `${'a'.repeat(33)}u`, body: [inside(33)] }),
  signal('32 structs', 'arrives', { signature: structs(32, 'u'), body: [inside(32)] }),
  signal('33 structs', REFUSED, { signature: structs(33, 'u'), body: [inside(33)] }),
  signal('31 dictionaries', 'arrives', { signature: dictionaries(31), body: [dictionary(31)] }),
  signal('31 arrays of 32 structs', 'arrives', { signature: 'a'.repeat(31) + structs(32, 'u'), body: [inside(63)] }),
  signal(
    '32 arrays of 32 structs',
    REFUSED,
    { signature: 'a'.repeat(32) + structs(32, 'u'), body: [inside(64)] },
    'arrives',
  ),
  signal(
    '32 arrays of 32 structs, empty',
    REFUSED,
    { signature: 'a'.repeat(32) + structs(32, 'u'), body: [[]] },
    'arrives',
  ),
  signal('31 variants in 32 structs', 'arrives', { signature: structs(32, 'v'), body: [inside(32, variants(31))] }),
  signal(
    '32 variants in 32 structs',
    REFUSED,
    { signature: structs(32, 'v'), body: [inside(32, variants(32))] },
    'arrives',
  ),
  signal('a signature of 254', 'arrives', { signature: 'y'.repeat(254), body: Array(254).fill(1) }),
  signal('a signature of 255', 'arrives', { signature: 'y'.repeat(255), body: Array(255).fill(1) }),
  signal('a signature of 256', REFUSED, { signature: 'y'.repeat(256), body: Array(256).fill(1) }),
  signal('a signature of 255 as a value', 'arrives', { signature: 'g', body: ['y'.repeat(255)] }),
  signal('a signature of 255 in a variant', 'arrives', {
    signature: 'v',
    body: [new Variant(`(${'y'.repeat(253)})` as string, Array(253).fill(1) as never)],
  }),
  signal('an interface of 255', 'arrives', { interface: `a.${'b'.repeat(253)}` }),
  signal('an interface of 256', REFUSED, { interface: `a.${'b'.repeat(254)}` }),
  signal('a member of 255', 'arrives', { member: 'm'.repeat(255) }),
  signal('a member of 256', REFUSED, { member: 'm'.repeat(256) }),
  signal('a path of 65 536', 'arrives', { path: `/${'p'.repeat(65_535)}` }),
  signal('a path of 65 537', 'arrives', { path: `/${'p'.repeat(65_536)}` }),
  signal('a path of 30 000 000', 'arrives', { path: `/${'p'.repeat(29_999_999)}` }),
  signal('a path of 64 MiB, which is a header beyond its limit', REFUSED, { path: `/${'p'.repeat(64 * MIB)}` }),
  signal('an array of 64 MiB', 'arrives', { signature: 'ay', body: [Buffer.alloc(64 * MIB)] }),
  signal('an array beyond 64 MiB', REFUSED, { signature: 'ay', body: [Buffer.alloc(64 * MIB + 1)] }),
  signal('nearly 128 MiB', 'arrives', {
    signature: 'ayay',
    body: [Buffer.alloc(64 * MIB), Buffer.alloc(64 * MIB - 400)],
  }),
  signal('128 MiB and more', REFUSED, { signature: 'ayay', body: [Buffer.alloc(64 * MIB), Buffer.alloc(64 * MIB)] }),
];

/** Messages that sd-bus drops silently when it receives them, or does not send: see the known gaps. */
const SD_BUS_LOSES = /^(a signature of 255|a path of (65 537|30 000 000))$/;

async function outcomeOf({ message, what }: Case, sender: MessageBus, receiver: MessageBus): Promise<string> {
  const last = { ...SIGNAL, member: 'Last' };
  let arrived = false;
  const done = new Promise<void>((resolve) => {
    receiver.addMessageHandler(({ member, path }) => {
      if (member === 'Last') resolve();
      else if (member === message.member && path === message.path) arrived = true;
      return false;
    });
  });
  const { uniqueName: destination } = receiver;
  try {
    sender.send({ ...message, type: 4, destination } as OutgoingMessage);
  } catch (error) {
    assert.instance(error, InvalidArgumentError, what);
    return REFUSED;
  }
  sender.send({ ...last, type: 4, destination } as OutgoingMessage);
  // Connections that wait for signals do not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  await Promise.race([done, sender.disconnected, receiver.disconnected]);
  clearInterval(alive);
  if (arrived) return 'arrives';
  return `is lost: ${((await Promise.race([sender.disconnected, null])) as Error | null)?.message ?? 'without a word'}`;
}

const limits = { queuedBytes: 512 * MIB };

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const started = PrivateBus.missing({ daemon }) === undefined ? await PrivateBus.start({ daemon }) : undefined;
  test.after(() => started?.stop());
  for (const each of CASES) {
    testUnless(PrivateBus.missing({ daemon }), test, `${daemon}: ${each.what} ${each.outcome}`, async () => {
      const { address } = started as PrivateBus;
      await using sender = await connect({ address, limits });
      await using receiver = await connect({ address });
      const isLost = transportKind() === 'sd-bus' && SD_BUS_LOSES.test(each.what);
      assert.is(await outcomeOf(each, sender, receiver), isLost ? 'is lost: without a word' : each.outcome);
      await sender.listNames();
    });
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `${daemon}: names of 255 bytes are owned, called and used in answers`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using service = await connect({ address: bus.address });
      await using client = await connect({ address: bus.address });
      const name = `org.example.${'n'.repeat(243)}`;
      const errorName = `org.example.${'e'.repeat(243)}`;
      assert.is(name.length, 255);
      const Failing = defineInterface('org.example.Failing', { methods: { Fail: {} } });
      const Fail = () => {
        throw new DBusError(errorName, 'as always');
      };
      service.export('/', implement(Failing, { Fail }));
      await service.requestName(name);
      const error = (await rejection(client.proxy(Failing, name, '/').call.Fail())) as DBusError;
      assert.is(error.dbusName, errorName);
      assert.instance(await rejection(service.requestName(`${name}n`)), InvalidArgumentError);
      assert.is(service.state, 'open');
    },
  );
}

for (const each of CASES) {
  const outcome = each.betweenPeers ?? each.outcome;
  test(`between peers: ${each.what} ${outcome}`, async () => {
    await using ends = await peers({ limits }, { limits });
    const isLost = transportKind() === 'sd-bus' && SD_BUS_LOSES.test(each.what);
    assert.is(await outcomeOf(each, ends.client, ends.accepted), isLost ? 'is lost: without a word' : outcome);
  });
}

testUnless(
  PrivateBus.missing(),
  test,
  'the system bus accepts less than 32 MiB, and the reason of the loss names a larger message',
  async () => {
    const policy = '<policy context="default"><allow send_type="signal"/></policy>';
    await using bus = await PrivateBus.start({ type: 'system', policy });
    await using sender = await connect({ address: bus.address });
    await using receiver = await connect({ address: bus.address });
    const small = signal('31 MiB', 'arrives', { signature: 'ay', body: [Buffer.alloc(31 * MIB)] });
    assert.is(await outcomeOf(small, sender, receiver), 'arrives');
    const large = signal('33 MiB', 'arrives', { signature: 'ay', body: [Buffer.alloc(33 * MIB)] });
    assert.match(
      await outcomeOf(large, sender, receiver),
      /^is lost: the connection was lost: E[A-Z]+ \(a message of 346\d{5} bytes was sent shortly before, which may be/,
    );
  },
);

test.run();
