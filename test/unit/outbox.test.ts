// What the outbox knows of bytes that wait: nothing that was accepted is forgotten before it is written or told of.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BackPressure } from '../../src/connection/back-pressure.js';
import { MessageType } from '../../src/connection/message.js';
import { Outbox, Urgency } from '../../src/connection/outbox.js';
import type { NativeConnection } from '../../src/native/binding.js';

const test = suite('outbox');

const SIGNAL = { type: MessageType.Signal, path: '/outbox', interface: 'org.example.Outbox', member: 'Sent' };

/** An outbox before an addon of which the test says how many bytes wait in it. */
function outbox() {
  const addon = { pending: 0 };
  return { addon, sent: outboxBefore({ send: () => addon.pending, pause() {}, resume() {} }) };
}

function outboxBefore(addon: Pick<NativeConnection, 'send' | 'pause' | 'resume'>): Outbox {
  const native = addon as NativeConnection;
  const limit = 1 << 26;
  const pressure = new BackPressure(native, { limit, fail() {}, waiting: () => 0 });
  return new Outbox(native, { limit, pressure, isIdle: () => true, onRefused() {} });
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>((go) => setImmediate(() => go(false)))]);
}

test('what waits when the connection ends is told of, once, and who waits for it gets the reason', async () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0, Urgency.Own);
  const drained = sent.drained();
  assert.is(await isSettled(drained), false);
  const reason = new Error('lost');
  const failed = drained.catch((error: unknown) => error);
  assert.is(sent.end(reason), 100);
  assert.is(await failed, reason);
  assert.is(sent.end(reason), 0);
  await sent.drained();
});

test('bytes that the addon dropped, because the connection broke, were not written', () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0, Urgency.Own);
  sent.flush();
  addon.pending = 0;
  sent.push(SIGNAL, [], 2, 0, Urgency.Own);
  sent.flush();
  assert.is(sent.end(), 100);
});

test('what was sent while the addon was about to say that it had written everything still waits', async () => {
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

test('what a value does when it is looked at does not get into the message that is being written', () => {
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
  assert.throws(() => push(() => box.push(SIGNAL, [], 2, 0, Urgency.Own)), /must not send when it is looked at/);
  push(() => {});
  assert.is(written.length, 3);
  assert.is(new Set(written).size, 1);
});

test.run();
