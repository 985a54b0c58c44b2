/**
 * The seeds of each target: messages made by `fuzz_seeds`, and those of others in `../shared/data`, if it exists. They are
 * collected again for every run, so that the collection can grow.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from '../setup/report.mjs';

const data = join(root, '..', 'shared', 'data');

/** Bytes before a stream by which two of the targets choose their options. */
const choices = [Buffer.from([0, 0]), Buffer.from([0x3f, 7]), Buffer.from([0x15, 1]), Buffer.from([0x74, 3])];

const conversations = [
  '\0AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
  '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\x01\x00\x01',
  '\0AUTH ANONYMOUS 627573\r\nBEGIN\r\n',
  '\0AUTH\r\nAUTH DBUS_COOKIE_SHA1 31\r\nCANCEL\r\nERROR\r\nAUTH EXTERNAL 30\r\n',
  'OK 000102030405060708090a0b0c0d0e0f\r\nAGREE_UNIX_FD\r\n',
  'REJECTED EXTERNAL ANONYMOUS\r\nDATA\r\nOK 000102030405060708090a0b0c0d0e0f\r\nERROR\r\n',
  'DATA\r\nREJECTED\r\n',
  // The first lines of a bus to a client, and lines that a bus does not send.
  'DATA\r\nOK 000102030405060708090a0b0c0d0e0f\r\nAGREE_UNIX_FD\r\n',
  'DATA\r\nREJECTED EXTERNAL DBUS_COOKIE_SHA1 ANONYMOUS\r\nOK 000102030405060708090a0b0c0d0e0f\r\nERROR\r\n',
  'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  '\x15\x03\x03\0\x02\x02\x50',
];

/** At the limits of nesting, which random inputs would not reach: 32 of each kind are allowed. */
const nested = [31, 32, 33].flatMap((depth) => [
  `${'a'.repeat(depth)}y`,
  `${'('.repeat(depth)}y${')'.repeat(depth)}`,
  `${'a{y'.repeat(depth)}y${'}'.repeat(depth)}`,
  `a{y${'('.repeat(depth)}y${')'.repeat(depth)}}`,
  `${'('.repeat(depth)}a{yy}${')'.repeat(depth)}`,
  `${'a('.repeat(depth)}y${')'.repeat(depth)}`,
]);

const signatures = [
  '',
  'y',
  'a{sv}',
  'a{oa{sa{sv}}}',
  '(ybnqiuxtdsoghv)',
  '((((i))))(sa(ii))aay',
  'y'.repeat(255),
  ...nested,
];

/** Folders by target, filled. `programs` is the folder in which the targets were built. */
export function writeSeeds(folder, targets, programs) {
  if (!existsSync(data)) console.log(`[fuzz]    no collected messages: there is no ${relative(root, data)}`);
  rmSync(folder, { recursive: true, force: true });
  const made = join(folder, 'made');
  mkdirSync(made, { recursive: true });
  const { status } = spawnSync(join(programs, 'fuzz_seeds'), [made]);
  if (status !== 0) throw new Error('fuzz_seeds failed');
  const messages = [...filesOf(made), ...collectedMessages()];
  const conversationsAsBytes = [...conversations.map((text) => Buffer.from(text, 'latin1')), ...authScripts()];
  const seeds = {
    message: messages,
    header: messages,
    bridge: messages,
    signature: [...signatures.map((text) => Buffer.from(text)), ...collectedSignatures()],
    sasl: chosen(conversationsAsBytes),
    socket_reader: chosen([...messages.slice(0, 200), ...streams(filesOf(made), readFileSync(join(made, 'little-6')))]),
  };
  return Object.fromEntries(targets.map((target) => [target, write(join(folder, target), seeds[target])]));
}

/** Several consecutive messages, including some that do not fit into the arena (16 KiB) or the buffer (64 KiB). */
function streams(messages, bytesMessage) {
  const large = [20_000, 70_000].map((length) => lengthened(bytesMessage, length));
  return [Buffer.concat(messages), ...large.map((one) => Buffer.concat([messages[0], one, messages[1]]))];
}

/** A message whose body is an `ay` of three bytes, with a longer one. */
function lengthened(message, length) {
  const longer = Buffer.concat([message.subarray(0, -7), Buffer.alloc(4 + length)]);
  longer.writeUInt32LE(4 + length, 4);
  longer.writeUInt32LE(length, message.length - 7);
  return longer;
}

function write(folder, inputs) {
  mkdirSync(folder, { recursive: true });
  for (const bytes of inputs) writeFileSync(join(folder, createHash('sha1').update(bytes).digest('hex')), bytes);
  return folder;
}

function chosen(inputs) {
  return inputs.map((bytes, index) => Buffer.concat([choices[index % choices.length], bytes]));
}

function filesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

function collectedMessages() {
  const folders = ['dbus-1.14/valid-messages', 'dbus-1.14/invalid-messages', 'systemd-fuzz/fuzz-bus-message'];
  return [
    ...folders.flatMap((folder) => filesOf(join(data, folder))),
    ...factoryRows().map(({ hex }) => Buffer.from(hex, 'hex')),
  ];
}

function collectedSignatures() {
  return [...new Set(factoryRows().map(({ sig }) => sig ?? ''))].map((text) => Buffer.from(text));
}

/** The messages of libdbus's generator, one of each family and form. */
function factoryRows() {
  const path = join(data, 'dbus-message-factory', 'core.jsonl.gz');
  if (!existsSync(path)) return [];
  return gunzipSync(readFileSync(path)).toString('utf8').split('\n').filter(Boolean).map(JSON.parse);
}

/** The lines that the scripts of libdbus's tests send and expect. */
function authScripts() {
  const folder = join(data, 'dbus-1.14', 'auth');
  return filesOf(folder).map((bytes) => {
    const lines = [...bytes.toString('latin1').matchAll(/^(?:SEND|EXPECT_COMMAND) '?([^'\n]*)'?$/gm)];
    const said = lines.map(([, line]) => line.replace('USERID_HEX', '31303030')).join('\r\n');
    return Buffer.from(`\0${said}\r\n`, 'latin1');
  });
}
