/**
 * Whether there is a session bus that answers: at DBUS_SESSION_BUS_ADDRESS, otherwise at the usual paths. An address in the
 * environment alone proves nothing: containers and `su` inherit those of buses that they cannot reach.
 */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';

/** Milliseconds in which a bus has to answer. */
const PATIENCE = 2000;

/** The address of the session bus that answers; `undefined` if there is none. */
export async function answeringSessionBus() {
  for (const address of candidates()) if (await answers(address)) return address;
  return undefined;
}

function candidates() {
  const given = process.env.DBUS_SESSION_BUS_ADDRESS;
  if (given) return given.split(';');
  const sockets = [`${process.env.XDG_RUNTIME_DIR}/bus`, `/run/user/${process.getuid()}/bus`];
  return sockets.filter(existsSync).map((path) => `unix:path=${path}`);
}

/** For sockets, the first lines of a D-Bus client are sent; the library checks other transports. */
async function answers(address) {
  const [, kind, value] = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(address) || [];
  if (kind === undefined) return /^(tcp|unixexec):/.test(address);
  const path = decodeURIComponent(value);
  const reply = await firstReply(kind === 'abstract' ? `\0${path}` : path);
  return reply.startsWith('OK ');
}

function firstReply(path) {
  return new Promise((resolve) => {
    const uid = Buffer.from(String(process.getuid())).toString('hex');
    const socket = connect({ path }, () => socket.write(`\0AUTH EXTERNAL ${uid}\r\n`));
    const end = (reply) => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(PATIENCE, () => end(''));
    socket.on('data', (bytes) => end(bytes.toString()));
    socket.on('error', () => end(''));
    socket.on('close', () => end(''));
  });
}
