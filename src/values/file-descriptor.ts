/**
 * An open file descriptor with one owner: a `FileDescriptor`. Several receivers may get a descriptor of one message:
 * listeners, message handlers, the object that is called. Each of them gets a `FileDescriptor` of its own. They share
 * the number, which is closed when the last of them lets go of it.
 *
 * Handlers and listeners get descriptors _on loan_: they are closed when the handler is done, unless the handler took
 * them. The caller of a method owns the descriptors in the result: one that the caller drops is closed when it is
 * garbage-collected, at an unpredictable time, with a warning.
 *
 * @see D-Bus specification, type UNIX_FD
 */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { inspect } from 'node:util';
import { InvalidArgumentError } from '../base/errors.js';
import { report } from '../diagnostics/problems.js';
import { duplicateFd } from '../native/descriptors.js';
import { checkSocket, checkStream, readableOf, socketOf, writableOf } from './descriptor-streams.js';
import { HeldFd } from './held-fd.js';

const FD_MAXIMUM = 2 ** 31 - 1;

/** All copies of this package in a process share it. */
const brand: unique symbol = Symbol.for('busbar.FileDescriptor');
const mark: unique symbol = Symbol.for('busbar.FileDescriptor.handedOver');

let warned = false;

const dropped = new FinalizationRegistry<HeldFd>((held) => {
  const { fd } = held;
  held.letGo();
  if (held.holders > 0) return;
  const message = `file descriptor ${fd} was received but neither closed nor taken: it was closed when it was garbage-collected`;
  report('descriptor', message);
  if (warned) return;
  warned = true;
  process.emitWarning(message, {
    type: 'DBusDescriptorWarning',
    code: 'DBUS_DESCRIPTOR_DROPPED',
    detail: 'Call close() or take() on every FileDescriptor, or declare it with "using". Shown once in a process.',
  });
});

/** The reason why a `FileDescriptor` no longer owns anything. */
const USED_UP = 'this file descriptor was closed, taken, or handed over';
const RETURNED =
  'this file descriptor was closed when its handler had finished: ' + 'call take() or dup() in the handler to keep it';

/**
 * Functions for busbar's own use of received descriptors. The class sets them, because they use its private members.
 */
let lend!: (held: HeldFd | undefined) => FileDescriptor;
let makeOwned!: (held: HeldFd) => FileDescriptor;
let endLoan!: (descriptor: FileDescriptor) => void;
let keepLent!: (descriptor: FileDescriptor) => boolean;
let setHandedOver!: (descriptor: FileDescriptor, isHandedOver: boolean) => void;

/**
 * An open file descriptor with one owner. Close it, take the number out of it, or hand it over to a message that
 * carries it.
 *
 * - The caller of a method owns the descriptors in the result. One that the caller drops is closed when it is
 *   garbage-collected, at an unpredictable time, with a warning.
 * - Arguments of a method, values passed to a setter, and values of a signal are on loan. They are closed when the
 *   handler or listener has finished: when the call is answered, or when the promise that the handler returned is
 *   settled. {@link take}, {@link dup} and {@link handOver} keep them open.
 *
 * @example
 * ```ts
 * using file = await files.call.Open('/etc/hostname');
 * console.log(readFileSync(file.fd, 'utf8'));
 * ```
 * @see D-Bus specification, section "Basic types", type UNIX_FD
 */
export class FileDescriptor {
  #held: HeldFd | undefined;
  #handedOver = false;
  #isLent: boolean;
  #wasReturned = false;

  static {
    lend = (held) => new FileDescriptor(held, true);
    makeOwned = (held) => new FileDescriptor(held, false);
    endLoan = (descriptor) => {
      if (!descriptor.#isLent) return;
      descriptor.#wasReturned ||= !descriptor.closed;
      descriptor.close();
    };
    setHandedOver = (descriptor, isHandedOver) => descriptor[mark](isHandedOver);
    keepLent = (descriptor) => {
      try {
        if (!descriptor.#isLent || descriptor.closed) return false;
        descriptor.#isLent = false;
        return true;
      } catch {
        // It is from another copy of this package, which manages its own loans.
        return false;
      }
    };
  }

  private constructor(held: HeldFd | undefined, isLent: boolean) {
    this.#held = held;
    this.#isLent = isLent;
    if (held === undefined) this.#wasReturned = true;
    else dropped.register(this, held, this);
  }

  /**
   * Makes a `FileDescriptor` the owner of an open descriptor. From then on, no other code may close the number.
   *
   * @throws {@link InvalidArgumentError} for a value that cannot be a descriptor
   */
  static adopt(fd: number): FileDescriptor {
    if (!isFdNumber(fd)) throw new InvalidArgumentError(`fd: expected a non-negative integer, got ${String(fd)}`);
    return new FileDescriptor(new HeldFd(fd, false), false);
  }

  /** Whether a value is a `FileDescriptor` of any copy of this package. */
  static isFileDescriptor(value: unknown): value is FileDescriptor {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Like {@link isFileDescriptor}, for `instanceof`. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return FileDescriptor.isFileDescriptor(value);
  }

  /**
   * The number. Use it only while this object owns it.
   *
   * @throws {@link InvalidArgumentError} if it was closed, taken, or sent after {@link handOver}, or its loan has ended
   */
  get fd(): number {
    return this.#open().fd;
  }

  /**
   * Whether this object no longer owns anything: it was closed, taken, or sent after {@link handOver}, or its loan has
   * ended.
   */
  get closed(): boolean {
    return this.#held === undefined;
  }

  /** Whether the next message that carries this descriptor becomes its owner. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /**
   * Closes the descriptor at once. It never throws, and a second call does nothing.
   */
  close(): void {
    this.#release()?.letGo();
  }

  /**
   * Returns the number and gives up its ownership: the caller has to close it, and this object is empty. If other
   * receivers of the same message have not finished with the descriptor, the result is a duplicate. So do not keep an
   * earlier value of {@link fd}.
   *
   * @throws {@link InvalidArgumentError} if this object is empty
   * @throws {@link LimitsExceededError} if a duplicate is needed and the process has reached its limit of descriptors
   */
  take(): number {
    const fd = this.#open().take();
    this.#release();
    return fd;
  }

  /**
   * Makes a `FileDescriptor` that owns a duplicate and can stay open for any length of time. This object does not
   * change.
   *
   * @example
   * ```ts
   * using file = await files.call.Open('/etc/hostname');
   * const own = file.dup();
   * ```
   *
   * @throws {@link InvalidArgumentError} if this object is empty
   * @throws {@link LimitsExceededError} if the process has reached its limit of descriptors
   */
  dup(): FileDescriptor {
    return new FileDescriptor(new HeldFd(duplicateFd(this.fd)), false);
  }

  /**
   * Makes a socket of the descriptor of a connected stream socket. The socket becomes the owner of the descriptor, as the
   * caller of {@link take} does: it closes it when it is destroyed, and this object is empty.
   *
   * @example
   * ```ts
   * export function answer(end: FileDescriptor): void {
   *   const socket = end.toSocket();
   *   socket.pipe(socket);
   * }
   * ```
   *
   * @throws {@link InvalidArgumentError} if this object is empty, or the descriptor is not such a socket. This object
   * stays the owner then
   * @throws {@link NotSupportedError} on Bun and Deno
   */
  toSocket(): Socket {
    checkSocket(this.fd);
    return socketOf(this.take());
  }

  /**
   * Makes a stream that reads from the descriptor: a pipe, a stream socket, a file or a device. The stream becomes the
   * owner of the descriptor, as the caller of {@link take} does: it closes it at the end or when it is destroyed, and
   * this object is empty.
   *
   * @example
   * ```ts
   * const file = await files.call.Open('/etc/hostname');
   * file.toReadable().pipe(process.stdout);
   * ```
   *
   * @throws {@link InvalidArgumentError} if this object is empty, or the descriptor cannot be a stream. This object stays
   * the owner then
   * @throws {@link NotSupportedError} on Deno, and on Bun for sockets
   */
  toReadable(): Readable {
    checkStream(this.fd);
    return readableOf(this.take());
  }

  /**
   * Makes a stream that writes to the descriptor, and owns it, as {@link toReadable} does. `end()` closes it.
   *
   * @example
   * ```ts
   * FileDescriptor.adopt(openSync('/dev/null', 'w')).toWritable().end('a line\n');
   * ```
   *
   * @throws {@link InvalidArgumentError} and {@link NotSupportedError} as {@link toReadable} does
   */
  toWritable(): Writable {
    checkStream(this.fd);
    return writableOf(this.take());
  }

  /**
   * Makes the next message that carries this descriptor its owner: the descriptor is closed in this process when the
   * message has been sent. Without this, sending does not change the descriptor, and the receiver gets a duplicate.
   *
   * If the function that got the descriptor throws or rejects before sending, this object stays its owner:
   * {@link closed} is `false`. `using` closes it then. If a message is dropped without an error for the program, the
   * descriptor is closed.
   *
   * @example
   * ```ts
   * using file = FileDescriptor.adopt(openSync(path, 'r'));
   * await files.call.Attach(file.handOver());
   * ```
   *
   * @returns this object
   * @throws {@link InvalidArgumentError} if this object is empty
   */
  handOver(): this {
    this.#open();
    this.#handedOver = true;
    this.#isLent = false;
    return this;
  }

  /** @internal by a registered name, because it may be of another copy of this package */
  [mark](isHandedOver: boolean): void {
    this.#handedOver = isHandedOver;
  }

  /** Like {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `FileDescriptor { ${this.#held?.fd ?? 'closed'} }`;
  }

  #open(): HeldFd {
    if (this.#held === undefined) throw new InvalidArgumentError(this.#wasReturned ? RETURNED : USED_UP);
    return this.#held;
  }

  #release(): HeldFd | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    dropped.unregister(this);
    this.#held = undefined;
    return held;
  }
}

Object.defineProperty(FileDescriptor.prototype, brand, { value: true });

/**
 * Makes a descriptor that is on loan until {@link endLoan}; without a held descriptor, one whose loan has ended. It
 * takes over one hold.
 */
export const lendDescriptor = lend;
/** Makes a descriptor that its receiver owns. It takes over one hold. */
export const makeOwnedDescriptor = makeOwned;
/** Closes a descriptor that is still on loan. One that was kept does not change. */
export const endLoanOf = endLoan;
/** Keeps a descriptor that is on loan. The caller has to close it. Returns whether it was on loan. */
export const keepDescriptor = keepLent;

/**
 * Sets whether the next message that carries the descriptor becomes its owner. If several messages carry it, the last
 * one does.
 */
export const markHandedOver = setHandedOver;

/** Whether a value can be the number of a descriptor. */
export function isFdNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= FD_MAXIMUM;
}
