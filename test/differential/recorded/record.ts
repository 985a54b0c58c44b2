/**
 * Records the messages that programs of other implementations send to each other over a private bus, into
 * test/differential/recorded/: `node --import tsx test/differential/recorded/record.ts`. Needs busctl, gdbus, dbus-send,
 * dbus-monitor and python3-gi. Run it again only to record other messages; the corpus does not age.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../helpers/paths.js';
import { PrivateBus } from '../../helpers/private-bus.js';
import { run } from '../../helpers/program.js';
import { messageLength } from '../../helpers/wire-reader.js';
import { rows } from '../../interop/value-table.js';
import { busctlArguments } from '../../interop/values-busctl.js';
import { notation } from '../../interop/values-notation.js';
import {
  echo,
  peers,
  reasonAgainst,
  sdbusReading,
  sdbusWriting,
  startEchoClient,
  startEchoService,
} from '../../interop/values-peers.js';

const DRIVER = ['org.freedesktop.DBus', '/org/freedesktop/DBus'] as const;
/** Bytes above which a message is too large for the repository. */
const LONGEST = 4096;

await using bus = await PrivateBus.start();
const env = { ...bus.env, LC_ALL: 'C.UTF-8' };
const recorded = await recording(async () => {
  for (const [program, ...args] of commands()) await run(program as string, args, { env });
  for (const peer of peers) await echoOn(peer);
});
const short = recorded.filter(({ length }) => length <= LONGEST);
const different = [...new Map(short.map((bytes) => [withoutNumbers(bytes), bytes])).values()];
const lines = different.map((bytes) => JSON.stringify(bytes.toString('hex')));
writeFileSync(join(projectRoot, 'test/differential/recorded/messages.json'), `[\n${lines.join(',\n')}\n]\n`);
console.log(`${lines.length} messages`);

/** The same for messages that differ in numbers only: serials, unique names, counts. */
function withoutNumbers(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^\x20-\x2f\x3a-\xff]+/g, ' ');
}

/** The messages on the bus while `action` runs. */
async function recording(action: () => Promise<void>): Promise<Buffer[]> {
  const monitor = spawn('dbus-monitor', ['--binary', '--address', bus.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  monitor.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await action();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  monitor.kill();
  return messagesIn(Buffer.concat(chunks));
}

function messagesIn(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 16 <= stream.length; ) {
    const end = at + messageLength(stream.subarray(at));
    messages.push(stream.subarray(at, end));
    at = end;
  }
  return messages;
}

function commands(): readonly (readonly string[])[] {
  const busctl = ['busctl', '--user', '--no-pager'];
  const gdbus = ['gdbus', 'call', '--session', '--dest', DRIVER[0], '--object-path', DRIVER[1], '--method'];
  const send = ['dbus-send', '--session', '--print-reply', `--dest=${DRIVER[0]}`, DRIVER[1]];
  return [
    [...busctl, 'list'],
    [...busctl, 'introspect', ...DRIVER],
    [...busctl, 'get-property', ...DRIVER, DRIVER[0], 'Features'],
    [...busctl, 'call', ...DRIVER, DRIVER[0], 'NoSuchMethod', 's', 'x'],
    ['gdbus', 'introspect', '--session', '--dest', DRIVER[0], '--object-path', '/', '--recurse'],
    [...gdbus, `${DRIVER[0]}.ListNames`],
    [...gdbus, `${DRIVER[0]}.Properties.GetAll`, DRIVER[0]],
    [...gdbus, `${DRIVER[0]}.GetNameOwner`, 'org.example.Nobody'],
    ['gdbus', 'emit', '--session', '--object-path', '/a', '--signal', 'a.b.C', "{'key': <('größe', 1.5)>}", '@au []'],
    [...send, `${DRIVER[0]}.AddMatch`, "string:type='signal',arg0path='/a/'"],
    [...send, `${DRIVER[0]}.StartServiceByName`, 'string:org.example.Nobody', 'uint32:0'],
    ['dbus-send', '--session', '/a', 'a.b.C', 'dict:string:int32:one,1,two,2', 'variant:array:double:0.5,-1'],
  ];
}

/** The table of values, from this peer's client to its service, and from busctl. */
async function echoOn(peer: (typeof peers)[number]): Promise<void> {
  const { program: service, name } = await startEchoService(peer, bus);
  const client = startEchoClient(peer, bus, name);
  for (const row of rows) {
    const { signature, values } = row;
    if (reasonAgainst(row, peer.writing, peer.reading, sdbusReading, sdbusWriting) !== undefined) continue;
    const text = notation(signature, values);
    if (text.length > LONGEST) continue;
    client.write(`{"signature":"${signature}","values":${text}}\n`);
    await client.line(/^(reply|failed) /);
    if (peer.name !== 'GLib') continue;
    const target = [name, echo.path, echo.interface, 'Echo'];
    await run('busctl', ['--user', 'call', '--', ...target, ...busctlArguments(signature, values)], { env });
  }
  await client.stop();
  await service.stop();
}
