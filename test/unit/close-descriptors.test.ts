// Closes descriptors in values that are not delivered: in every place where a message can have descriptors, whatever else
// is there.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { closeDescriptors, closeHandedOver } from '../../src/codec/close-descriptors.js';
import { FileDescriptor, Variant } from '../../src/index.js';

const test = suite('descriptors of discarded values');

const open = () => FileDescriptor.adopt(openSync('/dev/null', 'r'));

/** A value in all the places where a descriptor may be. */
const around = (value: unknown) => [
  value,
  [value],
  { key: value },
  new Map([['key', value]]),
  new Variant('h', value as number),
];

test('descriptors are closed in every place', () => {
  for (const place of around(0).keys()) {
    const descriptor = open();
    closeDescriptors({ outer: [around(descriptor)[place]] });
    assert.is(descriptor.closed, true, `${place}`);
  }
});

test('of values that were to be sent, only descriptors that were handed over are closed', () => {
  using kept = open();
  const handedOver = open().handOver();
  closeHandedOver('a{sv}', { kept, handedOver });
  assert.equal([kept.closed, handedOver.closed], [false, true]);
});

test('values that no message can carry are not searched', () => {
  using descriptor = open().handOver();
  closeHandedOver('', { descriptor });
  closeHandedOver('a{ss}', { descriptor });
  assert.is(descriptor.closed, false);
});

test('values that are endless, or throw when they are read, are harmless', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const endless = (): unknown => ({
    get next() {
      return endless();
    },
  });
  const circle: unknown[] = [];
  circle.push(circle);
  const throwing = {
    get key() {
      return assert.unreachable('as always');
    },
  };
  const descriptor = open();
  closeDescriptors([proxy, endless(), circle, throwing, null, undefined, 'text', Buffer.from('bytes'), descriptor]);
  assert.is(descriptor.closed, true);
});

test.run();
