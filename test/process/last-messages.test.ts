// Messages that were sent just before a connection or its process ended arrive, also if the bus is too busy to read them until
// then. dbus-daemon drops what it has not read if it writes an answer to a socket that was closed with an unread answer in it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

/** More than a daemon reads at a time, and less than a socket buffer takes. */
const MESSAGES = 300;

/** How long the daemon is stopped after the messages were sent; less than an exiting process waits. */
const STOPPED_SECONDS = 0.1;

/** How a program ends after it has sent its messages, and its exit code. */
const ends: Readonly<Record<string, readonly [code: number, end: string]>> = {
  'close()': [0, 'await bus.close();'],
  'the end of a scope': [0, 'await bus[Symbol.asyncDispose]();'],
  'process.exit()': [3, 'process.exit(3);'],
  'an exception': [1, `throw new Error('the end');`],
  'nothing left to do': [0, ''],
  'process.exit() in a listener of the exit': [4, `process.once('exit', () => { say(); process.exit(4); });`],
};

const program = (end: string) => `
  import { spawn } from 'node:child_process';
  import { connect } from ${JSON.stringify(libraryEntry)};
  const bus = await connect();
  const daemon = Number(process.env.BUSBAR_TEST_DAEMON_PID);
  let said = 0;
  const say = () => {
    for (let i = 0; i < ${MESSAGES / 2}; i++) {
      bus.emit({ path: '/' + process.pid, interface: 'org.example.Last', member: 'Number', signature: 'u', body: [said++] });
    }
  };
  const ask = () => void bus.call({ destination: 'org.freedesktop.DBus', path: '/', member: 'No' }).catch(() => {});
  // The answer is in the socket, and this process does not read it.
  ask();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  process.kill(daemon, 'SIGSTOP');
  spawn('sh', ['-c', 'sleep ${STOPPED_SECONDS}; kill -CONT ' + daemon], { detached: true, stdio: 'ignore' }).unref();
  ask();
  say();
  ${end.includes('say()') ? '' : 'say();'}
  ${end}
`;

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`last messages at ${kind}`);
  const missing = PrivateBus.missing({ daemon: kind });
  for (const [what, [code, end]] of Object.entries(ends)) {
    if (missing !== undefined) {
      skip(test, `messages before ${what}`, missing);
      continue;
    }
    test(`messages before ${what} arrive at a bus that is stopped meanwhile`, async () => {
      await using daemon = await PrivateBus.start({ daemon: kind });
      await using witness = await connect({ address: daemon.address });
      const heard: unknown[] = [];
      using _numbers = witness.subscribe({ interface: 'org.example.Last' }, ({ body }) => heard.push(body[0]));
      await witness.listNames();
      const env = { ...daemon.env, BUSBAR_TEST_DAEMON_PID: `${daemon.pid}` };
      const finished = await Program.start(process.execPath, moduleArguments(program(end)), { env }).finished;
      assert.is(finished.code, code, finished.stderr);
      await until(() => heard.length === MESSAGES).catch(() => {});
      assert.equal(
        heard,
        Array.from({ length: MESSAGES }, (_, index) => index),
      );
    });
  }
  test.run();
}
