/**
 * Makes Node.js streams of descriptors. The stream becomes the owner: it closes the descriptor when it ends or is
 * destroyed. Pipes and sockets are read and written by the event loop, files and devices by the threads of `node:fs`.
 */
import { createReadStream, createWriteStream, fstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { InvalidArgumentError, NotSupportedError } from '../base/errors.js';
import { closeFd } from '../native/descriptors.js';
import { loadAddon } from '../native/load.js';

const { bun, deno } = process.versions;

/** What a descriptor is, as far as streams differ. */
type Kind = 'socket' | 'pipe' | 'file';

/** @throws {@link NotSupportedError} for a runtime that cannot make streams of descriptors that it did not open */
function kindOf(fd: number): Kind {
  if (deno !== undefined) {
    throw new NotSupportedError('Deno cannot make a stream of a file descriptor that it did not open');
  }
  const stats = fstatSync(fd);
  if (stats.isDirectory()) {
    throw new InvalidArgumentError(`file descriptor ${fd} is a directory, which cannot be a stream`);
  }
  if (stats.isSocket()) {
    checkStreamSocket(fd);
    return 'socket';
  }
  return stats.isFIFO() ? 'pipe' : 'file';
}

function checkStreamSocket(fd: number): void {
  const socket = loadAddon().describeSocket(fd);
  if (typeof socket === 'number' || (socket.isStream && !socket.isListening)) return;
  const what = socket.isListening ? 'a socket that listens' : 'a datagram socket';
  throw new InvalidArgumentError(`file descriptor ${fd} is ${what}, which cannot be a stream`);
}

/** @throws {@link InvalidArgumentError} unless a socket can be made of the descriptor */
export function checkSocket(fd: number): void {
  if (kindOf(fd) !== 'socket') {
    throw new InvalidArgumentError(`file descriptor ${fd} is not a socket: use toReadable() or toWritable()`);
  }
  if (bun !== undefined) throw new NotSupportedError('Bun cannot make a socket of a file descriptor');
}

/** @throws {@link InvalidArgumentError} unless a stream can be made of the descriptor */
export function checkStream(fd: number): void {
  if (kindOf(fd) === 'socket' && bun !== undefined) {
    throw new NotSupportedError('Bun cannot make a stream of the file descriptor of a socket');
  }
}

/** Makes a socket that owns the descriptor, which is also closed if that fails. */
export function socketOf(fd: number): Socket {
  return owning(fd, () => netSocket(fd, true, true));
}

/** Makes a stream to read from that owns the descriptor. */
export function readableOf(fd: number): Readable {
  return owning(fd, () => (isFile(fd) ? createReadStream('', { fd }) : netSocket(fd, true, false)));
}

/** Makes a stream to write to that owns the descriptor. */
export function writableOf(fd: number): Writable {
  return owning(fd, () => (isFile(fd) ? createWriteStream('', { fd }) : netSocket(fd, false, true)));
}

/** Whether `node:fs` reads and writes it. Bun does that with pipes, too. */
function isFile(fd: number): boolean {
  return bun !== undefined || kindOf(fd) === 'file';
}

/** `node:net` is loaded when the first socket is made. */
function netSocket(fd: number, readable: boolean, writable: boolean): Socket {
  const net = process.getBuiltinModule('node:net');
  return new net.Socket({ fd, readable, writable });
}

function owning<Stream>(fd: number, make: () => Stream): Stream {
  try {
    return make();
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}
