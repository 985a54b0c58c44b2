/**
 * The sending half of the seam: messages are marshalled into one arena and leave together.
 *
 * The first message of an idle connection leaves at once, so that a lone call has the least latency. While a connection
 * is busy, and for the rest of the turn, messages are gathered; they leave on the next tick, or when enough has come
 * together. A message with descriptors
 * leaves alone: other implementations attribute descriptors to the bytes that they arrive with.
 */
import { encoderFor } from '../codec/encoder.js';
import { Writer } from '../codec/writer.js';
import { BackpressureError, InvalidArgumentError, NotSupportedError } from '../errors.js';
import type { NativeConnection } from '../native/binding.js';
import { requireOpenFd } from '../native/descriptors.js';
import { checkHead, finishMessage, PreparedHead, writeHeader } from './header.js';
import { describeMessage, type MessageHead } from './message.js';

const GATHER_BYTES = 32 * 1024;

/** Beyond this many unwritten bytes, messages are refused. It is half of what a bus queues for a slow reader. */
const QUEUE_MAXIMUM = 64 * 1024 * 1024;

/** The kernel takes no more at a time (SCM_MAX_FD), and a message has to go with all of its descriptors. */
const FDS_MAXIMUM = 253;

/** A call that a message answers, and who made it. */
export interface Answered {
  readonly replySerial: number;
  readonly destination: string | undefined;
}

export class Outbox {
  /** Whether the other side agreed to pass file descriptors; known when the connection is open. */
  canSendFds = false;
  /** Messages that were taken, and the bytes of their bodies: counted, and looked at by who wants statistics. */
  messages = 0;
  bodyBytes = 0;

  readonly #native: NativeConnection;
  readonly #isIdle: () => boolean;
  readonly #writer = new Writer();
  /** The last message with descriptors, and what it answers. */
  #carrier: ({ readonly serial: number } & Answered) | undefined;
  #gathers = false;
  /** Whether a message is being written: what its values do when they are looked at must not get into it. */
  #marshals = false;
  #flushScheduled = false;
  #queued = 0;
  #drained: Promise<void> | undefined;
  #drain: (() => void) | undefined;

  /** @param isIdle whether nothing is going on that the next message might be a part of */
  constructor(native: NativeConnection, isIdle: () => boolean) {
    this.#native = native;
    this.#isIdle = isIdle;
  }

  /** Bytes that wait here or in the addon. */
  get queuedBytes(): number {
    return this.#queued + this.#writer.position;
  }

  /**
   * Marshals a message and sees to it that it leaves.
   *
   * @throws {@link InvalidArgumentError} for a header or a value that is not valid; nothing is sent then
   * @throws {@link BackpressureError} if too much waits to be written already
   */
  push(head: MessageHead, body: readonly unknown[], serial: number, replySerial: number): void {
    if (this.#marshals) throw new InvalidArgumentError('a value that is being sent must not send when it is looked at');
    if (this.#queued > QUEUE_MAXIMUM) {
      throw new BackpressureError(`${this.#queued} bytes wait to be written: await bus.flush() before sending more`);
    }
    const withFds = this.#marshal(head, body, serial, replySerial);
    if (withFds || this.#writer.position >= GATHER_BYTES) this.#write();
    if (this.#gathers) return;
    if (!this.#flushScheduled && this.#isIdle()) this.#write();
    this.#scheduleFlush();
  }

  /**
   * What a message with descriptors answers, if it answers anything. For want of descriptors it may be refused, and not
   * every transport tells then whom it was for.
   */
  answeredBy(serial: number): Answered | undefined {
    const carrier = this.#carrier;
    return carrier?.serial === serial && carrier.replySerial > 0 ? carrier : undefined;
  }

  /** Keeps what is pushed until the next `flush`, which spares what answers a batch of messages a tick of its own. */
  gather(): void {
    this.#gathers = true;
  }

  /** Hands everything that was gathered to the addon. */
  flush(): void {
    if (this.#marshals) return;
    this.#gathers = false;
    this.#write();
  }

  #write(): void {
    const writer = this.#writer;
    if (writer.position === 0) return;
    const { fds } = writer;
    const numbers = fds.length === 0 ? undefined : Int32Array.from(fds, ({ fd }) => fd);
    try {
      // Nothing waits any more also when the connection has broken, and then what waited is lost: only `onDrain` tells.
      this.#queued = this.#native.send(writer.bytes, writer.position, numbers) || this.#queued;
    } finally {
      // The addon duplicated the descriptors: those that were handed over are ours to close.
      for (const { owned } of fds) owned?.close();
      writer.reset();
    }
  }

  /** Settles when the kernel has taken everything. */
  drained(): Promise<void> {
    this.flush();
    if (this.#queued === 0) return Promise.resolve();
    this.#drained ??= new Promise((resolve) => {
      this.#drain = resolve;
    });
    return this.#drained;
  }

  /** The addon has written everything, unless more was sent while it was about to say so. */
  onDrain(): void {
    this.#queued = this.#native.send(this.#writer.bytes, 0, undefined);
    if (this.#queued === 0) this.#settle();
  }

  /** The connection is over. Returns how many bytes were taken and never will be written: at most, the addon may have come further. */
  end(): number {
    const { queuedBytes } = this;
    this.#queued = 0;
    this.#settle();
    return queuedBytes;
  }

  #settle(): void {
    this.#drain?.();
    this.#drain = undefined;
    this.#drained = undefined;
  }

  /** Returns whether the message carries descriptors. */
  #marshal(head: MessageHead, body: readonly unknown[], serial: number, replySerial: number): boolean {
    if (!(head instanceof PreparedHead)) checkHead(head, replySerial);
    const writer = this.#writer;
    let mark = writer.position;
    let fdsBefore = writer.fds.length;
    this.#marshals = true;
    try {
      const bodyLength = this.#marshalOnce(head, body, serial, replySerial, 0);
      const fdCount = writer.fds.length - fdsBefore;
      if (fdCount === 0) {
        this.#count(bodyLength);
        return false;
      }
      if (!this.canSendFds) throw new NotSupportedError('this connection does not pass file descriptors');
      if (fdCount > FDS_MAXIMUM) {
        throw new InvalidArgumentError(`a message carries at most ${FDS_MAXIMUM} file descriptors, not ${fdCount}`);
      }
      for (const { fd } of writer.fds.slice(fdsBefore)) requireOpen(fd);
      // Only now is the number of descriptors known, which the header has to tell: write both again, alone.
      writer.rewind(mark, fdsBefore);
      this.#write();
      mark = 0;
      fdsBefore = 0;
      this.#carrier = { serial, replySerial, destination: head.destination };
      this.#count(this.#marshalOnce(head, body, serial, replySerial, fdCount));
      return true;
    } catch (error) {
      writer.rewind(mark, fdsBefore);
      throw error instanceof InvalidArgumentError ? naming(head, error) : error;
    } finally {
      this.#marshals = false;
    }
  }

  #count(bodyLength: number): void {
    this.messages++;
    this.bodyBytes += bodyLength;
  }

  /** Returns the length of the body. */
  #marshalOnce(
    head: MessageHead,
    body: readonly unknown[],
    serial: number,
    replySerial: number,
    fdCount: number,
  ): number {
    const writer = this.#writer;
    const start = writer.beginMessage();
    if (fdCount === 0 && head instanceof PreparedHead) head.write(writer, serial, replySerial);
    else writeHeader(writer, head, serial, replySerial, fdCount);
    const bodyStart = writer.position;
    encoderFor(head.signature ?? '')(writer, body);
    finishMessage(writer, start, bodyStart);
    return writer.position - bodyStart;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }
}

/** Were it the addon that finds out, the message would be lost after `send` had returned. */
function requireOpen(fd: number): void {
  try {
    requireOpenFd(fd);
  } catch (error) {
    throw new InvalidArgumentError(`file descriptor ${fd} is not open`, { cause: error });
  }
}

/** The error of a value that does not fit, with what it was for: the value's path alone does not tell. */
function naming(head: MessageHead, error: InvalidArgumentError): InvalidArgumentError {
  const what = describeMessage(head);
  return what === '' ? error : new InvalidArgumentError(`${error.message} (${what})`, { cause: error });
}
