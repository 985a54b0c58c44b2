// What keeps a process alive: each user of a connection decides separately, and queued bytes do for a while.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KeepAlive } from '../../src/connection/keep-alive.js';
import { Unwritten } from '../../src/connection/sending/unwritten.js';
import { until } from '../helpers/until.js';

const test = suite('keep alive');

test('a connection is referenced while a user wants it, whatever the others want', () => {
  let isReferred = false;
  let isBusy = false;
  const native = {
    ref() {
      isReferred = true;
    },
    unref() {
      isReferred = false;
    },
  };
  const keepAlive = new KeepAlive(native, () => isBusy);
  const own = keepAlive.hold();
  assert.ok(isReferred);
  own();
  assert.not(isReferred);
  const [one, two] = [keepAlive.addUser(), keepAlive.addUser()];
  const release = one.hold();
  assert.ok(isReferred);
  two.wish('unref');
  assert.ok(isReferred);
  release();
  release();
  assert.not(isReferred);
  isBusy = true;
  keepAlive.update();
  assert.ok(isReferred, 'a call counts for the user that wants the process to stay');
  one.wish('unref');
  assert.not(isReferred);
  two.wish('ref');
  assert.ok(isReferred);
  keepAlive.removeUser(two);
  assert.not(isReferred);
});

test('a connection that only waits would end without a message, so only that counts as a loss', () => {
  const keepAlive = new KeepAlive({ ref() {}, unref() {} }, () => true);
  const user = keepAlive.addUser();
  const hears = user.hold(true);
  assert.not(keepAlive.keepsAliveInSilence);
  const silent = user.hold();
  assert.ok(keepAlive.keepsAliveInSilence);
  user.wish('unref');
  assert.not(keepAlive.keepsAliveInSilence);
  user.wish('ref');
  silent();
  hears();
  assert.ok(keepAlive.keepsAliveInSilence, 'ref() keeps alive in silence');
});

test('queued bytes keep the process alive while they are written, and for a while after that', async () => {
  let written = 0;
  const unwritten = new Unwritten({ onChange() {}, written: () => written, patience: 30 });
  const alive = setInterval(() => {}, 1000);
  unwritten.begin();
  assert.ok(unwritten.holds);
  const writing = setInterval(() => written++, 5);
  const begun = performance.now();
  await until(() => performance.now() - begun > 200);
  assert.ok(unwritten.holds, 'something was written');
  clearInterval(writing);
  await until(() => !unwritten.holds);
  // Reading that resumes later counts again.
  written++;
  await until(() => unwritten.holds);
  unwritten.end();
  assert.not(unwritten.holds);
  clearInterval(alive);
});

test.run();
