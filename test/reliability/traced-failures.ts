/**
 * Failures, each with the code that causes it and the lines of its trace. `traces.test.ts` has a process cause all of them,
 * one after the other, with `NODE_DEBUG=busbar`.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { BackpressureError, connect, defineInterface, implement, listen, type MessageBus } from '../../src/index.js';
import { FakeBus } from '../helpers/fake-bus.js';
import { Session, SIGNAL, TRANSPORT } from '../helpers/fake-bus-session.js';
import { folder } from '../helpers/peers.js';
import { matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';

interface Failure {
  readonly happen: () => Promise<void>;
  /** Patterns, each of which one line of the trace must match. */
  readonly says: readonly RegExp[];
}

const NAME = 'org.example.Traced';
const PATH = '/traced';
const Traced = defineInterface(NAME, { methods: { Fail: {}, Never: {} }, signals: { Lit: { args: 's' } } });
const traced = () =>
  implement(Traced, {
    Fail: () => {
      throw new RangeError('as always');
    },
    Never: () => new Promise<void>(() => {}),
  });

const corruptString = { signature: 's', body: Buffer.from([9, 0, 0, 0, 0x61, 0]) };
const megabytes = (count: number) => ({
  path: PATH,
  interface: NAME,
  member: 'Filled',
  signature: 'ay',
  body: [new Uint8Array(count * 2 ** 20)],
});
const never = (bus: MessageBus, timeout = 60_000) =>
  rejection(bus.call({ destination: bus.uniqueName, path: PATH, interface: NAME, member: 'Never', timeout }));

/** A private bus and a connection to it that exports {@link traced}. */
async function onOwnBus(
  happen: (bus: MessageBus, daemon: PrivateBus) => Promise<void>,
  options: Parameters<typeof PrivateBus.start>[0] = {},
): Promise<void> {
  await using daemon = await PrivateBus.start(options);
  await using bus = await connect({ address: daemon.address });
  bus.export(PATH, traced());
  await happen(bus, daemon);
}

async function withSession(happen: (session: Session) => Promise<void>): Promise<void> {
  await using session = await Session.start();
  await happen(session);
}

/** Settles when a problem is reported. */
function reported(): Promise<unknown> {
  return new Promise((resolve) => {
    const hear = (problem: unknown) => {
      unsubscribe('busbar:problem', hear);
      resolve(problem);
    };
    subscribe('busbar:problem', hear);
  });
}

export const failures: Readonly<Record<string, Failure>> = {
  'no server listens at the address': {
    happen: async () => void (await rejection(connect({ address: 'unix:path=/nonexistent/bus' }))),
    says: [/^#\d+ connecting to unix:path=\/nonexistent\/bus /, /^#\d+ closed: failed to connect: ENOENT$/],
  },

  'a bus rejects the client': {
    async happen() {
      await using bus = await FakeBus.start({ handshake: { text: 'REJECTED KERBEROS_V4\r\n', hangUp: true } });
      await rejection(connect({ address: bus.address }));
    },
    says: [/^#\d+ closed: failed to authenticate: E[A-Z]+/],
  },

  'a bus never answers': {
    async happen() {
      await using bus = await FakeBus.start({ handshake: { text: '', hangUp: false } });
      await rejection(connect({ address: bus.address, timeout: 50 }));
    },
    says: [/^#\d+ closed: failed to authenticate: ETIMEDOUT: it sent nothing within 50 ms$/],
  },

  'a bus is killed while a call waits': {
    happen: () =>
      onOwnBus(async (bus, daemon) => {
        const waiting = never(bus);
        await daemon.kill('SIGKILL');
        await waiting;
        await bus.disconnected;
      }),
    says: [
      /^#\d+ closed: the connection was lost: E[A-Z]+/,
      /^#\d+ call \d+: closed after [\d.]+ ms: :\S+ \/traced org\.example\.Traced\.Never$/,
    ],
  },

  'a bus is killed that has not read everything': {
    happen: () =>
      onOwnBus(async (bus, daemon) => {
        await daemon.kill('SIGSTOP');
        // More than the 8 MiB of the kernel that sd-bus asks for.
        bus.emit(megabytes(20));
        await daemon.kill('SIGKILL');
        await bus.disconnected;
      }),
    says: [/^#\d+ send: up to \d+ queued bytes were lost: the connection was lost: E[A-Z]+/],
  },

  'a bus does not read': {
    happen: () =>
      onOwnBus(async (bus, daemon) => {
        await daemon.kill('SIGSTOP');
        try {
          for (;;) bus.emit(megabytes(30));
        } catch (error) {
          if (!(error instanceof BackpressureError)) throw error;
        }
        await never(bus);
        await daemon.kill('SIGKILL');
        await bus.disconnected;
      }),
    says: [/^#\d+ call \d+: unsent after [\d.]+ ms: .*\.Never: \d+ bytes wait to be written: await bus\.flush\(\)/],
  },

  'a policy denies': {
    happen: () =>
      onOwnBus(async (bus) => void (await rejection(bus.requestName('org.example.Denied'))), {
        policy: '<policy context="default"><deny own="org.example.Denied"/></policy>',
      }),
    says: [/^#\d+ call \d+: org\.freedesktop\.DBus\.Error\.AccessDenied after [\d.]+ ms: .*\.RequestName$/],
  },

  'a bus accepts no more connections': {
    async happen() {
      await using daemon = await PrivateBus.start({ limits: { max_completed_connections: 1 } });
      await using _only = await connect({ address: daemon.address });
      await rejection(connect({ address: daemon.address }));
    },
    says: [/^#\d+ call 1: org\.freedesktop\.DBus\.Error\.LimitsExceeded after [\d.]+ ms: .*\.Hello$/],
  },

  'a limit of a bus is reached': {
    happen: () =>
      onOwnBus(
        async (bus) => {
          const refused = reported();
          for (const member of ['First', 'Second']) bus.subscribe({ interface: NAME, member }, () => {});
          await refused;
        },
        { limits: matchRuleLimit(1) },
      ),
    says: [
      /^#\d+ call \d+: org\.freedesktop\.DBus\.Error\.LimitsExceeded after [\d.]+ ms: .*\.AddMatch$/,
      /^#\d+ subscription: the bus refused the match rule type='signal',interface='org\.example\.Traced',member='Second'$/,
    ],
  },

  'a call is not answered in time': {
    happen: () => onOwnBus(async (bus) => void (await never(bus, 20))),
    says: [/^#\d+ call \d+: timeout after [\d.]+ ms: :\S+ \/traced org\.example\.Traced\.Never$/],
  },

  'a value is of another type': {
    happen: () =>
      onOwnBus(async (bus) => {
        const call = { destination: bus.uniqueName, path: PATH, interface: NAME, member: 'Never', signature: 's' };
        await rejection(bus.call({ ...call, body: [1] }));
      }),
    says: [/^#\d+ call \d+: unsent after [\d.]+ ms: .*\.Never: argument 0: expected s, got 1/],
  },

  'a handler throws': {
    happen: () =>
      onOwnBus(async (bus) => void (await rejection(bus.proxy(Traced, `${bus.uniqueName}`, PATH).call.Fail()))),
    says: [/^#\d+ handler: the handler of .*Fail.* failed$/, /^RangeError: as always$/, /^ {4}at .*traced-failures/],
  },

  'a loop is slower than its signals': {
    happen: () =>
      onOwnBus(async (bus) => {
        const slow = reported();
        const emitter = traced();
        bus.export('/lit', emitter);
        using _queue = bus.proxy(Traced, `${bus.uniqueName}`, '/lit').watch.Lit({ limit: 1 });
        await bus.listNames();
        for (const text of ['one', 'two']) emitter.emit.Lit(text);
        await slow;
      }),
    says: [/^#\d+ message: a loop over signals is too slow: 1 signals wait/],
  },

  'a reply is forged': {
    happen: () =>
      withSession(async (session) => {
        const { outcome, call } = await session.called();
        session.peer.send({ type: 2, replySerial: call.serial, sender: ':1.66' });
        session.peer.send({ type: 2, replySerial: call.serial });
        await outcome;
      }),
    says: [/^#\d+ reply to no call: \d+ from :1\.66$/],
  },

  'a signal is forged': {
    happen: () =>
      onOwnBus(async (bus, { address }) => {
        await using forger = await connect({ address });
        await bus.subscribe({ sender: 'org.example.Owned', interface: NAME }, () => {}).ready;
        forger.emit({ path: PATH, interface: NAME, member: 'Lit', destination: bus.uniqueName });
        while (bus.stats().unmatchedSignals === 0) await forger.listNames();
      }),
    says: [/^#\d+ signal without a listener: \/traced org\.example\.Traced\.Lit from :\S+$/],
  },

  'a call that wants no reply cannot be sent': {
    happen: () =>
      onOwnBus(async (bus) => {
        const call = { destination: bus.uniqueName, path: PATH, interface: NAME, member: 'Never', noReply: true };
        await bus.close();
        await rejection(bus.call(call));
      }),
    says: [/^#\d+ send: :\S+ \/traced org\.example\.Traced\.Never was not sent$/, /the connection is closed/],
  },

  'a reply is late': {
    happen: () =>
      withSession(async (session) => {
        const { outcome, call } = await session.called(20);
        await rejection(outcome);
        session.peer.send({ type: 2, replySerial: call.serial });
        await session.assertAlive('after a late reply');
      }),
    says: [/^#\d+ call \d+: timeout after /, /^#\d+ reply to no call: \d+ from :1\.2$/],
  },

  'a reply has a body that is not valid': {
    happen: () =>
      withSession(async (session) => {
        const { outcome, call } = await session.called();
        session.peer.send({ type: 2, replySerial: call.serial, ...corruptString });
        await rejection(outcome);
      }),
    says: [/^#\d+ call \d+: unreadable after [\d.]+ ms: .*\.Ask\d+: .+/],
  },

  'a signal has a body that is not valid': {
    happen: () =>
      withSession(async (session) => {
        session.peer.send({ ...SIGNAL, ...corruptString });
        await session.assertAlive('after a corrupt signal');
      }),
    says: [
      /^#\d+ message: a signal from :1\.2 was dropped$/,
      /^ProtocolError: the body of the message is not valid for its signature "s"/,
    ],
  },

  'the received bytes are not a message': {
    happen: () =>
      withSession(async (session) => {
        session.peer.inject(Buffer.from('GET / HTTP/1.1\r\n\r\n'.padEnd(64)));
        await session.bus.disconnected;
      }),
    says: [
      // The socket transport reports the rule and the position, sd-bus an error code.
      TRANSPORT.namesRules
        ? /^#\d+ closed: .*broke the protocol: the byte order must be l or B \(byte 0 of a message\)$/
        : /^#\d+ closed: .*bytes that are not a D-Bus message \(EBADMSG\)$/,
    ],
  },

  'a peer is rejected': {
    async happen() {
      await using server = await listen({ address: `unix:tmpdir=${folder}`, allow: () => false });
      await rejection(connect({ address: server.address, peer: true }));
    },
    says: [/^peer: a process of user \d+ was rejected$/],
  },

  'all places for peers are taken': {
    async happen() {
      await using server = await listen({ address: `unix:tmpdir=${folder}`, limits: { connections: 1 } });
      const address = { address: server.address, peer: true };
      await using _in = await connect(address);
      await server[Symbol.asyncIterator]().next();
      await rejection(connect(address));
    },
    says: [/^peer: a process of user \d+ was rejected: the limit of 1 connections is reached$/],
  },

  'a silent peer loses its place to another one': {
    async happen() {
      await using server = await listen({ address: `unix:tmpdir=${folder}`, limits: { unauthenticated: 1 } });
      const oldest = await RawPeer.connect(server.address);
      const newest = await RawPeer.connect(server.address);
      await oldest.ended;
      newest.close();
    },
    says: [
      /^#\d+ closed: failed to authenticate: ECANCELED$/,
      /^peer: did not authenticate: sent nothing while other clients waited$/,
    ],
  },

  'a peer does not authenticate in time': {
    async happen() {
      await using server = await listen({ address: `unix:tmpdir=${folder}`, authenticationTimeout: 20 });
      await (await RawPeer.connect(server.address)).ended;
    },
    says: [/^peer: did not authenticate: it sent nothing within \d+ ms$/],
  },

  'there is no descriptor left for a peer': {
    async happen() {
      await using server = await listen({ address: `unix:tmpdir=${folder}` });
      const noneLeft = reported();
      const taken: number[] = [];
      try {
        for (;;) taken.push(openSync('/dev/null', 'r'));
      } catch {
        closeSync(taken.pop() as number);
      }
      const peer = await RawPeer.connect(server.address);
      await noneLeft;
      for (const fd of taken) closeSync(fd);
      peer.close();
    },
    says: [/^peer: no client can be accepted at the moment: EMFILE$/],
  },
};
