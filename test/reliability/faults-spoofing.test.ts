// A connection on the same bus pretends to be a service, or the bus: its messages are ignored. And the error that a peer
// gets is a text, without the place in a file of this process.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  connect,
  type DBusError,
  defineInterface,
  implement,
  listen,
  type Message,
  type MessageBus,
  MessageType,
  PropertyReadOnlyError,
} from '../../src/index.js';
import { count, Ledger } from '../helpers/ledger.js';
import { folder } from '../helpers/peers.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';

const NAME = 'org.example.Genuine';
const BUS = 'org.freedesktop.DBus';
const Genuine = defineInterface(NAME, {
  methods: { Slow: { in: 'u', out: 's' }, Throws: { in: 's', out: 's' }, Misfits: { in: 's', out: 'u' } },
  signals: { Tick: { args: 'u' } },
  properties: {
    Fixed: { type: 'u', access: 'read' },
    Broken: { type: 'u', access: 'readwrite' },
    Secret: { type: 's', access: 'write' },
  },
});

const test = suite('faults: spoofing');

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing === undefined) await addTests(kind);
  else skip(test, kind, missing);
}

async function addTests(kind: Daemon): Promise<void> {
  const daemon = await PrivateBus.start({ daemon: kind });
  const client = await connect({ address: daemon.address });
  const service = await connect({ address: daemon.address });
  const forger = await connect({ address: daemon.address });
  let written = 0;
  const release: (() => void)[] = [];
  const fail = (how: string): never => {
    if (how === 'string') throw 'a string';
    if (how === 'system') throw Object.assign(new Error("ENOENT: no such file, open '/x'"), { code: 'ENOENT' });
    if (how === 'cause') throw new Error('outer', { cause: new TypeError('inner') });
    if (how === 'null') throw null;
    throw new RangeError('out of range');
  };
  const genuineOf = (who: string) =>
    implement(Genuine, {
      Slow: (number) => new Promise<string>((resolve) => release.push(() => resolve(`${who} ${number}`))),
      Throws: fail,
      Misfits: () => 'no number' as unknown as number,
      Fixed: {
        get: () => 1,
        set: () => void written++,
      } as never,
      Broken: { get: () => fail('get'), set: () => fail('set') },
      Secret: { set: () => void written++ } as never,
    });
  const genuine = genuineOf('genuine');
  service.export('/genuine', genuine);
  await service.requestName(NAME);
  const remote = client.proxy(Genuine, NAME, '/genuine');

  test.after(async () => {
    await Promise.all([client.close(), service.close(), forger.close()]);
    await daemon.stop();
  });

  const onBus = (name: string, run: () => Promise<void>) => test(`${kind}: ${name}`, run);
  const forge = (member: string, body: readonly unknown[]) =>
    forger.emit({
      path: '/org/freedesktop/DBus',
      interface: BUS,
      member,
      signature: 's'.repeat(body.length),
      body,
      destination: client.uniqueName,
    });
  /**
   * Watches for forgeries that arrive at a connection, and in the end counts them as ignored: a daemon that delivers none
   * proves nothing.
   */
  const forgeriesAt = (bus: MessageBus, isForged = ({ sender }: Message) => sender === forger.uniqueName) => {
    const before = bus.stats().unexpectedReplies;
    let signals = 0;
    const watch = bus.addMessageHandler((message) => {
      if (isForged(message)) signals++;
      return false;
    });
    return {
      get signals() {
        return signals;
      },
      get replies() {
        return bus.stats().unexpectedReplies - before;
      },
      [Symbol.dispose]() {
        watch[Symbol.dispose]();
        count({ forgeriesIgnored: this.signals + this.replies });
      },
    };
  };

  /** The session policy of dbus-daemon delivers unrequested replies; dbus-broker does not. */
  const repliesThatPass = (sent: number) => (kind === 'dbus-daemon' ? sent : 0);

  /** Has the bus deliver all signals of the interface, from any sender, without a listener for this rule. */
  const overhear = async (bus: MessageBus): Promise<AsyncDisposable> => {
    const ask = (member: string) =>
      bus.call({
        destination: BUS,
        path: '/org/freedesktop/DBus',
        interface: BUS,
        member,
        signature: 's',
        body: [`type='signal',interface='${NAME}'`],
      });
    await ask('AddMatch');
    return { [Symbol.asyncDispose]: async () => void (await ask('RemoveMatch')) };
  };

  /**
   * Messages that these and the client sent before are handled, if they were for one of them: the first answers mean that
   * they have passed the daemon, the second ones that they have arrived.
   */
  const settled = async (...buses: MessageBus[]) => {
    const ping = (bus: MessageBus) =>
      bus.call({ destination: BUS, path: '/', interface: `${BUS}.Peer`, member: 'Ping' });
    for (let round = 0; round < 2; round++) await Promise.all([...buses, client].map(ping));
  };

  /** The serial that a client used last, which any connection can learn: from a message to itself. */
  const lastSerialOf = async (bus: MessageBus) => {
    const told = new Promise<number>((resolve) => {
      const watch = forger.addMessageHandler((message) => {
        if (message.member !== 'Tell') return false;
        watch[Symbol.dispose]();
        resolve(message.serial - 1);
        return true;
      });
    });
    bus.emit({ path: '/', interface: NAME, member: 'Tell', destination: forger.uniqueName });
    return await told;
  };

  onBus('signals that a third connection sends in the name of a service reach no listener', async () => {
    const ledger = new Ledger();
    const ticks = remote.on.Tick((number) => ledger.arrive(number));
    await ticks.ready;
    await using _all = await overhear(client);
    using forgeries = forgeriesAt(client);
    const unmatched = client.stats().unmatchedSignals;
    for (let number = 0; number < 200; number++) {
      const forged = { path: '/genuine', interface: NAME, member: 'Tick', signature: 'u', body: [1_000_000 + number] };
      forger.emit({ ...forged, destination: client.uniqueName });
      forger.emit(forged);
      ledger.emit(number, genuine.emit.Tick);
    }
    await settled(forger, service);
    ticks.end();
    assert.is(forgeries.signals, 400);
    assert.is(client.stats().unmatchedSignals - unmatched, 400);
    ledger.assertArrived();
  });

  onBus('forged changes of ownership change nothing', async () => {
    const seen: (string | undefined)[] = [];
    const lost: unknown[] = [];
    using _watch = client.watchName(NAME, {
      appeared: (owner) => seen.push(owner),
      vanished: () => seen.push(undefined),
    });
    const owned = await client.requestName('org.example.Owned');
    void owned.lost?.then((reason: unknown) => lost.push(reason));
    const ledger = new Ledger();
    const ticks = remote.on.Tick((number) => ledger.arrive(number));
    await ticks.ready;
    await settled();
    using forgeries = forgeriesAt(client);
    for (let round = 0; round < 50; round++) {
      forge('NameOwnerChanged', [NAME, service.uniqueName, forger.uniqueName]);
      forge('NameOwnerChanged', [NAME, service.uniqueName, '']);
      forge('NameLost', ['org.example.Owned']);
      forge('NameAcquired', ['org.example.Other']);
      forger.emit({
        path: '/genuine',
        interface: NAME,
        member: 'Tick',
        signature: 'u',
        body: [1_000_000],
        destination: client.uniqueName,
      });
      ledger.emit(round, genuine.emit.Tick);
    }
    await settled(forger, service);
    ticks.end();
    assert.is(forgeries.signals, 250);
    ledger.assertArrived();
    assert.equal(seen, [service.uniqueName]);
    assert.equal(lost, []);
    assert.is(client.stats().ownedNames, 1);
    await owned.release();
  });

  onBus('replies with the right serial from the wrong sender settle nothing', async () => {
    const ledger = new Ledger();
    const answers: string[] = [];
    const byUniqueName = client.proxy(Genuine, service.uniqueName as string, '/genuine');
    for (let number = 0; number < 20; number++) {
      const answer = (number % 2 === 0 ? remote : byUniqueName).call.Slow(number);
      ledger.call(answer.then((text) => answers.push(text)));
    }
    await settled(service);
    const serial = await lastSerialOf(client);
    assert.ok(serial > 20);
    using forgeries = forgeriesAt(client);
    let sent = 0;
    for (let replySerial = serial - 30; replySerial < serial + 30; replySerial++) {
      if (replySerial <= 0) continue;
      const head = { destination: client.uniqueName, replySerial, signature: 's', body: ['forged'] };
      forger.send({ ...head, type: MessageType.MethodReturn });
      forger.send({ ...head, type: MessageType.Error, errorName: 'org.example.Forged' });
      sent += 2;
    }
    await settled(forger);
    assert.is(forgeries.replies, repliesThatPass(sent));
    assert.is(client.stats().pendingCalls, 20);
    for (const answer of release.splice(0)) answer();
    assert.equal(await ledger.outcomes(), { fulfilled: 20 });
    assert.ok(answers.every((text) => text.startsWith('genuine')));
  });

  onBus('only the owner answers the first call by a name', async () => {
    await using caller = await connect({ address: daemon.address });
    const answer = caller.proxy(Genuine, NAME, '/genuine').call.Slow(7);
    // Hello, the rule and the query for the owner came before it.
    using forgeries = forgeriesAt(caller);
    const forged = { destination: caller.uniqueName, replySerial: 4, signature: 's', body: ['forged'] };
    for (let round = 0; round < 50; round++) forger.send({ ...forged, type: MessageType.MethodReturn });
    await settled(forger, caller, service);
    assert.is(forgeries.replies, repliesThatPass(50));
    assert.is(caller.stats().pendingCalls, 1);
    for (const reply of release.splice(0)) reply();
    assert.is(await answer, 'genuine 7');
  });

  onBus('the owner at the time of the call answers, not an earlier or later one', async () => {
    const name = 'org.example.Handed';
    const remote = client.proxy(Genuine, name, '/genuine');
    using forgeries = forgeriesAt(client);
    let sent = 0;
    const forged = async () => {
      const serial = await lastSerialOf(client);
      for (let replySerial = serial - 5; replySerial <= serial; replySerial++) {
        if (replySerial <= 0) continue;
        const head = { destination: client.uniqueName, replySerial, signature: 's', body: ['forged'] };
        forger.send({ ...head, type: MessageType.MethodReturn });
        sent++;
      }
      await settled(forger);
      assert.is(forgeries.replies, repliesThatPass(sent));
    };
    // The forger once had the name: messages that it sends after that come from no owner.
    await (await forger.requestName(name)).release();
    const owned = await service.requestName(name);
    const before = remote.call.Slow(1);
    await settled(service);
    await forged();
    assert.is(client.stats().pendingCalls, 1);
    // The next owner has the name while the call waits, and the call is still the first one's to answer.
    await owned.release();
    await using heir = await connect({ address: daemon.address });
    heir.export('/genuine', genuineOf('heir'));
    const inherited = await heir.requestName(name);
    const after = remote.call.Slow(2);
    await forged();
    await settled(heir);
    assert.is(client.stats().pendingCalls, 2);
    for (const reply of release.splice(0)) reply();
    assert.equal(await Promise.all([before, after]), ['genuine 1', 'heir 2']);
    await inherited.release();
  });

  onBus('a name that changes its owner in the middle of a stream takes the stream along', async () => {
    const name = 'org.example.Moving';
    const ledger = new Ledger();
    const owners = [service, forger];
    const ticks = client.proxy(Genuine, name, '/moving').on.Tick((number) => ledger.arrive(number));
    await ticks.ready;
    await using _all = await overhear(client);
    using forgeries = forgeriesAt(client, ({ member, body }) => member === 'Tick' && (body[0] as number) >= 1_000_000);
    const send = (bus: MessageBus, number: number) =>
      bus.emit({ path: '/moving', interface: NAME, member: 'Tick', signature: 'u', body: [number] });
    for (let round = 0; round < 20; round++) {
      const [owner, other] = round % 2 === 0 ? owners : owners.toReversed();
      const owned = await (owner as MessageBus).requestName(name);
      for (let i = 0; i < 10; i++) {
        send(other as MessageBus, 1_000_000);
        ledger.emit(round * 10 + i, (number) => send(owner as MessageBus, number));
      }
      await owned.release();
      send(owner as MessageBus, 2_000_000);
    }
    await settled(...owners);
    ticks.end();
    assert.is(forgeries.signals, 220);
    ledger.assertArrived();
  });

  onBus('a setter of a read-only property never runs', async () => {
    const set = (property: string, value: unknown) =>
      client.call({
        destination: NAME,
        path: '/genuine',
        interface: `${BUS}.Properties`,
        member: 'Set',
        signature: 'ssv',
        body: [NAME, property, value],
      });
    assert.instance(await rejection(set('Fixed', 7)), PropertyReadOnlyError);
    assert.is(written, 0);
    await set('Secret', 'text');
    assert.is(written, 1);
  });

  onBus('an error that a peer gets names no file and no line of this process', async () => {
    const ask = (path: string, interfaceName: string, member: string, signature = '', body: unknown[] = []) =>
      rejection(client.call({ destination: NAME, path, interface: interfaceName, member, signature, body }));
    const errors: Error[] = [];
    for (const how of ['string', 'system', 'cause', 'null', 'plain']) {
      errors.push(await ask('/genuine', NAME, 'Throws', 's', [how]));
      errors.push(await ask('/genuine', NAME, 'Misfits', 's', [how]));
    }
    errors.push(await ask('/genuine', `${BUS}.Properties`, 'Get', 'ss', [NAME, 'Broken']));
    errors.push(await ask('/genuine', `${BUS}.Properties`, 'Get', 'ss', [NAME, 'Secret']));
    errors.push(await ask('/genuine', `${BUS}.Properties`, 'Get', 'ss', [NAME, 'None']));
    errors.push(await ask('/genuine', `${BUS}.Properties`, 'GetAll', 's', ['org.example.None']));
    errors.push(await ask('/genuine', NAME, 'None'));
    errors.push(await ask('/genuine', NAME, 'Throws', 'u', [1]));
    errors.push(await ask('/nowhere', NAME, 'Throws', 's', ['']));
    for (const error of errors) {
      const told = JSON.stringify((error as DBusError).body);
      assert.not.match(told, /\\n|\bat [\w.<>]+ ?\(|\.[cm]?[jt]s\b|node:|file:|\/src\/|\/dist\//, told);
      assert.ok(told.length < 500, told);
    }
    count({ errorsScanned: errors.length });
  });
}

test('an anonymous client is rejected, unless that is allowed', async () => {
  const server = await listen({ address: `unix:tmpdir=${folder}` });
  const anonymous = connect({ address: server.address, peer: true, anonymous: true, timeout: 3000 });
  assert.instance(await rejection(anonymous), ConnectError);
  await server.close();
});

test.run();
