// Ownership of received descriptors: handlers and listeners have them on loan, until they return or settle, unless they
// take them.
import { subscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  FileDescriptor,
  implement,
  type Message,
  property,
  ServiceInterface,
  Variant,
} from '../../src/index.js';
import { closeFd, isOpen, NAME, PATH, pair, source } from '../helpers/descriptor-loans.js';
import { assertFdsLeft, assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('descriptors on loan');

// A listener keeps the intended failures of these tests from being printed.
subscribe('busbar:problem', () => {});

test('a descriptor that a handler does not take is closed once its answer has been sent', async () => {
  await using both = await pair();
  const before = openFds();
  const given: FileDescriptor[] = [];
  both.handling.handle = (file) => {
    assert.ok(isOpen(file.fd));
    given.push(file);
  };
  await both.proxy.call.Give(source);
  await both.proxy.call.GiveKeys(new Map([[source, 'key']]));
  await both.proxy.call.GiveAny(new Variant('a{hv}', new Map([[source, new Variant('ah', [source, source])]])));
  await assertNoFdsLeft(before);
  assert.equal(
    given.map(({ closed }) => closed),
    [true, true],
  );
  assert.throws(() => given[0]?.fd, /closed when its handler had finished: .* take\(\) or dup\(\)/);
});

test('a descriptor stays open while the handler runs, and is closed however the handler ends', async () => {
  await using both = await pair();
  const before = openFds();
  for (const outcome of ['fulfilled', 'rejected'] as const) {
    for (const noReply of [false, true]) {
      let end: () => void = () => {};
      let file: FileDescriptor | undefined;
      both.handling.handle = (given) => {
        file = given;
        return new Promise<void>((resolve, reject) => {
          end = outcome === 'fulfilled' ? resolve : () => reject(new Error('as it happens'));
        });
      };
      const call = both.proxy.with({ noReply }).call.Later(source);
      call.catch(() => {});
      await both.ping();
      assert.ok(isOpen((file as unknown as FileDescriptor).fd));
      end();
      await call.catch(() => {});
      await both.ping();
      assert.is(file?.closed, true, `${outcome}, ${noReply ? 'without' : 'with'} a reply`);
    }
  }
  both.handling.handle = () => {
    throw new Error('as it happens');
  };
  await rejection(both.proxy.call.Give(source));
  await assertNoFdsLeft(before);
});

test('take, dup and handOver keep the descriptor open', async () => {
  await using both = await pair();
  const before = openFds();
  const kept: (number | FileDescriptor)[] = [];
  both.handling.handle = (file) => {
    const { fd } = file;
    kept.push(file.take());
    assert.is(kept[0], fd, 'it has one owner');
  };
  await both.proxy.call.Give(source);
  both.handling.handle = (file) => kept.push(file.dup());
  await both.proxy.call.Give(source);
  both.handling.handle = (file) => kept.push(file.handOver());
  await both.proxy.call.Give(source);
  await both.ping();
  await assertFdsLeft(before, 3);
  for (const each of kept) {
    if (typeof each === 'number') closeFd(each);
    else each.close();
  }
  await assertNoFdsLeft(before);
});

test('a descriptor that is returned arrives, and is closed here', async () => {
  await using both = await pair();
  const before = openFds();
  const back = await both.proxy.call.Echo(source);
  assert.ok(isOpen(back.fd), 'the result of a call is the caller’s');
  await assertFdsLeft(before, 1);
  back.close();
  await assertNoFdsLeft(before);
});

test('each listener of a signal has its own descriptors, even if another listener took or closed its own', async () => {
  await using both = await pair();
  const before = openFds();
  const taken: number[] = [];
  const open: boolean[] = [];
  let end: () => void = () => {};
  const waiting = new Promise<void>((resolve) => {
    end = resolve;
  });
  let held: FileDescriptor | undefined;
  const listeners = [
    both.proxy.on.Here((file) => taken.push(file.take())),
    both.proxy.on.Here((file) => file.close()),
    both.client.subscribe({ member: 'Here' }, ({ body }) => {
      held = body[0] as FileDescriptor;
      return waiting;
    }),
    both.proxy.on.Here((file) => open.push(isOpen(file.fd))),
    both.proxy.on.Here((file) => taken.push(file.take())),
  ];
  const handler = both.client.addMessageHandler(({ body }) => void open.push(isOpen((body[0] as FileDescriptor).fd)));
  both.emit();
  await both.ping();
  assert.equal(open, [true, true]);
  assert.ok(isOpen((held as unknown as FileDescriptor).fd), 'while its listener runs');
  await assertFdsLeft(before, 3);
  end();
  await both.ping();
  assert.is(held?.closed, true);
  for (const fd of taken.splice(0)) closeFd(fd);
  await assertNoFdsLeft(before);
  for (const listener of listeners) listener.end();
  handler[Symbol.dispose]();
});

test('the receiver of an awaited or iterated signal owns its descriptors; those that a loop does not reach are closed', async () => {
  await using both = await pair();
  const before = openFds();
  const next = both.proxy.once.Here();
  both.emit();
  const [file] = await next;
  await both.ping();
  assert.ok(isOpen(file.fd));
  file.close();

  const watch = both.proxy.watch.Here({ limit: 2 });
  for (let round = 0; round < 5; round++) both.emit();
  await both.ping();
  await assertFdsLeft(before, 2);
  const { value } = await watch.next();
  assert.ok(isOpen((value as [FileDescriptor])[0].fd));
  (value as [FileDescriptor])[0].close();
  await watch.return?.();
  await assertNoFdsLeft(before);
});

test('a message handler and an object share the descriptors, and the last one to finish closes them', async () => {
  await using both = await pair();
  const before = openFds();
  const seen: boolean[] = [];
  const messages: Message[] = [];
  let mode: 'look' | 'take' = 'look';
  const handler = both.accepted.addMessageHandler((message) => {
    messages.push(message);
    const [file] = message.body as [FileDescriptor];
    if (!FileDescriptor.isFileDescriptor(file)) return;
    seen.push(isOpen(file.fd));
    if (mode === 'take') closeFd(file.take());
  });
  both.handling.handle = (file) => void seen.push(isOpen(file.fd));
  await both.proxy.call.Give(source);
  mode = 'take';
  await both.proxy.call.Give(source);
  assert.equal(seen, [true, true, true, true]);
  assert.is(((messages[0] as Message).body[0] as FileDescriptor).closed, true);
  await assertNoFdsLeft(before);
  handler[Symbol.dispose]();
  const late = both.accepted.addMessageHandler((message) => void messages.push(message));
  await both.proxy.call.Give(source);
  late[Symbol.dispose]();
  const unread = messages.at(-1) as Message;
  assert.throws(
    () => (unread.body[0] as FileDescriptor).fd,
    /closed when its handler had finished/,
    'read when the loan is over',
  );
  await assertNoFdsLeft(before);
});

class Stored extends ServiceInterface {
  constructor() {
    super('org.example.Stored');
  }
  @property({ type: 'h' })
  accessor Log = source as unknown as FileDescriptor;

  #seen: FileDescriptor | undefined;
  @property({ type: 'h' })
  get Passing(): FileDescriptor {
    return source as unknown as FileDescriptor;
  }
  set Passing(file: FileDescriptor) {
    this.#seen = file;
  }
  get seen(): FileDescriptor | undefined {
    return this.#seen;
  }
}

test('a handler that reads the message after an await finds the descriptors open until its promise settles', async () => {
  await using both = await pair();
  const before = openFds();
  let read: (nothing?: unknown) => void = () => {};
  let end: (nothing?: unknown) => void = () => {};
  const reading = new Promise((resolve) => (read = resolve));
  const ending = new Promise((resolve) => (end = resolve));
  const given: FileDescriptor[] = [];
  const late = async (message: Message): Promise<void> => {
    if (message.member !== 'Here') return;
    await reading;
    const file = message.body[0] as FileDescriptor;
    assert.ok(isOpen(file.fd));
    given.push(file);
    await ending;
  };
  both.client.addMessageHandler((message) => void late(message).catch(() => {}));
  both.client.addMessageHandler((message) => late(message) as unknown as boolean);
  both.client.subscribe({ member: 'Here' }, late);
  both.client.subscribe({ member: 'Here' }, async () => void (await ending));
  await both.ping();
  both.emit();
  await both.accepted.flush();
  await both.ping();
  read();
  await both.ping();
  // The first handler did not return its promise, so its loan was over before it read the message.
  assert.is(given.length, 2);
  end();
  await assertNoFdsLeft(before);
  assert.ok(given.every(({ closed }) => closed));
});

test('a stored property keeps its descriptor until it gets another value', async () => {
  await using both = await pair();
  const stored = new Stored();
  both.accepted.export('/stored', stored);
  const before = openFds();
  const set = (name: string, value: Variant, interfaceName = NAME, path = PATH) =>
    both.client.call({
      ...{ path, interface: 'org.freedesktop.DBus.Properties', member: 'Set', signature: 'ssv' },
      body: [interfaceName, name, value],
    });
  for (const [setLog, current, assign] of [
    [
      () => set('Log', new Variant('h', source)),
      () => both.object.properties.Log as FileDescriptor,
      (value: unknown) => {
        both.object.properties.Log = value as FileDescriptor;
      },
    ],
    [
      () => set('Log', new Variant('h', source), 'org.example.Stored', '/stored'),
      () => stored.Log,
      (value: unknown) => {
        stored.Log = value as FileDescriptor;
      },
    ],
  ] as const) {
    await setLog();
    const first = current();
    assert.ok(isOpen(first.fd), 'it is kept');
    await assertFdsLeft(before, 1);
    assign(first);
    assert.is(first.closed, false, 'assigned again it is the same');
    await setLog();
    assert.is(first.closed, true, 'replaced');
    await assertFdsLeft(before, 1);
    const own = FileDescriptor.adopt(openSync('/dev/null', 'r'));
    assign(own);
    await assertFdsLeft(before, 1);
    await setLog();
    assert.is(own.closed, false, 'the program’s own is the program’s');
    own.close();
    assign(source);
    await assertNoFdsLeft(before);
  }
  await set('Any', new Variant('v', new Variant('ah', [source, source])));
  await assertFdsLeft(before, 2);
  await rejection(set('Any', new Variant('u', 1)));
  await set('Any', new Variant('v', new Variant('s', 'x')));
  await assertNoFdsLeft(before);
  await set('Passing', new Variant('h', source), 'org.example.Stored', '/stored');
  assert.is(stored.seen?.closed, true, 'a setter has it on loan');
  await assertNoFdsLeft(before);
});

test('a descriptor that a getter opens and hands over is closed if it is read and not sent', async () => {
  await using both = await pair();
  const Files = defineInterface('org.example.Files', {
    signals: { Opened: { args: ['file:h'] } },
    properties: { File: { type: 'h', access: 'read' }, Slow: { type: 'u', access: 'read' }, Odd: { type: 'ah' } },
  });
  const openOne = () => FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
  const files = implement(Files, {
    File: { get: openOne },
    Slow: { get: () => new Promise<number>((resolve) => setTimeout(resolve, 5, 1)) },
    Odd: { get: () => [openOne(), 'no descriptor'] as unknown as FileDescriptor[], set: () => {} },
  });
  const before = openFds();
  files.emit.Opened(openOne());
  await assertNoFdsLeft(before);
  both.accepted.export('/files', files);
  const values = await both.client.proxy(Files, '/files').getAll();
  values.File?.close();
  await assertNoFdsLeft(before);
});

test.run();
