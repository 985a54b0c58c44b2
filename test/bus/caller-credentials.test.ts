// The credentials of callers: on a bus and between peers, of processes in units of systemd, and of ids that are not certain.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pidOf, readProcess } from '../../src/bus/callers/process-facts.js';
import {
  type CallContext,
  type CallerCredentials,
  type CallerCredentialsOptions,
  connect,
  DBusError,
  defineInterface,
  type FileDescriptor,
  InvalidArgumentError,
  implement,
  listen,
  NameHasNoOwnerError,
  NotSupportedError,
  pair,
} from '../../src/index.js';
import { BUS, FakeBus, PEER } from '../helpers/fake-bus.js';
import { DescriptorRelay } from '../helpers/fake-bus-descriptors.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { collectProblems } from '../helpers/problems.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { bytesOf } from '../helpers/wire.js';

const test = suite('credentials of callers');
const Asked = defineInterface('org.example.Asked', { methods: { Ask: {} } });

/** An object that keeps the context of each call. */
function askedObject() {
  const contexts: CallContext[] = [];
  return { contexts, object: implement(Asked, { Ask: (context) => void contexts.push(context) }) };
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `what ${daemon} tells of a caller`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: server.address });
    const { contexts, object } = askedObject();
    bus.export('/', object);
    const client = await connect({ address: server.address });
    await client.proxy(Asked, bus.uniqueName, '/').call.Ask();
    const { caller } = contexts[0] as CallContext;
    // Neither ASCII nor free of what /proc/PID/status escapes.
    const name = 'b\\ü s';
    writeFileSync('/proc/self/comm', name);
    const credentials = await caller.credentials();
    const known = await bus.credentials(client.uniqueName as string);
    const { gid, pidfd, unit, userUnit, comm, ...same } = credentials;
    assert.equal(same, known);
    assert.equal([same.uid, same.pid], [process.getuid?.(), process.pid]);
    assert.is(gid, process.getgid?.());
    assert.is(comm, name);
    assert.is(pidfd, undefined);
    const own = readProcess(process.pid, process.getuid?.());
    assert.equal({ unit, userUnit }, { unit: own?.unit, userUnit: own?.userUnit });
    const withLimits: CallerCredentialsOptions = { timeout: 5000, signal: new AbortController().signal, pidfd: true };
    const again = await caller.credentials(withLimits);
    again.pidfd?.close();
    assert.equal([again.uid, again.gid], [credentials.uid, credentials.gid]);
    const aborted = AbortSignal.abort(new Error('not any more'));
    assert.is(((await rejection(caller.credentials({ signal: aborted }))) as Error).message, 'not any more');
    for (const options of [null, { pidFd: true }, { pidfd: 1 }, { timeout: -1 }]) {
      assert.instance(await rejection(caller.credentials(options as never)), InvalidArgumentError);
    }
    await client.close();
    await until(() => client.state === 'closed');
    let gone: unknown;
    while (gone === undefined)
      gone = await caller.credentials().then(
        () => undefined,
        (error: unknown) => error,
      );
    assert.instance(gone, NameHasNoOwnerError);
  });
}

test('a handler that asks for the credentials of a caller that has left is not at fault', async () => {
  await using server = await PrivateBus.start();
  await using bus = await connect({ address: server.address });
  const client = await connect({ address: server.address });
  const failures: unknown[] = [];
  const object = implement(Asked, {
    async Ask({ caller }) {
      await until(() => client.state === 'closed');
      while (failures.length === 0) {
        await caller.credentials().catch((error: unknown) => {
          failures.push(error);
          throw error;
        });
      }
    },
  });
  bus.export('/', object);
  using problems = collectProblems();
  const asked = client.proxy(Asked, bus.uniqueName, '/').call.Ask();
  await until(() => bus.stats().callsInProgress === 1);
  await Promise.all([client.close({ drain: 0 }), asked.catch(() => {})]);
  await until(() => bus.stats().callsInProgress === 0);
  assert.instance(failures[0], NameHasNoOwnerError);
  assert.equal(problems.all, []);
});

/** A folder of control groups in which a process of the test can be put; `undefined` if there is none. */
const hierarchy = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup'].find((folder) => existsSync(`${folder}/cgroup.procs`));

/** Why no process can be put into a unit here. */
function missingUnits(): string | undefined {
  if (process.getuid?.() !== 0) return 'control groups need root';
  if (hierarchy === undefined) return 'no control groups';
  try {
    mkdirSync(`${hierarchy}/system.slice/busbar-probe.service`, { recursive: true });
    rmdirSync(`${hierarchy}/system.slice/busbar-probe.service`);
    return undefined;
  } catch {
    return 'control groups are read-only';
  }
}

/** A client that calls when it gets a line. */
const CLIENT = `
  import { connect } from ${JSON.stringify(libraryEntry)};
  const [address, destination] = process.argv.slice(-2);
  const bus = await connect({ address, peer: destination === '' });
  console.log('pid', process.pid);
  for await (const _ of process.stdin) {
    await bus.call({ destination: destination || undefined, path: '/', interface: 'org.example.Asked', member: 'Ask' });
    console.log('called');
  }
`;

for (const where of ['on a bus', 'between peers']) {
  testUnless(missingUnits() ?? PrivateBus.missing(), test, `the unit of a process ${where}`, async () => {
    await using server = await PrivateBus.start();
    await using bus = await connect({ address: server.address });
    const { contexts, object } = askedObject();
    bus.export('/', object);
    await using listening = await listen({ address: 'unix:tmpdir=/tmp' });
    void (async () => {
      for await (const peer of listening) peer.export('/', object);
    })();
    const unit = `busbar-test-${process.pid}.service`;
    const folder = `${hierarchy}/system.slice/${unit}`;
    mkdirSync(folder, { recursive: true });
    try {
      const [address, name] = where === 'on a bus' ? [server.address, bus.uniqueName] : [listening.address, ''];
      await using client = Program.start(process.execPath, [...moduleArguments(CLIENT), address, name as string]);
      const pid = (await client.line('pid')).split(' ')[1] as string;
      writeFileSync(`${folder}/cgroup.procs`, pid);
      client.write('now\n');
      await client.line('called');
      const { caller } = contexts[0] as CallContext;
      const credentials = await caller.credentials();
      assert.equal(
        [credentials.unit, credentials.userUnit, credentials.pid, credentials.gid],
        [unit, undefined, Number(pid), process.getgid?.()],
      );
    } finally {
      await until(() => {
        try {
          rmdirSync(folder);
          return true;
        } catch {
          return false;
        }
      });
    }
  });
}

test('peers have the credentials of the socket', async () => {
  const [left, right] = await pair();
  const { contexts, object } = askedObject();
  right.export('/', object);
  await left.proxy(Asked, '/').call.Ask();
  const { caller } = contexts[0] as CallContext;
  assert.is(caller.name, undefined);
  const { uid, pid, gid, pidfd } = await caller.credentials({ pidfd: true });
  assert.equal([uid, pid, gid, pidfd], [process.getuid?.(), process.pid, process.getgid?.(), undefined]);
  await left.close();
  await until(() => right.state === 'closed');
  assert.instance(await rejection(caller.credentials()), DBusError);
});

test('peers over TCP have none', async () => {
  await using server = await listen({ address: 'tcp:host=127.0.0.1', anonymous: true, allow: () => true });
  const { contexts, object } = askedObject();
  const next = server[Symbol.asyncIterator]().next();
  await using client = await connect({ address: server.address, peer: true, anonymous: true });
  const { value: accepted } = await next;
  accepted?.export('/', object);
  await client.proxy(Asked, '/').call.Ask();
  assert.instance(await rejection((contexts[0] as CallContext).caller.credentials()), NotSupportedError);
});

/** A bus that tells these credentials, with the descriptor of a process if there is one, and a call of {@link PEER}. */
async function calledOverFakeBus(
  credentials: { readonly pid?: number; readonly ownPid?: number; readonly hasOwner?: boolean },
  pidfdOf?: number,
) {
  const { contexts, object } = askedObject();
  const server = await FakeBus.start({
    answer: (call) =>
      call.member === 'GetConnectionCredentials' || call.member === 'NameHasOwner' ? 'silence' : undefined,
  });
  const relay = pidfdOf === undefined ? undefined : await DescriptorRelay.start(server.address, pidfdOf);
  const bus = await connect({ address: relay?.address ?? server.address });
  const peer = await server.accepted();
  bus.export('/', object);
  peer.send({ type: 1, path: '/', interface: 'org.example.Asked', member: 'Ask' });
  await until(() => contexts.length === 1);
  /** Answers the questions about credentials until the promise settles. */
  async function answering(promise: Promise<CallerCredentials>): Promise<CallerCredentials> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    let answered = 0;
    while (!isSettled) {
      const calls = peer.sent.filter(
        ({ member }) => member === 'GetConnectionCredentials' || member === 'NameHasOwner',
      );
      for (const call of calls.slice(answered)) {
        answered++;
        const head = { type: 2, replySerial: call.serial, sender: BUS } as const;
        if (call.member === 'NameHasOwner') {
          peer.send({ ...head, signature: 'b', body: bytesOf((b) => b.u32(credentials.hasOwner === false ? 0 : 1)) });
          continue;
        }
        const isOwn = call.text !== PEER;
        const pid = isOwn ? (credentials.ownPid ?? process.pid) : credentials.pid;
        const hasFd = !isOwn && pidfdOf !== undefined;
        if (hasFd) await relay?.attach(1);
        peer.send({
          ...head,
          unixFds: hasFd ? 1 : undefined,
          signature: 'a{sv}',
          body: bytesOf((b) =>
            b.array(8, (a) => {
              const entry = (name: string, type: string, value: number) =>
                a.align(8).text(name).signature(type).align(4).u32(value);
              entry('UnixUserID', 'u', process.getuid?.() ?? 0);
              if (pid !== undefined) entry('ProcessID', 'u', pid);
              if (hasFd) entry('ProcessFD', 'h', 0);
            }),
          ),
        });
      }
      await new Promise(setImmediate);
    }
    return settled;
  }
  const { caller } = contexts[0] as CallContext;
  return {
    ask: (options?: CallerCredentialsOptions) => answering(caller.credentials(options)),
    askBus: () => answering(bus.credentials(PEER) as Promise<CallerCredentials>),
    async [Symbol.asyncDispose]() {
      await bus.close({ drain: 0 });
      await server.stop();
      await relay?.stop();
    },
  };
}

test('without a descriptor, facts of the process are told only if it is certainly the one of the caller', async () => {
  const own = readProcess(process.pid, process.getuid?.());
  assert.is(own?.gid, process.getgid?.());
  {
    await using called = await calledOverFakeBus({ pid: process.pid });
    const { gid, unit } = await called.ask();
    assert.equal([gid, unit], [own?.gid, own?.unit]);
  }
  for (const credentials of [
    // The caller has left since, so the id may be that of another process.
    { pid: process.pid, hasOwner: false },
    // A bus in another namespace, or on another machine.
    { pid: process.pid, ownPid: process.pid + 1 },
    // No such process, and no process known.
    { pid: 2 ** 22 + 1 },
    {},
  ]) {
    await using called = await calledOverFakeBus(credentials);
    const { gid, unit, pid } = await called.ask();
    assert.equal([gid, unit, pid], [undefined, undefined, credentials.pid]);
  }
});

test('a process of another user, and one that has ended, have no facts', () => {
  assert.is(readProcess(process.pid, (process.getuid?.() ?? 0) + 1), undefined);
  assert.is(readProcess(2 ** 22 + 1, undefined), undefined);
  assert.is(pidOf(0), undefined);
  assert.is(pidOf(-1), undefined);
});

testUnless(
  DescriptorRelay.missing(),
  test,
  'the descriptor of a process belongs to the program that asks for it',
  async () => {
    const before = openFds();
    const child = Program.start('sleep', ['1000']);
    // The id that the bus tells is of its own namespace.
    const called = await calledOverFakeBus({ pid: 1, ownPid: 1 }, child.pid);
    const own = readProcess(process.pid, process.getuid?.());
    const inUse = openFds();
    const { pidfd: unwanted, all, unit } = await called.ask();
    assert.is(unwanted, undefined);
    assert.not.ok('ProcessFD' in all);
    assert.is(unit, own?.unit);
    assert.not.ok('ProcessFD' in (await called.askBus()).all);
    await assertNoFdsLeft(inUse);
    const { pidfd, gid } = await called.ask({ pidfd: true });
    assert.is(gid, own?.gid);
    assert.is(pidOf((pidfd as FileDescriptor).fd), child.pid);
    // When the process has ended, nothing is told of its id.
    await child.stop();
    const { unit: ended, gid: endedGid, pidfd: second } = await called.ask({ pidfd: true });
    assert.equal([ended, endedGid], [undefined, undefined]);
    assert.is(pidOf((second as FileDescriptor).fd), undefined);
    pidfd?.close();
    second?.close();
    await called[Symbol.asyncDispose]();
    await assertNoFdsLeft(before);
  },
);

test.run();
