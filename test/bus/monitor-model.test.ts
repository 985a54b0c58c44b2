/**
 * Random traffic of several connections, and monitors with random rules. A monitor without rules gives the order of all
 * messages, and must have what each connection has sent. The others are compared with a direct implementation of match
 * rules on that list. On dbus-daemon and dbus-broker.
 * time limit: 180 s
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type Message,
  type MessageBus,
  MessageType,
  type Monitor,
  type MonitoredMessage,
  type MonitorRule,
  type OutgoingMessage,
  parseSignature,
} from '../../src/index.js';
import { isMet } from '../helpers/match-model.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('monitor model');
const BUS = 'org.freedesktop.DBus';
const NAMES = ['org.example.A', 'org.example.B'];
const CLIENTS = 4;
const EDGE = { path: '/', interface: 'i.Edge' };

type Step =
  | {
      readonly do: 'call';
      readonly from: number;
      readonly to: number | string;
      readonly head: Head;
      readonly isSilent: boolean;
    }
  | { readonly do: 'signal'; readonly from: number; readonly to: number | string | undefined; readonly head: Head }
  | { readonly do: 'own'; readonly from: number; readonly name: string }
  | { readonly do: 'release'; readonly from: number; readonly name: string }
  /** Everything before is over. */
  | { readonly do: 'wait' };

interface Head {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly string[];
}

const client = fc.nat({ max: CLIENTS - 1 });
const name = fc.constantFrom(...NAMES);
const receiver = fc.oneof(client, name);
const head: fc.Arbitrary<Head> = fc.record({
  path: fc.constantFrom('/', '/a', '/a/b'),
  interface: fc.constantFrom('i.A', 'i.B'),
  member: fc.constantFrom('M', 'N'),
  body: fc.array(fc.constantFrom('x', 'x.y', '/x/'), { maxLength: 2 }),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('call' as const),
        from: client,
        to: receiver,
        head,
        isSilent: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('signal' as const),
        from: client,
        to: fc.option(receiver, { nil: undefined }),
        head,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.oneof(
        fc.record({ do: fc.constant('own' as const), from: client, name }),
        fc.record({ do: fc.constant('release' as const), from: client, name }),
      ),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'wait' as const }) },
  ),
  { maxLength: 60 },
);

const rule: fc.Arbitrary<MonitorRule> = fc
  .tuple(
    fc.constantFrom<MonitorRule>(
      {},
      {},
      { type: 'method_call' },
      { type: 'method_return' },
      { type: 'error' },
      { type: 'signal' },
    ),
    fc.constantFrom<MonitorRule>({}, {}, { sender: 'org.example.A' }, { sender: 'client 0' }, { sender: BUS }),
    fc.constantFrom<MonitorRule>({}, {}, { destination: 'org.example.A' }, { destination: 'client 1' }),
    fc.constantFrom<MonitorRule>(
      {},
      {},
      { interface: 'i.A' },
      { member: 'M' },
      { path: '/a' },
      { pathNamespace: '/a' },
    ),
    fc.constantFrom<MonitorRule>({}, {}, {}, { arg0: 'x' }, { arg0namespace: 'x' }, { arg1path: '/x/y' }),
  )
  .map((parts) => Object.assign({}, ...parts) as MonitorRule);
const monitored = fc.array(
  fc.record({ rules: fc.array(rule, { minLength: 1, maxLength: 3 }), replies: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

/** A connection that sends what it is told, and answers calls by their bodies: with a reply, an error, or later. */
class Client {
  readonly bus: MessageBus;
  readonly sent: string[] = [];
  #later: (() => void)[] = [];

  constructor(bus: MessageBus) {
    this.bus = bus;
    bus.addMessageHandler((message) => {
      if (message.type !== MessageType.MethodCall) return false;
      if (message.path === '/a/b') this.#later.push(() => this.#answer(message));
      else this.#answer(message);
      return true;
    });
  }

  send(message: OutgoingMessage): void {
    const { signature = message.body?.map(() => 's').join(''), ...rest } = message;
    const serial = this.bus.send({ ...rest, signature });
    this.sent.push(keyOf({ flags: 0, ...rest, signature: signature ?? '', serial, sender: this.bus.uniqueName }));
  }

  /** Answers what was put off, the last first. */
  answerLate(): void {
    for (const answer of this.#later.splice(0).reverse()) answer();
  }

  #answer({ expectsReply, sender, serial, member, body }: Message & { readonly expectsReply?: boolean }): void {
    if (expectsReply === false) return;
    const reply = { destination: sender, replySerial: serial, body };
    if (member === 'M') this.send({ type: MessageType.MethodReturn, ...reply });
    else this.send({ type: MessageType.Error, errorName: 'i.Error', ...reply });
  }
}

/** A message as text, to be compared. */
function keyOf(
  message: { readonly [Key in Exclude<keyof Message, 'fileDescriptors'>]?: Message[Key] | undefined },
): string {
  const {
    type,
    flags,
    serial,
    replySerial,
    sender,
    destination,
    path,
    interface: interfaceName,
    member,
    errorName,
  } = message;
  const fields = { type, flags, serial, replySerial, sender, destination, path, interfaceName, member, errorName };
  return JSON.stringify({ ...fields, signature: message.signature, body: message.body ?? [] });
}

/** The messages between the two edges. */
async function untilEnd(monitor: Monitor): Promise<MonitoredMessage[]> {
  const all: MonitoredMessage[] = [];
  let isBegun = false;
  for await (const message of monitor) {
    if (message.interface === EDGE.interface && message.member === 'End') return all;
    if (isBegun) all.push(message);
    else isBegun = message.interface === EDGE.interface;
  }
  throw new Error('the monitor ended');
}

async function play(clients: readonly Client[], all: readonly Step[]): Promise<void> {
  const nameOf = (to: number | string) => (typeof to === 'string' ? to : clients[to]?.bus.uniqueName);
  const settle = async () => {
    for (let round = 0; round < 3; round++) {
      // The bus has passed on what was sent, and the receivers have it.
      await Promise.all(clients.map(({ bus }) => bus.listNames()));
      for (const each of clients) each.answerLate();
    }
  };
  const pending: Promise<unknown>[] = [];
  for (const step of all) {
    if (step.do === 'wait') {
      await settle();
      continue;
    }
    const from = clients[step.from] as Client;
    if (step.do === 'own')
      pending.push(
        from.bus
          .requestName(step.name, { replace: true, allowReplacement: true, queue: true })
          .then((owned) => owned.acquired.catch(() => {})),
      );
    else if (step.do === 'release') pending.push(from.bus.releaseName(step.name).catch(() => {}));
    else if (step.do === 'signal')
      from.send({
        type: MessageType.Signal,
        ...step.head,
        destination: step.to === undefined ? undefined : nameOf(step.to),
      });
    else
      from.send({
        type: MessageType.MethodCall,
        flags: Number(step.isSilent),
        ...step.head,
        destination: nameOf(step.to),
      });
  }
  await settle();
}

/** What the monitors with rules must have shown, by the list of all messages. */
function expected(
  all: readonly MonitoredMessage[],
  rules: readonly MonitorRule[],
  withReplies: boolean,
  owners: Map<string, string>,
): MonitoredMessage[] {
  const shownCalls = new Set<MonitoredMessage>();
  const recipient = (name: string | undefined) => owners.get(name ?? '') ?? name;
  return all.filter((message) => {
    const meets = ({ sender, destination, ...others }: MonitorRule) =>
      isMet(others, { ...matchable(message) }) &&
      (sender === undefined || recipient(sender) === message.sender) &&
      (destination === undefined ||
        (message.destination !== undefined && recipient(destination) === recipient(message.destination)));
    const isShown = rules.some(meets) || (withReplies && message.call !== undefined && shownCalls.has(message.call));
    if (isShown) shownCalls.add(message);
    if (message.sender === BUS && message.member === 'NameOwnerChanged') {
      const [changed, , owner] = message.body as [string, string, string];
      if (owner === '') owners.delete(changed);
      else if (!changed.startsWith(':')) owners.set(changed, owner);
    }
    return isShown;
  });
}

const matchable = (message: MonitoredMessage) => ({
  ...message,
  // One character for each argument.
  signature: parseSignature(message.signature)
    .map(({ signature }) => signature[0])
    .join(''),
  stringAt: (index: number) => message.body[index] as string,
});

/** dbus-daemon says a name is acquired before the connection has it, for rules with destinations. */
const isAboutOwnNames = ({ sender, member }: MonitoredMessage) =>
  sender === BUS && (member === 'NameAcquired' || member === 'NameLost');

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `monitors show what meets their rules, in order: ${daemon}`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      await fc.assert(
        fc.asyncProperty(steps, monitored, async (program, choices) => {
          const buses = await Promise.all(
            Array.from({ length: CLIENTS + 1 }, () => connect({ address: server.address })),
          );
          const [bus, ...others] = buses as [MessageBus, ...MessageBus[]];
          const clients = others.map((each) => new Client(each));
          const named = (text: string | undefined) =>
            text?.startsWith('client ') ? others[Number(text.slice(7))]?.uniqueName : text;
          const all = bus.monitor([], { limit: 100_000 });
          const filtered = choices.map(({ rules: given, replies }) => {
            const rules = given.map((each) => {
              const { sender, destination, ...rest } = each;
              return {
                ...rest,
                ...(sender && { sender: named(sender) }),
                ...(destination && { destination: named(destination) }),
              };
            });
            return {
              rules,
              replies,
              monitor: bus.monitor([...rules, { interface: EDGE.interface }], { replies, limit: 100_000 }),
            };
          });
          await all.ready;
          for (const { monitor } of filtered) await monitor.ready;
          bus.emit({ ...EDGE, member: 'Begin' });
          await bus.listNames();
          await play(clients, program);
          bus.emit({ ...EDGE, member: 'End' });
          const reference = await untilEnd(all);
          for (const { bus: each, sent } of clients) {
            const seen = reference.filter(
              ({ sender, destination }) => sender === each.uniqueName && destination !== BUS,
            );
            assert.equal(seen.map(keyOf), sent);
          }
          for (const reply of reference.filter(({ replySerial }) => replySerial !== undefined)) {
            const isItsCall = ({ sender, serial, type }: MonitoredMessage) =>
              type === MessageType.MethodCall && sender === reply.destination && serial === reply.replySerial;
            assert.is(reply.call, reference.find(isItsCall));
            if (reply.call !== undefined) assert.ok((reply.elapsed ?? -1) >= 0);
          }
          for (const { rules, replies, monitor } of filtered) {
            const shown = (await untilEnd(monitor)).filter((message) => !isAboutOwnNames(message));
            const wanted = expected(reference, rules, replies, new Map()).filter(
              (message) => !isAboutOwnNames(message),
            );
            assert.equal(shown.map(keyOf), wanted.map(keyOf), JSON.stringify(rules));
            for (const { call, replySerial } of shown) if (call !== undefined) assert.is(call.serial, replySerial);
            monitor.end();
          }
          all.end();
          await Promise.all(buses.map((each) => each.close({ drain: 0 })));
        }),
        replayable(25),
      );
    },
  );
}

test.run();
