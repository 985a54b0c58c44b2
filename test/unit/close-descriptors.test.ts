// Descriptors in values that nobody gets: found wherever a message could have had them, whatever else is in there.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { closeDescriptors, closeHandedOver } from '../../src/codec/close-descriptors.js';
import { FileDescriptor, Variant } from '../../src/index.js';

const test = suite('descriptors that nobody gets');

const open = () => FileDescriptor.adopt(openSync('/dev/null', 'r'));

/** Something that is found, in all the places where it may be. */
const around = (value: unknown) => [
  value,
  [value],
  { key: value },
  new Map([['key', value]]),
  new Variant('h', value as number),
];

test('they are closed wherever they are', () => {
  for (const place of around(0).keys()) {
    const descriptor = open();
    closeDescriptors({ outer: [around(descriptor)[place]] });
    assert.is(descriptor.closed, true, `${place}`);
  }
});

test('of what was to be sent only those are closed that were handed over', () => {
  using kept = open();
  const handedOver = open().handOver();
  closeHandedOver('a{sv}', { kept, handedOver });
  assert.equal([kept.closed, handedOver.closed], [false, true]);
});

test('what no message could carry is not looked into', () => {
  using descriptor = open().handOver();
  closeHandedOver('', { descriptor });
  closeHandedOver('a{ss}', { descriptor });
  assert.is(descriptor.closed, false);
});

test('what has no end, or throws when it is looked at, harms nobody', () => {
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
