/**
 * An open file descriptor with one owner. What arrives in a message is owned by a `FileDescriptor`, and whoever gets
 * it decides what becomes of it: close it, take the number out, or hand it over to a message that carries it on. One
 * that is dropped is closed when it is collected, with a warning, because when that happens nobody can tell.
 *
 * @see D-Bus specification, type UNIX_FD
 */
import { inspect } from 'node:util';
import { report } from './diagnostics.js';
import { InvalidArgumentError } from './errors.js';
import { closeFd } from './native/descriptors.js';

const FD_MAXIMUM = 2 ** 31 - 1;
const EMPTY = -1;

/** Shared by all copies of this package in a process. */
const brand: unique symbol = Symbol.for('busbar.FileDescriptor');

function closeDescriptor(fd: number): void {
  try {
    closeFd(fd);
  } catch (error) {
    // Somebody else closed the number. Whoever closes here can do nothing about it, so it does not get to throw.
    report('descriptor', `closing file descriptor ${fd} failed`, error);
  }
}

let warned = false;

const dropped = new FinalizationRegistry<number>((fd) => {
  closeDescriptor(fd);
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

/**
 * An open file descriptor with one owner. Each that arrives in a message is one, and has to be closed or taken. One that
 * is dropped is closed when it is collected, with a warning: when that happens nobody can tell.
 *
 * @example
 * ```ts
 * using file = await files.call.Open('/etc/hostname');
 * console.log(readFileSync(file.fd, 'utf8'));
 * ```
 * @see D-Bus specification, section "Basic types", type UNIX_FD
 */
export class FileDescriptor {
  #fd: number;
  #handedOver = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Makes a `FileDescriptor` the owner of an open descriptor. From then on nobody else may close the number.
   *
   * @throws {@link InvalidArgumentError} for something that cannot be a descriptor
   */
  static adopt(fd: number): FileDescriptor {
    if (!isFdNumber(fd)) throw new InvalidArgumentError(`a file descriptor is an integer from 0, not ${String(fd)}`);
    const descriptor = new FileDescriptor(fd);
    dropped.register(descriptor, fd, descriptor);
    return descriptor;
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
   * @throws {@link InvalidArgumentError} if it was closed, taken, or sent after {@link handOver}
   */
  get fd(): number {
    if (this.#fd === EMPTY) throw new InvalidArgumentError('this file descriptor was closed, taken, or handed over');
    return this.#fd;
  }

  /** Whether this object owns nothing any more: it was closed, taken, or sent after {@link handOver}. */
  get closed(): boolean {
    return this.#fd === EMPTY;
  }

  /** Whether the message that carries this descriptor next becomes its owner. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /** Closes the descriptor. Never throws, and does nothing the second time. */
  close(): void {
    if (this.#fd !== EMPTY) closeDescriptor(this.take());
  }

  /**
   * Gives the number away: whoever calls this has to close it. The object is empty then.
   *
   * @throws {@link InvalidArgumentError} if it is empty already
   */
  take(): number {
    const fd = this.fd;
    dropped.unregister(this);
    this.#fd = EMPTY;
    return fd;
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
    void this.fd;
    this.#handedOver = true;
    return this;
  }

  /** As {@link close}: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `FileDescriptor { ${this.closed ? 'closed' : this.#fd} }`;
  }
}

Object.defineProperty(FileDescriptor.prototype, brand, { value: true });

/** Whether a value can be the number of a descriptor. */
export function isFdNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= FD_MAXIMUM;
}
