import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import {
  endLoanOf,
  FileDescriptor,
  keepDescriptor,
  lendDescriptor,
  makeOwnedDescriptor,
} from '../../src/values/file-descriptor.js';
import { HeldFd } from '../../src/values/held-fd.js';

const test = suite('file descriptor');

const open = () => openSync('/dev/null', 'r');

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

function refused(run: () => unknown): void {
  assert.throws(run, (error: unknown) => error instanceof InvalidArgumentError);
}

test('a FileDescriptor owns the number that it adopted, and closes it', () => {
  const fd = open();
  const descriptor = FileDescriptor.adopt(fd);
  assert.is(descriptor.fd, fd);
  assert.not(descriptor.closed);
  descriptor.close();
  assert.ok(descriptor.closed);
  assert.not(isOpen(fd));
});

test('closing twice does not close a new file with the same number', () => {
  const descriptor = FileDescriptor.adopt(open());
  const { fd } = descriptor;
  descriptor.close();
  const reused = open();
  assert.is(reused, fd);
  descriptor.close();
  assert.ok(isOpen(reused));
  closeSync(reused);
});

test('a closed one cannot be used', () => {
  const descriptor = FileDescriptor.adopt(open());
  descriptor.close();
  refused(() => descriptor.fd);
  refused(() => descriptor.take());
  refused(() => descriptor.handOver());
});

test('the number can be taken, and stays open', () => {
  const descriptor = FileDescriptor.adopt(open());
  const fd = descriptor.take();
  assert.ok(descriptor.closed);
  descriptor.close();
  assert.ok(isOpen(fd));
  closeSync(fd);
});

test('a duplicate is independent, and never a standard stream', () => {
  const descriptor = FileDescriptor.adopt(open());
  const copy = descriptor.dup();
  assert.is.not(copy.fd, descriptor.fd);
  assert.ok(copy.fd > 2);
  descriptor.close();
  assert.ok(isOpen(copy.fd));
  refused(() => descriptor.dup());
  const { fd } = copy;
  copy.close();
  assert.not(isOpen(fd));
});

test('several objects with one number close it with the last one, and taking it makes a duplicate', () => {
  const held = new HeldFd(open());
  held.holders = 3;
  const [one, two, three] = [lendDescriptor(held), lendDescriptor(held), makeOwnedDescriptor(held)];
  const { fd } = held;
  const taken = one.take();
  assert.is.not(taken, fd);
  endLoanOf(two);
  assert.ok(two.closed);
  assert.throws(() => two.fd, /take\(\) or dup\(\)/);
  endLoanOf(three);
  assert.is(three.closed, false, 'it is not on loan');
  assert.is(three.take(), fd, 'the last one takes the number itself');
  assert.equal([isOpen(fd), isOpen(taken)], [true, true]);
  closeSync(fd);
  closeSync(taken);
});

test('a descriptor on loan can be kept once, unless it was handed over or closed', () => {
  const lent = () => lendDescriptor(new HeldFd(open()));
  const kept = lent();
  assert.equal([keepDescriptor(kept), keepDescriptor(kept)], [true, false]);
  endLoanOf(kept);
  assert.is(kept.closed, false);
  kept.close();
  const handedOver = lent().handOver();
  endLoanOf(handedOver);
  assert.is(handedOver.closed, false);
  handedOver.close();
  assert.is(keepDescriptor(handedOver), false);
  assert.is(keepDescriptor(Object.create({ [Symbol.for('busbar.FileDescriptor')]: true })), false);
});

test('it is closed at the end of a `using` block', () => {
  let fd: number;
  {
    using descriptor = FileDescriptor.adopt(open());
    fd = descriptor.fd;
    assert.ok(isOpen(fd));
  }
  assert.not(isOpen(fd));
});

test('handing over only marks it', () => {
  using descriptor = FileDescriptor.adopt(open());
  assert.not(descriptor.handedOver);
  assert.is(descriptor.handOver(), descriptor);
  assert.ok(descriptor.handedOver);
  assert.ok(isOpen(descriptor.fd));
});

test('a value that cannot be a descriptor is not adopted', () => {
  for (const value of [-1, 0.5, Number.NaN, 2 ** 31, '3', undefined, null])
    refused(() => FileDescriptor.adopt(value as number));
});

test('closing never throws: a number that other code closed is reported', () => {
  const problems: unknown[] = [];
  const listener = (problem: unknown) => problems.push((problem as { message: string }).message);
  subscribe('busbar:problem', listener);
  const descriptor = FileDescriptor.adopt(open());
  const { fd } = descriptor;
  closeSync(fd);
  descriptor.close();
  unsubscribe('busbar:problem', listener);
  assert.equal(problems, [`closing file descriptor ${fd} failed`]);
});

test('a FileDescriptor of another copy of the package is one', () => {
  const foreign = Object.create({ [Symbol.for('busbar.FileDescriptor')]: true });
  assert.ok(FileDescriptor.isFileDescriptor(foreign));
  assert.instance(foreign, FileDescriptor);
  for (const value of [undefined, null, 3, {}, { fd: 3 }]) assert.not(FileDescriptor.isFileDescriptor(value));
});

test('inspecting it shows its number', () => {
  const descriptor = FileDescriptor.adopt(open());
  assert.is(inspect(descriptor), `FileDescriptor { ${descriptor.fd} }`);
  descriptor.close();
  assert.is(inspect(descriptor), 'FileDescriptor { closed }');
});

/** Adopts descriptors in a separate call, so that nothing on the stack references the objects. */
function drop(count: number): readonly number[] {
  return Array.from({ length: count }, () => {
    const descriptor = FileDescriptor.adopt(open());
    return descriptor.fd;
  });
}

async function collectUntil(done: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  for (let round = 0; round < 100 && !done(); round++) {
    collectGarbage();
    await delay(10);
  }
}

test('collected ones are closed, each is reported, and there is one warning', async () => {
  const warnings: Error[] = [];
  const problems: unknown[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  const onProblem = (problem: unknown) => problems.push(problem);
  process.on('warning', onWarning);
  subscribe('busbar:problem', onProblem);
  const dropped = drop(3);
  const kept = FileDescriptor.adopt(open());
  await collectUntil(() => dropped.every((fd) => !isOpen(fd)));
  await delay(1);
  process.off('warning', onWarning);
  unsubscribe('busbar:problem', onProblem);

  assert.not(dropped.some(isOpen));
  assert.ok(isOpen(kept.fd));
  kept.close();
  assert.is(problems.length, 3);
  const own = warnings.filter(({ name }) => name === 'DBusDescriptorWarning');
  assert.is(own.length, 1);
  assert.match(own[0]?.message ?? '', /was received but neither closed nor taken/);
});

test.run();
