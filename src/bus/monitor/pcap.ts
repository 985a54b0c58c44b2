/**
 * Writes monitored messages in the format of packet captures, which Wireshark and tshark read.
 *
 * @see draft-ietf-opsawg-pcap, and LINKTYPE_DBUS of https://www.tcpdump.org/linktypes.html
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { InvalidArgumentError } from '../../base/errors.js';
import { checkObject } from '../../base/parameters.js';
import type { MonitoredMessage } from './monitored-message.js';

/** Microseconds, in the byte order of the writer. */
const MAGIC = 0xa1b2c3d4;
const LINKTYPE_DBUS = 231;
/** The largest message that D-Bus allows, and the largest packet of this type that Wireshark reads. */
const LENGTH_MAXIMUM = 128 * 1024 * 1024;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** Records are written together up to this size, or until the next iteration of the event loop. */
const CHUNK_BYTES = 64 * 1024;
/** Messages may contain secrets. */
const FILE_MODE = 0o600;
/** The mode of files and directories without the bits of their type. */
const PERMISSIONS = 0o7777;

/** What a packet capture has of a message. */
export type CapturedMessage = Pick<MonitoredMessage, 'time' | 'bytes'>;

/** What {@link writePcap} has written. */
export interface PcapSummary {
  /** How many messages were written. */
  readonly messages: number;
  /** Bytes of these messages. */
  readonly bytes: number;
}

/**
 * Writes messages as a packet capture, until they end: to a file, which only its owner can read, or to a stream, which
 * stays open. A file that exists is overwritten, and loses the permissions of others; devices and pipes keep theirs. A
 * record is written within an iteration of the event loop, so that a reader can follow. If the file or the stream fails,
 * the messages are ended.
 *
 * @example
 * ```ts
 * const monitor = bus.monitor([], { signal: AbortSignal.timeout(100) });
 * const { messages, bytes } = await writePcap('/tmp/session.pcap', monitor);
 * console.log(`${messages} messages, ${bytes} bytes, ${monitor.dropped} dropped`);
 * ```
 * @param to a path, or a stream
 * @param messages a {@link Monitor}, or any messages of one
 * @throws (rejects) {@link InvalidArgumentError} for a wrong argument
 * @throws (rejects) the error of the file, the stream or the messages
 */
export async function writePcap(
  to: string | Writable,
  messages: AsyncIterable<CapturedMessage> | Iterable<CapturedMessage>,
): Promise<PcapSummary> {
  checkObject(messages, 'messages');
  const iterator = Symbol.asyncIterator in messages ? messages[Symbol.asyncIterator]() : messages[Symbol.iterator]?.();
  if (iterator === undefined) throw new InvalidArgumentError('messages: expected an iterable object');
  if (typeof to !== 'string' && typeof to?.write !== 'function')
    throw new InvalidArgumentError('to: expected a path or a stream');
  let sink: Sink | undefined;
  try {
    const opened = await openSink(to);
    sink = opened;
    return await new Promise((resolve, reject) => {
      void opened.failed.then(reject);
      copy(iterator, new Capture(opened, reject)).then(resolve, reject);
    });
  } catch (error) {
    void end(iterator);
    throw error;
  } finally {
    await sink?.close();
  }
}

type Messages = AsyncIterator<CapturedMessage> | Iterator<CapturedMessage>;

/** The error that ended the capture is reported, not one of ending the messages. */
async function end(iterator: Messages): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // They may have ended with the same error.
  }
}

async function copy(iterator: Messages, capture: Capture): Promise<PcapSummary> {
  let messages = 0;
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) break;
      const { time, bytes } = value as CapturedMessage;
      const full = capture.add(time, bytes);
      if (full !== undefined) await full;
      messages++;
      total += bytes.length;
    }
  } finally {
    // If the messages fail, those before are written.
    await capture.flush();
  }
  return { messages, bytes: total };
}

/** Collects records, and writes them soon. */
class Capture {
  readonly #sink: Sink;
  readonly #onError: (error: unknown) => void;
  #parts: Uint8Array[] = [];
  #size = 0;
  #timer: NodeJS.Immediate | undefined;
  #written: Promise<void> = Promise.resolve();

  /** @param onError called when writing fails while nothing waits for it */
  constructor(sink: Sink, onError: (error: unknown) => void) {
    this.#sink = sink;
    this.#onError = onError;
    this.#add(fileHeader());
  }

  /** Returns a promise if enough is waiting, which resolves when that was written. */
  add(time: number, bytes: Uint8Array): Promise<void> | undefined {
    const microseconds = Math.round(time * 1000);
    const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
    header.writeUInt32LE(Math.floor(microseconds / 1e6), 0);
    header.writeUInt32LE(microseconds % 1e6, 4);
    header.writeUInt32LE(bytes.length, 8);
    header.writeUInt32LE(bytes.length, 12);
    this.#add(header);
    this.#add(bytes);
    return this.#size < CHUNK_BYTES ? undefined : this.flush();
  }

  /** Resolves when everything was written. */
  flush(): Promise<void> {
    if (this.#timer !== undefined) clearImmediate(this.#timer);
    this.#timer = undefined;
    const parts = this.#parts;
    this.#parts = [];
    this.#size = 0;
    if (parts.length > 0) this.#written = this.#written.then(() => this.#sink.write(Buffer.concat(parts)));
    return this.#written;
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#size += part.length;
    this.#timer ??= setImmediate(() => this.flush().catch(this.#onError));
  }
}

function fileHeader(): Uint8Array {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(LENGTH_MAXIMUM, 16);
  header.writeUInt32LE(LINKTYPE_DBUS, 20);
  return header;
}

interface Sink {
  /** Resolves with the error if the sink fails while nothing is written. */
  readonly failed: Promise<unknown>;
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

async function openSink(to: string | Writable): Promise<Sink> {
  return typeof to === 'string' ? openFile(to) : new StreamSink(to);
}

async function openFile(path: string): Promise<Sink> {
  // The file is emptied after its permissions were changed: if that is not allowed, the file keeps its content.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT, FILE_MODE);
  try {
    const stats = await file.stat();
    if (stats.isFile()) {
      if ((stats.mode & PERMISSIONS & ~FILE_MODE) !== 0) await file.chmod(FILE_MODE);
      await file.truncate();
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { failed: new Promise(() => {}), write: (bytes) => file.writeFile(bytes), close: () => file.close() };
}

class StreamSink implements Sink {
  readonly failed: Promise<unknown>;
  readonly #stream: Writable;
  #isBroken = false;
  #hasEmitted = false;
  #isClosed = false;
  #fail!: (error: unknown) => void;

  constructor(stream: Writable) {
    this.#stream = stream;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    stream.on('error', this.#onError);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => {
        if (!error) {
          resolve();
          return;
        }
        this.#isBroken = true;
        reject(error);
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // A stream emits the error of a write after the callback of the write: that of a file when the file is closed.
    const isExpected = this.#isBroken && !this.#hasEmitted && !this.#stream.closed;
    if (isExpected) this.#stream.once('close', () => this.#stream.off('error', this.#onError));
    else this.#stream.off('error', this.#onError);
  }

  readonly #onError = (error: unknown): void => {
    this.#hasEmitted = true;
    if (this.#isClosed) this.#stream.off('error', this.#onError);
    this.#fail(error);
  };
}
