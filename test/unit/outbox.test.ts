// What the outbox knows of bytes that wait: nothing that was accepted is forgotten before it is written or told of.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MessageType } from '../../src/connection/message.js';
import { Outbox } from '../../src/connection/outbox.js';
import type { NativeConnection } from '../../src/native/binding.js';

const test = suite('outbox');

const SIGNAL = { type: MessageType.Signal, path: '/outbox', interface: 'org.example.Outbox', member: 'Sent' };

/** An outbox before an addon of which the test says how many bytes wait in it. */
function outbox() {
  const addon = { pending: 0 };
  const native = { send: () => addon.pending } as unknown as NativeConnection;
  return { addon, sent: new Outbox(native, () => true) };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>((go) => setImmediate(() => go(false)))]);
}

test('what waits when the connection ends is told of, once, and nobody waits for it any more', async () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0);
  const drained = sent.drained();
  assert.is(await isSettled(drained), false);
  assert.is(sent.end(), 100);
  assert.is(await isSettled(drained), true);
  assert.is(sent.end(), 0);
});

test('bytes that the addon dropped, because the connection broke, were not written', () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0);
  sent.flush();
  addon.pending = 0;
  sent.push(SIGNAL, [], 2, 0);
  sent.flush();
  assert.is(sent.end(), 100);
});

test('what was sent while the addon was about to say that it had written everything still waits', async () => {
  const { addon, sent } = outbox();
  addon.pending = 100;
  sent.push(SIGNAL, [], 1, 0);
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
  const box = new Outbox({ send } as unknown as NativeConnection, () => true);
  const push = (look: () => void) => {
    const value = {
      get key() {
        look();
        return 'text';
      },
    };
    box.push({ ...SIGNAL, signature: 'a{ss}' }, [value], 1, 0);
    box.flush();
  };
  push(() => {});
  push(() => box.flush());
  assert.throws(() => push(() => box.push(SIGNAL, [], 2, 0)), /must not send when it is looked at/);
  push(() => {});
  assert.is(written.length, 3);
  assert.is(new Set(written).size, 1);
});

test.run();
