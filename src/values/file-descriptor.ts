/**
 * An open file descriptor with one owner: a `FileDescriptor`. One that arrived in a message may be wanted by several who
 * get the message (listeners, message handlers, the object that is called). Each of them has a `FileDescriptor` of its
 * own then, the number is theirs together, and is closed when the last of them is done with it.
 *
 * What a handler or listener gets is _on loan_: it is closed when the handler is done, unless the handler took it. What
 * the caller of a method gets is the caller's: one that is dropped is closed when it is collected, at an unpredictable
 * time, with a warning.
 *
 * @see D-Bus specification, type UNIX_FD
 */
import { inspect } from 'node:util';
import { InvalidArgumentError } from '../base/errors.js';
import { report } from '../diagnostics/problems.js';
import { closeFd, closeReceivedFd, duplicateFd, keepReceivedFd, releaseReceivedFd } from '../native/descriptors.js';

const FD_MAXIMUM = 2 ** 31 - 1;

/** Shared by all copies of this package in a process. */
const brand: unique symbol = Symbol.for('busbar.FileDescriptor');

/** An open descriptor, and how many hold it. The last one that lets go of it closes it. */
export class HeldFd {
  readonly fd: number;
  holders = 1;
  readonly #isOfAddon: boolean;

  /** @param isOfAddon whether the addon received or made it; else the program did */
  constructor(fd: number, isOfAddon = true) {
    this.fd = fd;
    this.#isOfAddon = isOfAddon;
    if (isOfAddon) keepReceivedFd(fd);
  }

  /** One of the holders is done with it. */
  letGo(): void {
    if (--this.holders === 0) closeQuietly(this.fd, this.#isOfAddon);
  }

  /** One of the holders takes the number away: the number itself if it is the last one, else a duplicate. */
  take(): number {
    const fd = this.holders > 1 ? duplicateFd(this.fd) : this.fd;
    this.holders--;
    if (this.holders === 0 && this.#isOfAddon) releaseReceivedFd(fd);
    return fd;
  }
}

/** Closes a number, and never throws. */
export function closeQuietly(fd: number, isOfAddon = true): void {
  try {
    if (isOfAddon) closeReceivedFd(fd);
    else closeFd(fd);
  } catch (error) {
    // Other code closed the number. Whoever closes here can do nothing about it, so it does not get to throw.
    report('descriptor', `closing file descriptor ${fd} failed`, error);
  }
}

let warned = false;

const dropped = new FinalizationRegistry<HeldFd>((held) => {
  const { fd } = held;
  held.letGo();
  if (held.holders > 0) return;
  const message = `file descriptor ${fd} was received but neither closed nor taken: it was closed when it was collected`;
  report('descriptor', message);
  if (warned) return;
  warned = true;
  process.emitWarning(message, {
    type: 'DBusDescriptorWarning',
    code: 'DBUS_DESCRIPTOR_DROPPED',
    detail: 'Call close() or take() on every FileDescriptor, or declare it with "using". Shown once a process.',
  });
});

/** Why a `FileDescriptor` owns nothing any more. */
const USED_UP = 'this file descriptor was closed, taken, or handed over';
const RETURNED =
  'this file descriptor was closed when the handler that it was given to was done: ' +
  'call take() or dup() in the handler to keep it';

/** What busbar itself does with those that arrive; set by the class, whose insides these are. */
let lend!: (held: HeldFd | undefined) => FileDescriptor;
let give!: (held: HeldFd) => FileDescriptor;
let endLoan!: (descriptor: FileDescriptor) => void;
let keepLent!: (descriptor: FileDescriptor) => boolean;
let setHandedOver!: (descriptor: FileDescriptor, isHandedOver: boolean) => void;

/**
 * An open file descriptor with one owner. Close it, take the number out, or hand it over to a message that carries it on.
 *
 * - The result of a call is the caller's. One that is dropped is closed when it is collected, at an unpredictable time,
 *   with a warning.
 * - Arguments of a method, values given to a setter, and values of a signal are on loan: they are closed when the handler
 *   or listener is done (when the call is answered, when a promise that it returned has settled). {@link take},
 *   {@link dup} and {@link handOver} keep them.
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
    give = (held) => new FileDescriptor(held, false);
    endLoan = (descriptor) => {
      if (!descriptor.#isLent) return;
      descriptor.#wasReturned ||= !descriptor.closed;
      descriptor.close();
    };
    setHandedOver = (descriptor, isHandedOver) => {
      if (#isLent in descriptor) descriptor.#handedOver = isHandedOver;
    };
    keepLent = (descriptor) => {
      // It may be of another copy of this package, which lends its own.
      if (!(#isLent in descriptor) || !descriptor.#isLent || descriptor.closed) return false;
      descriptor.#isLent = false;
      return true;
    };
  }

  private constructor(held: HeldFd | undefined, isLent: boolean) {
    this.#held = held;
    this.#isLent = isLent;
    if (held === undefined) this.#wasReturned = true;
    else dropped.register(this, held, this);
  }

  /**
   * Makes a `FileDescriptor` the owner of an open descriptor. From then on nobody else may close the number.
   *
   * @throws {@link InvalidArgumentError} for something that cannot be a descriptor
   */
  static adopt(fd: number): FileDescriptor {
    if (!isFdNumber(fd)) throw new InvalidArgumentError(`a file descriptor is an integer from 0, not ${String(fd)}`);
    return new FileDescriptor(new HeldFd(fd, false), false);
  }

  /** Whether a value is a `FileDescriptor` of any copy of this package. */
  static isFileDescriptor(value: unknown): value is FileDescriptor {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** As {@link isFileDescriptor}: for `instanceof`. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return FileDescriptor.isFileDescriptor(value);
  }

  /**
   * The number, to use while this object owns it.
   *
   * @throws {@link InvalidArgumentError} if it was closed, taken, sent after {@link handOver}, or its loan is over
   */
  get fd(): number {
    return this.#open().fd;
  }

  /** Whether this object owns nothing any more: it was closed, taken, sent after {@link handOver}, or its loan is over. */
  get closed(): boolean {
    return this.#held === undefined;
  }

  /** Whether the message that carries this descriptor next becomes its owner. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /** Closes the descriptor. Never throws, and does nothing the second time. */
  close(): void {
    this.#release()?.letGo();
  }

  /**
   * Gives the number away: whoever calls this has to close it. The object is empty then. If others got the same message
   * and are not done with it, what is returned is a duplicate, so ask for {@link fd} no earlier than this.
   *
   * @throws {@link InvalidArgumentError} if it is empty already
   * @throws {@link LimitsExceededError} if a duplicate is needed and the process may have no more descriptors
   */
  take(): number {
    const fd = this.#open().take();
    this.#release();
    return fd;
  }

  /**
   * Makes a `FileDescriptor` that owns a duplicate, for as long as it likes. This one stays what it is.
   *
   * @example
   * ```ts
   * using file = await files.call.Open('/etc/hostname');
   * const own = file.dup();
   * ```
   *
   * @throws {@link InvalidArgumentError} if it is empty
   * @throws {@link LimitsExceededError} if the process may have no more descriptors
   */
  dup(): FileDescriptor {
    return new FileDescriptor(new HeldFd(duplicateFd(this.fd)), false);
  }

  /**
   * Lets the message that carries this descriptor next have it: once that message was sent, it is closed here. Without
   * this, sending leaves the descriptor as it is, and the receiver gets a duplicate.
   *
   * @example
   * ```ts
   * await files.call.Attach(FileDescriptor.adopt(openSync(path, 'r')).handOver());
   * ```
   *
   * @returns this object
   * @throws {@link InvalidArgumentError} if it is empty
   */
  handOver(): this {
    this.#open();
    this.#handedOver = true;
    this.#isLent = false;
    return this;
  }

  /** As {@link close}: for `using`. */
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

/** One that is on loan until {@link endLoan}; without anything held, one whose loan is over. It takes over one hold. */
export const lendDescriptor = lend;
/** One that belongs to whoever gets it. It takes over one hold. */
export const giveDescriptor = give;
/** Closes one that is still on loan; one that was kept stays as it is. */
export const endLoanOf = endLoan;
/** Keeps one that is on loan for whoever calls this, who has to close it. Returns whether it was on loan. */
export const keepDescriptor = keepLent;

/** Says whether the next message that carries it becomes its owner: one that several messages carry belongs to the last. */
export const markHandedOver = setHandedOver;

/** Whether a value can be the number of a descriptor. */
export function isFdNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= FD_MAXIMUM;
}
