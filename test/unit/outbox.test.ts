// What the outbox knows of queued bytes: no accepted byte is forgotten before it is written or reported.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError } from '../../src/base/errors.js';
import { MessageType } from '../../src/connection/message.js';
import { BackPressure } from '../../src/connection/sending/back-pressure.js';
import { Outbox, Urgency } from '../../src/connection/sending/outbox.js';
import type { NativeConnection } from '../../src/native/binding.js';
import { FileDescriptor } from '../../src/values/file-descriptor.js';
import { Bytes, wireMessage } from '../helpers/wire.js';

const test = suite('outbox');

/** Keeps nothing alive here. */
const unwritten = { begin() {}, end() {} };

const SIGNAL = { type: MessageType.Signal, path: '/outbox', interface: 'org.example.Outbox', member: 'Sent' };

/** An outbox above an addon whose number of queued bytes the test sets. */
function outbox() {
  const addon = { pending: 0 };
  return { addon, sent: outboxBefore({ send: () => addon.pending, pause() {}, resume() {} }) };
}

function outboxBefore(addon: Pick<NativeConnection, 'send' | 'pause' | 'resume'>): Outbox {
  const native = addon as NativeConnection;
  const limit = 1 << 26;
  const pressure = new BackPressure(native, { limit, fail() {}, waiting: () => 0 });
  return new Outbox(native, {
    limit,
    descriptors: 253,
    attaches: true,
    depth: 64,
    pressure,
    unwritten,
    isIdle: () => true,
    onRefused() {},
    flushNow() {},
  });
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>((go) => setImmediate(() => go(false)))]);
}

test('bytes that are queued when the connection ends are reported once, and code that waits for them gets the reason', async () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0, Urgency.Own);
  const drained = sent.drained();
  assert.is(await isSettled(drained), false);
  const reason = new ConnectionClosedError('lost');
  const failed = drained.catch((error: unknown) => error);
  assert.is(sent.end(reason), 100);
  assert.is(await failed, reason);
  assert.is(sent.end(reason), 0);
  await sent.drained();
});

test('bytes that the addon dropped because the connection broke were not written', () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0, Urgency.Own);
  sent.flush();
  addon.pending = 0;
  sent.push(SIGNAL, [], 2, 0, Urgency.Own);
  sent.flush();
  assert.is(sent.end(), 100);
});

test('bytes that were sent while the addon was about to report that it had written everything are still queued', async () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0, Urgency.Own);
  const drained = sent.drained();
  sent.onDrain();
  assert.is(await isSettled(drained), false);
  addon.pending = 0;
  sent.onDrain();
  assert.is(await isSettled(drained), true);
  assert.is(sent.end(), 0);
});

test('messages that a value sends while it is read do not get into the message that is being written', () => {
  const written: string[] = [];
  const send = (bytes: Uint8Array, length: number) => {
    written.push(Buffer.from(bytes.subarray(0, length)).toString('hex'));
    return 0;
  };
  const box = outboxBefore({ send, pause() {}, resume() {} });
  const push = (look: () => void) => {
    const value = {
      get key() {
        look();
        return 'text';
      },
    };
    box.push({ ...SIGNAL, signature: 'a{ss}' }, [value], 1, 0, Urgency.Own);
    box.flush();
  };
  push(() => {});
  push(() => box.flush());
  assert.throws(
    () => push(() => box.push(SIGNAL, [], 2, 0, Urgency.Own)),
    /a getter of a value that is being encoded must not send messages/,
  );
  push(() => {});
  assert.is(written.length, 3);
  assert.is(new Set(written).size, 1);
});

/** An addon that takes whole messages and refuses some: it reports that within the call that sends. */
class Refusing {
  readonly taken: number[] = [];
  readonly #refuses: (serial: number) => boolean;
  box!: Outbox;

  constructor(refuses: (serial: number) => boolean) {
    this.#refuses = refuses;
  }

  send(bytes: Uint8Array, end: number): number {
    for (const serial of serialsIn(Buffer.from(bytes.buffer, bytes.byteOffset, end))) {
      if (this.#refuses(serial)) this.box.refuse({ serial, errno: 1, replySerial: 0, destination: undefined });
      else this.taken.push(serial);
    }
    return 0;
  }

  pause(): void {}
  resume(): void {}
}

function serialsIn(bytes: Buffer): number[] {
  const serials: number[] = [];
  for (let at = 0; at + 16 <= bytes.length; ) {
    serials.push(bytes.readUInt32LE(at + 8));
    const fields = 16 + bytes.readUInt32LE(at + 12);
    at += (((fields + 7) & ~7) + bytes.readUInt32LE(at + 4) + 7) & ~7;
  }
  return serials;
}

test('messages that are sent when a refusal is reported are sent once, and so are those sent with the refused message', () => {
  let next = 0;
  let sent = 0;
  const refused: number[] = [];
  const addon = new Refusing((serial) => serial % 3 === 0);
  const native = addon as unknown as NativeConnection;
  const limit = 1 << 26;
  const pressure = new BackPressure(native, { limit, fail() {}, waiting: () => 0 });
  const push = () => {
    sent++;
    box.push(SIGNAL, [], ++next, 0, Urgency.Own);
  };
  const box = new Outbox(native, {
    limit,
    descriptors: 253,
    attaches: true,
    depth: 64,
    pressure,
    unwritten,
    flushNow() {},
    isIdle: () => false,
    onRefused({ serial }) {
      refused.push(serial);
      // As a subscriber of `busbar:problem` may: it sends, and flushes.
      if (sent < 200) push();
      if (serial % 2 === 0) box.flush();
    },
  });
  addon.box = box;
  for (let i = 0; i < 50; i++) push();
  box.flush();
  assert.is(sent, next);
  const all = Array.from({ length: next }, (_, index) => index + 1);
  assert.equal(
    addon.taken,
    all.filter((serial) => serial % 3 !== 0),
  );
  assert.equal(
    refused,
    all.filter((serial) => serial % 3 === 0),
  );
});

test('messages that are sent when a handed-over descriptor could not be closed are sent once', () => {
  const serials: number[] = [];
  let descriptor!: FileDescriptor;
  const send = (bytes: Uint8Array, end: number, fds: Int32Array | undefined) => {
    serials.push(...serialsIn(Buffer.from(bytes.buffer, bytes.byteOffset, end)));
    // Other code closes the number meanwhile.
    if (fds !== undefined) closeSync(descriptor.fd);
    return 0;
  };
  const box = outboxBefore({ send, pause() {}, resume() {} });
  box.canSendFds = true;
  let heard = 0;
  const hear = () => {
    heard++;
    box.push(SIGNAL, [], 3, 0, Urgency.Own);
    box.flush();
  };
  descriptor = FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
  subscribe('busbar:problem', hear);
  try {
    box.gather();
    box.push(SIGNAL, [], 1, 0, Urgency.Own);
    box.push({ ...SIGNAL, signature: 'h' }, [descriptor], 2, 0, Urgency.Own);
    box.flush();
  } finally {
    unsubscribe('busbar:problem', hear);
  }
  assert.is(heard, 1);
  assert.equal(serials, [1, 2, 3]);
});

test('a value with a descriptor is read once, and the header has the number of descriptors', () => {
  const messages: Buffer[] = [];
  const send = (bytes: Uint8Array, end: number) => {
    messages.push(Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, end)));
    return 0;
  };
  const box = outboxBefore({ send, pause() {}, resume() {} });
  box.canSendFds = true;
  let looks = 0;
  const handed: FileDescriptor[] = [];
  const value = {
    get a() {
      looks++;
      const fd = FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
      handed.push(fd);
      return fd;
    },
  };
  box.push({ ...SIGNAL, signature: 'a{sh}ay' }, [value, Buffer.from('behind')], 1, 0, Urgency.Own);
  assert.is(looks, 1);
  assert.equal(
    handed.map(({ closed }) => closed),
    [true],
  );
  const [message] = messages as [Buffer];
  const expected = wireMessage({
    serial: 1,
    ...SIGNAL,
    signature: 'a{sh}ay',
    unixFds: 1,
    body: new Bytes().u32(12).align(8).u32(1).raw('a\0').align(4).u32(0).u32(6).raw('behind').buffer,
  });
  assert.equal(message, expected);
});

test.run();
