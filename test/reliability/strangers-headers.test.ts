// time limit: 240 s
/**
 * Messages that any connection on the bus can send to any other: whatever headers the daemon delivers, the receivers lose
 * at most the message, whether it is addressed to them or a monitor overhears it.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus, type Problem } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { parseSignature } from '../../src/signature/parse.js';
import { patience } from '../helpers/patience.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { testUnless } from '../helpers/skip.js';
import { type Bytes, bytesOf, type WireMessage, wireMessage, writeField } from '../helpers/wire.js';
import type { WireEnd } from '../helpers/wire-end.js';

const test = suite('headers of other connections');

const SEED = 20_240_801;
const BUS = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
const SIGNAL = { type: 4, path: '/a', interface: 'a.b', member: 'M' } as const;

/** A connection to the bus whose bytes the test writes; the daemon may end it, and then there is another one. */
class Sender {
  readonly #address: string;
  #end: WireEnd | undefined;
  hangUps = 0;

  constructor(address: string) {
    this.#address = address;
  }

  /** Sends messages, and waits until the daemon has handled them. */
  async send(messages: readonly WireMessage[]): Promise<void> {
    const end = await this.#connected();
    for (const message of messages) end.inject(wireMessage({ ...message, serial: end.nextSerial() }));
    const isAlive = await end.call({ ...BUS, member: 'GetId' }).then(
      () => true,
      () => false,
    );
    if (isAlive) return;
    this.hangUps++;
    this.#end = undefined;
  }

  close(): void {
    this.#end?.hangUp();
  }

  async #connected(): Promise<WireEnd> {
    if (this.#end?.isClosed === false) return this.#end;
    this.#end = await RawPeer.authenticated(this.#address);
    await this.#end.call({ ...BUS, member: 'Hello' });
    return this.#end;
  }
}

/** Signatures that daemons accept, deep and long ones above all, with an empty value if that is short. */
function signatures(count: number): string[] {
  const chain = fc
    .array(
      fc.tuple(
        fc.constantFrom(['a', ''], ['(', ')'], ['a{s', '}'], ['a(', ')'], ['(y', ')']),
        fc.integer({ min: 1, max: 33 }),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((links) =>
      links.reduceRight(
        (inner, [[open = '', close = ''], times]) => open.repeat(times) + inner + close.repeat(times),
        'y',
      ),
    );
  // An array of it is empty, so that the body is four bytes, and their padding.
  const arrays = chain.map((type) => `a${type}`).filter((signature) => isValid(signature));
  return fc.sample(arrays, { numRuns: count, seed: SEED });
}

function isValid(signature: string): boolean {
  try {
    parseSignature(signature);
    return true;
  } catch {
    return false;
  }
}

const emptyArray = (signature: string): Buffer => {
  const needsPadding = /^a[xtd({]/.test(signature);
  return bytesOf((b) => (needsPadding ? b.u32(0).align(8) : b.u32(0)));
};

/** Messages that one daemon accepts and another does not; a message that is not accepted ends the sender's connection. */
function oddMessages(victim: string, count: number): WireMessage[] {
  const odd = fc.oneof(
    fc
      .constantFrom('z', '{sv}', '()', 'a', '(a', `${'a'.repeat(33)}y`, 'a{vs}', 'a{sss}')
      .map((signature) => ({ ...SIGNAL, signature })),
    fc
      .constantFrom('nodots', ':1', '', 'a..b', ':1.2.3.4', 'a.b-c', '9.a', `a.${'b'.repeat(254)}`)
      .map((destination) => ({ ...SIGNAL, destination })),
    fc
      .constantFrom(undefined, '', 'a', '/a/', '//', '/org/freedesktop/DBus/Local')
      .map((path) => ({ ...SIGNAL, path })),
    fc
      .constantFrom(undefined, '', 'a', 'org.freedesktop.DBus.Local', 'a.b-c')
      .map((name) => ({ ...SIGNAL, interface: name })),
    fc.constantFrom(undefined, '', '9', 'a.b').map((member) => ({ ...SIGNAL, member })),
    fc.constantFrom(2, 3).map((type) => ({ type })),
    fc
      .constantFrom(1, 2, 3, 4, 5)
      .map((code) => ({ ...SIGNAL, moreFields: (b: Bytes) => writeField(b, code, 'u', 7) })),
    fc
      .constantFrom(0, 10, 11)
      .map((code) => ({ ...SIGNAL, moreFields: (b: Bytes) => writeField(b, code, 'o', 'no path') })),
  );
  return fc.sample(odd, { numRuns: count, seed: SEED }).map((message) => ({ destination: victim, ...message }));
}

/** Messages that daemons accept, with elements that this version of the specification does not know. */
function unknownMessages(victim: string, count: number): WireMessage[] {
  const code = fc.integer({ min: 11, max: 255 });
  const type = fc.integer({ min: 5, max: 255 });
  const any = fc.oneof(
    type.map((unknown) => ({ ...SIGNAL, type: unknown })),
    type.map((unknown) => ({ type: unknown })),
    code.map((unknown) => ({ ...SIGNAL, moreFields: (b: Bytes) => writeField(b, unknown, 's', 'text') })),
    code.map((unknown) => ({
      ...SIGNAL,
      moreFields: (b: Bytes) => b.align(8).u8(unknown).signature('a{sv}').u32(0).align(8),
    })),
    fc.integer({ min: 0, max: 255 }).map((flags) => ({ ...SIGNAL, flags })),
    fc
      .constantFrom('a.b', '/p', 'M')
      .map((errorName) => ({ ...SIGNAL, errorName: `e.${errorName.replace(/\W/g, '')}` })),
    fc.integer({ min: 1, max: 2 ** 31 }).map((replySerial) => ({ ...SIGNAL, replySerial })),
  );
  return fc.sample(any, { numRuns: count, seed: SEED }).map((message) => ({ destination: victim, ...message }));
}

/** A connection that receives everything on the bus, including its own odd messages. */
async function monitorOf(address: string): Promise<MessageBus> {
  const monitor = await connect({ address });
  await monitor.call({
    ...BUS,
    interface: `${BUS.interface}.Monitoring`,
    member: 'BecomeMonitor',
    signature: 'asu',
    body: [[], 0],
  });
  return monitor;
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const satisfies readonly Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `7 000 odd messages through ${daemon} leave connections open`,
    async () => {
      const problems: Problem[] = [];
      const note = (problem: unknown) => void problems.push(problem as Problem);
      subscribe('busbar:problem', note);
      await using daemonBus = await PrivateBus.start({ daemon });
      await using victim = await connect({ address: daemonBus.address });
      await using monitor = await monitorOf(daemonBus.address);
      await using honest = await connect({ address: daemonBus.address });
      const sender = new Sender(daemonBus.address);
      const destination = victim.uniqueName as string;
      const before = victim.stats().messagesReceived;

      const taken = signatures(5000).map((signature) => {
        return { ...SIGNAL, destination, signature, body: emptyArray(signature) };
      });
      // dbus-broker counts dictionaries as structs, and ends the connection of a sender that exceeds its limit.
      const together = daemon === 'dbus-daemon' ? 100 : 1;
      for (let at = 0; at < taken.length; at += together) await sender.send(taken.slice(at, at + together));
      if (daemon === 'dbus-daemon') assert.is(sender.hangUps, 0, 'the daemon takes all of these signatures');
      // What a daemon forwards is judged as it judged it: nothing of this is refused on arrival.
      await victim.listNames();
      const ofVictim = problems.filter(({ connection }) => connection === victim.stats().connection);
      assert.equal(ofVictim, [], 'no forwarded signature is refused');
      const unknown = unknownMessages(destination, 1000);
      for (let at = 0; at < unknown.length; at += 100) await sender.send(unknown.slice(at, at + 100));
      for (const odd of oddMessages(destination, 1000)) await sender.send([odd]);
      sender.close();

      // Both receive the messages that follow.
      const seen = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the monitor sees nothing')), 20_000 * patience);
        monitor.addMessageHandler(({ member }) => {
          if (member !== 'Last') return;
          clearTimeout(timer);
          resolve();
        });
      });
      honest.emit({ path: '/a', interface: 'a.b', member: 'Last' });
      await seen;
      assert.is((await victim.listNames()).includes(destination), true);
      assert.is(victim.state, 'open');
      assert.is(monitor.state, 'open');
      const received = victim.stats().messagesReceived - before;
      // sd-bus silently drops messages with a header that it finds invalid.
      const least = daemon !== 'dbus-daemon' ? 2000 : transportKind() === 'sd-bus' ? 4000 : 5000;
      assert.ok(received > least, `${received} reached the connection`);
      unsubscribe('busbar:problem', note);
    },
  );
}

test.run();
