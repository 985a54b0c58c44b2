// time limit: 180 s
// Thousands of messages that broke other implementations, or were made to, each sent to one process: none ends it or blocks
// it, and each call that can be answered is answered.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeBus, type FakeConnection } from '../helpers/fake-bus.js';
import { count } from '../helpers/ledger.js';
import { programArguments } from '../helpers/own-runtime.js';
import { sharedPath } from '../helpers/paths.js';
import { Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { messageLength } from '../helpers/wire-reader.js';

const test = suite('corpus');

/** Milliseconds without any output after which the process counts as blocked. */
const PATIENCE = 10_000;
/** A flag in the header. */
const NO_REPLY_EXPECTED = 1;

interface Record {
  readonly name: string;
  readonly bytes: Buffer;
  /** A method call for the peer that both libdbus and sd-bus deliver. */
  readonly isGoodCall: boolean;
}

type Verdict = 'alive' | 'closed' | 'unfinished' | 'hung' | 'died';

const server = await FakeBus.start();
const peer = Program.start(process.execPath, programArguments('test/helpers/fake-bus-corpus-peer.ts'), {
  env: { DBUS_SESSION_BUS_ADDRESS: server.address },
  timeLimit: 170_000,
});
let connection: FakeConnection | undefined;

test.after(async () => {
  peer.kill();
  await peer.finished;
  await server.stop();
});

/** The peer's connection, once it has sent its first messages. */
async function connected(): Promise<FakeConnection | undefined> {
  if (connection !== undefined && !connection.isClosed) return connection;
  connection = await withPatience(server.accepted());
  // No call is sent to a client before it has its name.
  await connection?.until(({ member }) => member === 'Hello');
  if (!(await connection?.ping(PATIENCE))) connection = undefined;
  return connection;
}

/** `undefined` if the peer ends, or nothing happens. */
async function withPatience<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE);
  });
  const end = peer.finished.then(
    () => undefined,
    () => undefined,
  );
  const result = await Promise.race([promise, impatience, end]);
  clearTimeout(timer);
  return result;
}

function hangUp(target: FakeConnection): void {
  target.hangUp(Buffer.alloc(0));
  connection = undefined;
}

/** Sends one record; the verdict is about the process, which may close a connection if it has to. */
async function inject({ bytes }: Record): Promise<{ verdict: Verdict; answered: boolean }> {
  const target = await connected();
  const failure = () => ({ verdict: peer.running ? ('hung' as const) : ('died' as const), answered: false });
  if (target === undefined) return failure();
  target.sent.length = 0;
  target.inject(bytes);
  if (bytes.length < 16 || messageLength(bytes) !== bytes.length) {
    // Everything that follows would belong to this message.
    hangUp(target);
    return (await connected()) === undefined ? failure() : { verdict: 'unfinished', answered: false };
  }
  const serial = bytes[0] === 0x42 ? bytes.readUInt32BE(8) : bytes.readUInt32LE(8);
  const alive = await target.ping(PATIENCE);
  const answered = target.sent.some(({ replySerial }) => replySerial === serial);
  // The reply has answered a call: the next reply needs another one.
  if (alive && bytes[1] !== 1) hangUp(target);
  if (alive) return { verdict: 'alive', answered };
  // A peer that does not answer has closed the connection, or is unreachable.
  if (peer.running && !target.isClosed) return { verdict: 'hung', answered };
  return (await connected()) === undefined ? failure() : { verdict: 'closed', answered };
}

async function injectAll(records: readonly Record[]): Promise<void> {
  assert.ok(records.length > 0);
  const counts: { [verdict in Verdict]?: number } = {};
  const unanswered: string[] = [];
  for (const record of records) {
    const { verdict, answered } = await inject(record);
    counts[verdict] = (counts[verdict] ?? 0) + 1;
    assert.ok(verdict !== 'died' && verdict !== 'hung', `${verdict} of ${record.name}\n${peer.stderr}`);
    if (record.isGoodCall && !answered) unanswered.push(record.name);
  }
  const calls = records.filter(({ isGoodCall }) => isGoodCall).length;
  console.log(`# ${records.length} messages, ${calls} of them calls to answer: ${JSON.stringify(counts)}`);
  assert.equal(unanswered.slice(0, 5), [], `${unanswered.length} calls were not answered`);
  const { alive = 0, closed = 0, unfinished = 0 } = counts;
  count({ messagesTaken: alive, messagesRefused: closed, messagesUnfinished: unfinished, callsAnswered: calls });
}

function factoryRecords(file: string): Record[] {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  return lines.map((line, index) => {
    const { family, hex, libdbus, sdbus } = JSON.parse(line) as { [key: string]: string };
    const bytes = Buffer.from(hex as string, 'hex');
    const wantsAnswer = bytes[1] === 1 && ((bytes[2] as number) & NO_REPLY_EXPECTED) === 0;
    const isGoodCall = wantsAnswer && libdbus === 'valid' && sdbus === 'delivered' && isForPeer(bytes);
    return { name: `${index} (${family}): ${hex}`, bytes, isGoodCall };
  });
}

/**
 * Whether the header says `DESTINATION o.z.F`, which is a name that the peer has; the messages of the factory are
 * little-endian.
 */
function isForPeer(bytes: Buffer): boolean {
  return bytes.includes('\x06\x01s\0\x05\0\0\0o.z.F\0', 16, 'latin1');
}

function rawRecords(folder: string): Record[] {
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.hex'))
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)), isGoodCall: false }));
}

for (const [name, path, read] of [
  ['every kind of message of dbus', 'data/dbus-message-factory/core.jsonl.gz', factoryRecords],
  ['messages of dbus, changed in one place', 'data/dbus-message-factory/mutations-dev10pct.jsonl.gz', factoryRecords],
  ['messages that dbus must refuse', 'data/dbus-1.14/invalid-messages', rawRecords],
  ['messages that dbus must accept', 'data/dbus-1.14/valid-messages', rawRecords],
  ['messages that crashed sd-bus once', 'data/systemd-fuzz/fuzz-bus-message', rawRecords],
] as const) {
  const found = sharedPath(path);
  const missing = found === undefined ? 'the corpora are not beside the project' : undefined;
  testUnless(missing, test, `${name}: the process does not end or block`, () => injectAll(read(found as string)));
}

test('the process still answers afterwards', async () => {
  const target = await connected();
  assert.ok(await target?.ping(PATIENCE));
  assert.ok(peer.running);
});

test.run();
