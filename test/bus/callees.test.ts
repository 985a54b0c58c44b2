// Which connection may answer a call by well-known name: only the owner of the name, as the bus reports it in the stream.
// The tests play the bus where the order of its answers matters; test/reliability/faults-spoofing.test.ts uses real
// daemons.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  formatMatchRule,
  InvalidArgumentError,
  implement,
  MessageType,
} from '../../src/index.js';
import { busMessage, ownerChanged, refusalTo, strings } from '../helpers/bus-words.js';
import { BUS, FakeBus, PEER } from '../helpers/fake-bus.js';
import { patience } from '../helpers/patience.js';
import { matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { timesAtBus } from '../helpers/rules-at-bus.js';
import { testUnless } from '../helpers/skip.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const NAME = 'org.example.Called';
const OWNER = ':1.8';
const LATER = ':1.9';
const FORGER = ':1.66';

const test = suite('callees');

const answerTo = ({ serial: replySerial }: SentMessage, sender: string, ...texts: string[]) =>
  busMessage({ type: 2, replySerial, sender, ...strings(...texts) });

/** The client's query for the owner of the name, and its first call by that name. */
interface Asked {
  readonly rule: SentMessage;
  readonly question: SentMessage;
  readonly call: SentMessage;
}

/**
 * Has a client call by the name, on a bus that holds its answers back until it has received all queries. What follows is
 * one write, so that the client reads it in one batch. Resolves with the outcome of the call.
 */
async function calledWith(answers: (asked: Asked) => readonly Uint8Array[]): Promise<unknown> {
  const questions: SentMessage[] = [];
  await using server = await FakeBus.start({
    answer: (call) => {
      if (call.member === 'Hello') return undefined;
      questions.push(call);
      if (call.member !== 'Ask') return 'silence';
      const find = (member: string) => questions.find((question) => question.member === member) as SentMessage;
      return Buffer.concat([...answers({ rule: find('AddMatch'), question: find('GetNameOwner'), call })]);
    },
  });
  await using bus = await connect({ address: server.address });
  try {
    const call = { destination: NAME, path: '/', interface: NAME, member: 'Ask', timeout: 1000 * patience };
    const [answer] = await bus.call(call);
    return answer;
  } catch (error) {
    return error;
  }
}

test('the owner answers, even with the first bytes after those of the bus', async () => {
  const answer = await calledWith(({ rule, question, call }) => [
    answerTo(rule, BUS),
    answerTo(question, BUS, OWNER),
    answerTo(call, OWNER, 'true'),
  ]);
  assert.is(answer, 'true');
});

test('no other connection can answer, before the owner is known or after', async () => {
  const answer = await calledWith(({ rule, question, call }) => [
    answerTo(call, FORGER, 'forged'),
    answerTo(rule, BUS),
    answerTo(call, FORGER, 'forged'),
    answerTo(question, BUS, OWNER),
    answerTo(call, FORGER, 'forged'),
    answerTo(call, OWNER, 'true'),
  ]);
  assert.is(answer, 'true');
});

test('a service that the call has started can answer', async () => {
  const answer = await calledWith(({ rule, question, call }) => [
    answerTo(rule, BUS),
    refusalTo(question, 'NameHasNoOwner'),
    answerTo(call, FORGER, 'forged'),
    ownerChanged(NAME, '', OWNER),
    answerTo(call, FORGER, 'forged'),
    answerTo(call, OWNER, 'true'),
  ]);
  assert.is(answer, 'true');
});

for (const [who, answerer] of [
  ['the owner before', OWNER],
  ['the owner in between', ':1.10'],
  ['the owner after', LATER],
] as const) {
  test(`a name may change its owner while a call waits: ${who} answers`, async () => {
    const answer = await calledWith(({ rule, question, call }) => [
      answerTo(rule, BUS),
      answerTo(question, BUS, OWNER),
      ownerChanged(NAME, OWNER, ':1.10'),
      ownerChanged(NAME, ':1.10', ''),
      ownerChanged(NAME, '', LATER),
      answerTo(call, FORGER, 'forged'),
      answerTo(call, answerer, 'true'),
    ]);
    assert.is(answer, 'true');
  });
}

test('the answer of a callee counts although the callee has left the bus', async () => {
  const answer = await calledWith(({ rule, question, call }) => [
    answerTo(rule, BUS),
    answerTo(question, BUS, OWNER),
    ownerChanged(NAME, OWNER, ''),
    answerTo(call, OWNER, 'true'),
  ]);
  assert.is(answer, 'true');
});

test('the bus answers for a callee that has gone', async () => {
  const error = await calledWith(({ rule, question, call }) => [
    answerTo(rule, BUS),
    refusalTo(question, 'NameHasNoOwner'),
    refusalTo(call, 'ServiceUnknown'),
  ]);
  assert.match((error as Error).name, 'ServiceUnknown');
});

test('a call without a destination is refused on a bus, before anything is sent', async () => {
  await using server = await FakeBus.start();
  await using bus = await connect({ address: server.address });
  const before = bus.stats().messagesSent;
  const error = await rejection(bus.call({ path: '/', interface: NAME, member: 'Ask' }));
  assert.instance(error, InvalidArgumentError);
  assert.is(
    (error as Error).message,
    'destination: required on a message bus: give the name of the service that has the object, ' +
      "or 'org.freedesktop.DBus' for the bus itself",
  );
  assert.is(bus.stats().messagesSent, before);
});

testUnless(PrivateBus.missing(), test, 'a message without a destination is answered by the bus', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const replies: (number | undefined)[][] = [];
  using _handler = bus.addMessageHandler(
    ({ replySerial, type }) => {
      if (replySerial !== undefined) replies.push([replySerial, type]);
      return false;
    },
    { replies: true },
  );
  const peer = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
  const ping = bus.send({ type: MessageType.MethodCall, ...peer });
  const driver = { path: '/org/freedesktop/DBus', interface: BUS, member: 'ListNames' };
  const list = bus.send({ type: MessageType.MethodCall, ...driver });
  // The bus answers in order.
  await bus.listNames();
  assert.equal(replies.slice(0, 2), [
    [ping, MessageType.MethodReturn],
    [list, MessageType.Error],
  ]);
});

for (const [what, answers] of [
  ['does not tell the owner', ({ rule, question }) => [answerTo(rule, BUS), refusalTo(question, 'AccessDenied')]],
  ['takes no rule', ({ rule, question }) => [refusalTo(rule, 'LimitsExceeded'), answerTo(question, BUS, OWNER)]],
] satisfies [string, (asked: Asked) => readonly Uint8Array[]][]) {
  test(`if the bus ${what}, calls by the name are answered even so`, async () => {
    const answer = await calledWith((asked) => [...answers(asked), answerTo(asked.call, OWNER, 'true')]);
    assert.is(answer, 'true');
  });
}

test('a bus that did not report the owner is asked again after a while', async () => {
  let refuses = true;
  let rules = 0;
  await using server = await FakeBus.start({
    answer: (call) => {
      if (call.member === 'Ask') return Buffer.concat([answerTo(call, FORGER, 'forged'), answerTo(call, PEER, 'true')]);
      if (call.member !== 'AddMatch') return undefined;
      rules++;
      return refuses ? refusalTo(call, 'LimitsExceeded') : undefined;
    },
  });
  await using bus = await connect({ address: server.address });
  const ask = async () => {
    const [answer] = await bus.call({ destination: NAME, path: '/', interface: NAME, member: 'Ask' });
    await bus.listNames();
    return [rules, answer];
  };
  const { now } = performance;
  assert.is((await ask())[0], 1);
  refuses = false;
  assert.equal(await ask(), [1, 'forged']);
  performance.now = () => now.call(performance) + 60_000;
  try {
    assert.equal(await ask(), [2, 'true']);
  } finally {
    performance.now = now;
  }
  assert.equal(await ask(), [2, 'true']);
});

/** The rule for changes of owners: of one name, or of all names that begin with an element. */
const ownerRule = (names: { readonly arg0: string } | { readonly arg0namespace: string }) =>
  formatMatchRule({
    ...{ type: 'signal', sender: BUS, interface: BUS, path: '/org/freedesktop/DBus', member: 'NameOwnerChanged' },
    ...names,
  });

testUnless(
  PrivateBus.missing(),
  test,
  'any number of names may be called, with a limited number of rules, and with one message for each further call',
  async () => {
    await using daemon = await PrivateBus.start({ limits: matchRuleLimit(150) });
    await using service = await connect({ address: daemon.address });
    await using client = await connect({ address: daemon.address });
    const Echo = defineInterface(NAME, { methods: { Echo: { in: 's', out: 's' } } });
    service.export('/', implement(Echo, { Echo: (words) => words }));
    const names = Array.from({ length: 400 }, (_, i) => `${NAME}.N${i}`);
    await Promise.all(names.map((name) => service.requestName(name)));
    const echo = (name: string) => client.proxy(Echo, name, '/').call.Echo(name);
    const before = client.stats().messagesSent;
    // First at the same time: a question for each owner, 128 rules for one name each, and one rule for the others.
    assert.equal(await Promise.all(names.map(echo)), names);
    assert.is(client.stats().messagesSent - before, 400 + 400 + 128 + 1);
    // Then one after the other.
    for (const name of names) assert.is(await echo(name), name);
    assert.is(client.stats().messagesSent - before, 400 + 400 + 128 + 1 + 400);
    assert.equal([client.stats().calledNames, client.stats().matchRules, client.stats().subscriptions], [400, 0, 0]);
    let rules = 0;
    for (const name of names) rules += await timesAtBus(client, ownerRule({ arg0: name }));
    assert.equal([rules, await timesAtBus(client, ownerRule({ arg0namespace: 'org' }))], [128, 1]);
    assert.is(client.stats().pendingCalls, 0);
  },
);

/**
 * A bus on which every name has the same owner, and which answers every call first for the forgers, and then for the
 * owner.
 */
async function startForgingBus() {
  const rules: string[] = [];
  const removed: string[] = [];
  const answers = { forgers: [] as readonly string[], owner: OWNER };
  const server = await FakeBus.start({
    answer: (call) => {
      if (call.member === 'AddMatch') rules.push(call.text as string);
      if (call.member === 'RemoveMatch') removed.push(call.text as string);
      if (call.member === 'GetNameOwner') return answerTo(call, BUS, OWNER);
      if (call.member !== 'Ask') return undefined;
      const forged = answers.forgers.map((forger) => answerTo(call, forger, 'forged'));
      return Buffer.concat([...forged, answerTo(call, answers.owner, 'true')]);
    },
  });
  const bus = await connect({ address: server.address });
  return {
    ...{ server, bus, rules, removed, answers },
    ask: async (destination: string) => (await bus.call({ destination, path: '/', interface: NAME, member: 'Ask' }))[0],
    async [Symbol.asyncDispose]() {
      await bus.close();
      await server.stop();
    },
  };
}

const numbered = (count: number, prefix = NAME) => Array.from({ length: count }, (_, i) => `${prefix}.N${i}`);

test('only the owner answers a call by a name that shares its rule, before and after a change of the owner', async () => {
  await using played = await startForgingBus();
  const { server, bus, ask, rules, answers } = played;
  const peer = await server.accepted();
  await Promise.all(numbered(128).map(ask));
  const shared = `${NAME}.Shared`;
  answers.forgers = [FORGER, LATER];
  assert.is(await ask(shared), 'true');
  assert.is(rules.at(-1), ownerRule({ arg0namespace: 'org' }));
  peer.inject(ownerChanged(shared, OWNER, LATER));
  await bus.listNames();
  Object.assign(answers, { forgers: [FORGER, OWNER], owner: LATER });
  assert.is(await ask(shared), 'true');
});

test('rules are shared by the first element; beyond sixteen, names that were not called lately make room', async () => {
  await using played = await startForgingBus();
  const { bus, ask, rules, removed } = played;
  await Promise.all(numbered(128).map(ask));
  for (let i = 0; i < 16; i++) await Promise.all(numbered(3, `first${i}`).map(ask));
  assert.is(rules.length, 128 + 16);
  assert.equal(removed, []);
  await ask('first16.N0');
  await ask('first16.N1');
  assert.equal(rules.slice(-2), [ownerRule({ arg0: 'first16.N0' }), ownerRule({ arg0: 'first16.N1' })]);
  assert.equal(removed, [ownerRule({ arg0: `${NAME}.N0` }), ownerRule({ arg0: `${NAME}.N1` })]);
  assert.is(bus.stats().calledNames, 128 + 48);
});

test('a rule is shared until the last of its names is dropped, and names are dropped beyond 1024', async () => {
  await using played = await startForgingBus();
  const { bus, ask, rules, removed } = played;
  await Promise.all(numbered(128).map(ask));
  await Promise.all(numbered(10, 'first').map(ask));
  await Promise.all(numbered(1024, 'second').map(ask));
  assert.is(bus.stats().calledNames, 128 + 1024);
  assert.is(rules.length, 130);
  assert.equal(removed, [ownerRule({ arg0namespace: 'first' })]);
  // A name that is called regularly is not dropped.
  const before = bus.stats().messagesSent;
  for (const name of numbered(200, 'third')) {
    await ask('second.N500');
    await ask(name);
  }
  assert.is(bus.stats().messagesSent - before, 200 + 400 + 1);
  assert.equal([bus.stats().calledNames, bus.stats().pendingCalls], [128 + 1024, 0]);
});

test('the first call by a name costs two more messages, and further calls none', async () => {
  await using server = await FakeBus.start({
    answer: (call) => (call.member === 'Ask' ? answerTo(call, ':1.2', 'true') : undefined),
  });
  await using bus = await connect({ address: server.address });
  const before = bus.stats().messagesSent;
  for (let i = 0; i < 10; i++) await bus.call({ destination: NAME, path: '/', interface: NAME, member: 'Ask' });
  assert.is(bus.stats().messagesSent - before, 12);
});

test.run();
