import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Writer } from '../../src/codec/writer.js';
import { FileDescriptor } from '../../src/values/file-descriptor.js';

const test = suite('codec: writer');

const MIB = 1024 * 1024;

function hex(writer: Writer): string {
  return Buffer.from(writer.bytes.subarray(0, writer.position)).toString('hex');
}

function nullDevice(): FileDescriptor {
  return FileDescriptor.adopt(openSync('/dev/null', 'r'));
}

test('numbers are aligned, and the padding is zero where other bytes were before', () => {
  const writer = new Writer();
  writer.copy(new Uint8Array(64).fill(0xff));
  writer.rewind(0, 0);
  writer.byte(1);
  writer.uint16(2);
  writer.byte(3);
  writer.uint32(4);
  writer.byte(5);
  writer.double(1);
  writer.byte(6);
  writer.uint64(7n);
  assert.is(
    hex(writer),
    '01000200' + '03000000' + '04000000' + '05000000' + '000000000000f03f' + '0600000000000000' + '0700000000000000',
  );
});

test('every message begins on an 8-byte boundary', () => {
  const writer = new Writer();
  assert.is(writer.beginMessage(), 0);
  writer.byte(1);
  assert.is(writer.beginMessage(), 8);
  assert.is(hex(writer), '0100000000000000');
});

test('a message that failed is removed', () => {
  const writer = new Writer();
  writer.beginMessage();
  writer.uint32(1);
  const mark = writer.position;
  assert.throws(() => encoderFor('hs')(writer, [5, null]));
  assert.is(writer.fds.length, 1);
  writer.rewind(mark, 0);
  assert.is(hex(writer), '01000000');
  assert.is(writer.fds.length, 0);
});

test('signatures of every length are written whole, whatever bytes were there', () => {
  for (let length = 0; length <= 255; length++) {
    const writer = new Writer();
    writer.copy(new Uint8Array(300).fill(0xff));
    writer.rewind(0, 0);
    writer.signature('y'.repeat(length));
    assert.is(hex(writer), Buffer.from([length, ...Array(length).fill(0x79), 0]).toString('hex'));
  }
});

test('a number can be filled in later', () => {
  const writer = new Writer();
  writer.uint32(0);
  writer.string('a');
  writer.patchUint32(0, writer.position);
  assert.is(hex(writer), '0a000000' + '010000006100');
});

test('memory grows and keeps the written bytes, and is released', () => {
  const writer = new Writer();
  writer.beginMessage();
  writer.string('begin');
  writer.string('ü'.repeat(2_000_000));
  writer.string('x'.repeat(2_000_000));
  const text = Buffer.from(writer.bytes.subarray(0, writer.position));
  assert.is(text.readUInt32LE(0), 5);
  assert.is(text.toString('utf8', 4, 9), 'begin');
  assert.is(text.readUInt32LE(12), 4_000_000);
  assert.is(text.toString('utf8', 16, 4_000_016), 'ü'.repeat(2_000_000));
  assert.is(text.at(-1), 0);
  writer.reset();
  assert.is(writer.position, 0);
  assert.is(writer.bytes.length, 0);
  const next = new Writer();
  next.byte(1);
  assert.ok(next.bytes.length <= 2 * MIB, 'memory that is larger than 2 MiB is not kept');
});

test('writers take turns with memory of a common size', () => {
  const writer = new Writer();
  writer.string('x'.repeat(MIB));
  const { bytes } = writer;
  writer.reset();
  assert.is(writer.bytes.length, 0);
  const [second, third] = [new Writer(), new Writer()];
  second.byte(1);
  assert.is(second.bytes, bytes);
  third.byte(2);
  assert.is.not(third.bytes, bytes);
  third.reset();
  second.reset();
  third.byte(3);
  assert.is(third.bytes, bytes, 'the larger memory is kept');
  third.reset();
  third.reset();
  second.byte(4);
  writer.byte(5);
  assert.is.not(second.bytes, writer.bytes, 'memory that is given back twice has one owner');
});

test('a message grows to 128 MiB at most, wherever it begins', () => {
  const writer = new Writer();
  writer.copy(new Uint8Array(1000));
  writer.beginMessage();
  writer.copy(new Uint8Array(2 ** 26));
  writer.copy(new Uint8Array(2 ** 26));
  assert.throws(
    () => writer.copy(new Uint8Array(2 ** 17)),
    (error: unknown) => error instanceof InvalidArgumentError,
  );
});

test('descriptors are counted for each message', () => {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor('hh')(writer, [7, 8]);
  writer.beginMessage();
  const start = writer.position;
  encoderFor('ah')(writer, [[9, 9]]);
  assert.equal(
    writer.fds.map(({ fd }) => fd),
    [7, 8, 9, 9],
  );
  assert.is(Buffer.from(writer.bytes.subarray(start, writer.position)).toString('hex'), '080000000000000001000000');
  writer.reset();
  assert.is(writer.fds.length, 0);
});

test('a FileDescriptor stays with its owner unless it was handed over', () => {
  const writer = new Writer();
  using descriptor = nullDevice();
  encoderFor('h')(writer, [descriptor]);
  assert.equal(writer.fds, [{ fd: descriptor.fd, value: descriptor, owned: undefined, at: 0 }]);
  writer.reset();
  descriptor.handOver();
  encoderFor('h')(writer, [descriptor]);
  assert.is(writer.fds[0]?.owned, descriptor);
  assert.not(descriptor.closed);
});

test('a closed or invalid descriptor is refused', () => {
  const descriptor = nullDevice();
  descriptor.close();
  const encode = (value: unknown) => () => encoderFor('h')(new Writer(), [value]);
  assert.throws(encode(descriptor), /^argument 0: expected h .*, got one that is closed, taken, or handed over/);
  for (const value of [-1, 0.5, 2 ** 31, Number.NaN]) assert.throws(encode(value), /^argument 0: expected h .*, got /);
});

test('a descriptor that is a number is written as it is, and stays open', () => {
  const fd = openSync('/dev/null', 'r');
  const writer = new Writer();
  encoderFor('h')(writer, [fd]);
  assert.equal(writer.fds, [{ fd, value: fd, owned: undefined, at: 0 }]);
  closeSync(fd);
});

test.run();
