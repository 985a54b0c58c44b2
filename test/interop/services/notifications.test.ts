/** examples/services/notifications.ts, as notify-send uses it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingClients, ServiceExample } from '../../helpers/service-example.js';
import { testUnless } from '../../helpers/skip.js';

const test = suite('the notification daemon of the examples');
const missing = missingClients('notify-send', 'gdbus');
const withDaemon = (use: (example: ServiceExample) => Promise<void>) => ServiceExample.with('notifications', use);

testUnless(missing, test, 'notify-send shows a notification, and prints its id', () =>
  withDaemon(async (example) => {
    assert.is(await example.output('notify-send', '--print-id', '--app-name=mail', 'Ada', 'Lunch at noon?'), '1');
    await example.program.line('1 mail: Ada Lunch at noon?');
    assert.is(await example.output('notify-send', '--print-id', 'Grace'), '2');
    await example.program.line('2 notify-send: Grace');
  }),
);

testUnless(missing, test, 'notify-send waits, and prints the action that the user chooses', () =>
  withDaemon(async (example) => {
    await using client = example.start('notify-send', '-A', 'yes=Yes, at noon', '-A', 'no=No', 'Ada', 'Lunch?');
    await example.program.line('1 notify-send: Ada Lunch? [yes] [no]');
    example.program.write('1 maybe\n7\n1 no\n');
    await example.program.line('1 has no action maybe');
    await example.program.line('there is no notification 7');
    assert.equal(await client.finished, { code: 0, signal: null, stdout: 'no\n', stderr: '' });
    await example.program.line('1 is dismissed');
  }),
);

testUnless(missing, test, 'notify-send --wait ends when the notification is dismissed, closed, or has expired', () =>
  withDaemon(async (example) => {
    await using dismissed = example.start('notify-send', '--wait', 'Ada');
    await example.program.line('1 notify-send: Ada');
    example.program.write('1\n');
    assert.is((await dismissed.finished).code, 0);
    await using expired = example.start('notify-send', '--wait', '--expire-time=50', 'Ada');
    await example.program.line('2 is expired');
    assert.is((await expired.finished).code, 0);
  }),
);

testUnless(missing, test, 'each of two clients that wait is told of its own notification', () =>
  withDaemon(async (example) => {
    await using first = example.start('notify-send', '-A', 'a=A', 'First');
    await example.program.line('1 notify-send: First [a]');
    await using second = example.start('notify-send', '-A', 'a=A', '-A', 'b=B', 'Second');
    await example.program.line('2 notify-send: Second [a] [b]');
    example.program.write('2 b\n');
    assert.is((await second.finished).stdout, 'b\n');
    assert.ok(first.running);
    example.program.write('1 a\n');
    assert.is((await first.finished).stdout, 'a\n');
  }),
);

testUnless(missing, test, '--replace-id changes a notification, and keeps its id', () =>
  withDaemon(async (example) => {
    assert.is(await example.output('notify-send', '--print-id', '--expire-time=50', 'Copying'), '1');
    // The new one does not expire: the time of the one before does not count.
    assert.is(await example.output('notify-send', '-p', '--replace-id=1', '--expire-time=0', 'Copied'), '1');
    const last = ["'app'", '4294967295', "''", "'The last number'", "''", '[]', '{}', '0'];
    const [name, path] = ['org.freedesktop.Notifications', '/org/freedesktop/Notifications'];
    assert.is(await example.gdbus(name, path, `${name}.Notify`, ...last), '(uint32 4294967295,)');
    assert.is(await example.output('notify-send', '-p', 'Next'), '2');
    example.program.write('1\n');
    await example.program.line('1 is dismissed');
  }),
);

testUnless(missing, test, 'odd texts do not change the terminal', () =>
  withDaemon(async (example) => {
    await example.output('notify-send', '--app-name=\x1b[2J', 'a\nb\r\x07', '\x1b]0;title\x07<b>bold</b>');
    await example.program.line('1  [2J: a b   ]0;title <b>bold</b>');
    await example.output('notify-send', '-h', 'int:urgency:2', '-h', 'string:resident:yes', 'Odd hints');
    await example.program.line('2 notify-send: Odd hints');
  }),
);

testUnless(missing, test, 'it survives a client that leaves, and a client finds it after a restart', () =>
  withDaemon(async (example) => {
    const client = example.start('notify-send', '--wait', 'Ada');
    await example.program.line('1 notify-send: Ada');
    client.kill();
    await client.finished;
    example.program.write('1\n');
    await example.program.line('1 is dismissed');
    await example.restart();
    assert.is(await example.output('notify-send', '-p', 'Grace'), '1');
  }),
);

test.run();
